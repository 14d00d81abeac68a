#![deny(dead_code)]
use flowcore::prelude::*;

#[task]
fn unused(x: u32) -> u32 {
    x
}

#[task]
fn recursive(x: u32) -> u32 {
    if x == 0 { 0 } else { recursive(x - 1).unwrap() }
}

#[task(name = "later", retries = 1, on_failure = hook)]
async fn unused_async(text: &str) {
    let _ = text;
}

// It may be run by its name, and so are its tasks.
#[flow]
fn run_by_name() -> flowcore::Result<()> {
    used_by_flow()
}

#[task]
fn used_by_flow() {}

fn hook(_: &RunContext, _: &State) {}

#[task]
fn used() {}

#[allow(dead_code)]
#[task]
fn allowed() {}

fn main() {
    let _ = used();
}
