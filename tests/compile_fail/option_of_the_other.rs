use flowcore::prelude::*;

#[task(task_runner = SequentialTaskRunner::new())]
fn runner() {}

#[task(durable)]
fn durable() {}

#[flow(cache_expiration = 60)]
fn cached() {}

#[flow(cache_key_fn = |run| run.run_name())]
fn keyed() {}

fn main() {}
