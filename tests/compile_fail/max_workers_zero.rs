use flowcore::prelude::*;

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(0))]
fn nightly() {}

fn main() {}
