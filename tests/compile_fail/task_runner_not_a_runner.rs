use flowcore::prelude::*;

#[flow(task_runner = 4)]
fn number() {}

#[flow(task_runner = String::from("sequential"))]
fn text() {}

fn main() {}
