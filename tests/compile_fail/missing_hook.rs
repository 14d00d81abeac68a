use flowcore::prelude::*;

#[flow(on_cancellation = notfy)]
fn import() {}

fn notify(_: &RunContext, _: &State) {}

fn main() {}
