use flowcore::prelude::*;

#[task("process-node")]
fn positional() {}

#[task(retries)]
fn lacking() {}

#[task(retries = , name = "a")]
fn empty() {}

#[task(retries = 3 name = "a")]
fn comma() {}

#[task(retries: 3)]
fn colon() {}

#[task(retries(3))]
fn call() {}

#[task(3)]
fn number() {}

#[task(crate = "flowcore")]
fn path() {}

fn main() {}
