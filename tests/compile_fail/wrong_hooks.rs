use flowcore::prelude::*;

fn no_state(run: &RunContext) {
    let _ = run;
}

fn by_value(run: RunContext, state: State) {
    let _ = (run, state);
}

#[task(on_failure = no_state)]
fn one() {}

#[flow(on_completion = [by_value])]
fn two() {}

#[flow(on_running = "notify")]
fn three() {}

#[flow(on_crashed = |run| drop(run))]
fn four() {}

fn main() {}
