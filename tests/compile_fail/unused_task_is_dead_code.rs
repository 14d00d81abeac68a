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

#[flow(name = "later", retries = 1, on_failure = hook)]
async fn unused_flow(text: &str) {
    let _ = text;
}

fn hook(_: &RunContext, _: &State) {}

#[task]
fn used() {}

#[allow(dead_code)]
#[task]
fn allowed() {}

fn main() {
    let _ = used();
}
