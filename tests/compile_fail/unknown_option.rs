use flowcore::prelude::*;

#[task(retires = 3)]
fn misspelt() {}

#[flow(flow_run_name = "nightly")]
fn of_prefect() {}

#[task(timeout = 30)]
fn beginning() {}

#[task(colour = "red", retries = 2)]
fn nothing_like_it() {}

#[task(persist_result = true)]
fn of_flows() {}

fn main() {}
