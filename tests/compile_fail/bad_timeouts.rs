use flowcore::prelude::*;

#[task(timeout_seconds = "soon")]
fn text() {}

#[task(timeout_seconds = -1)]
fn negative() {}

#[task(timeout_seconds = 0)]
fn zero() {}

#[task(timeout_seconds = f64::NAN)]
fn not_a_number() {}

#[task(timeout_seconds = 1e300)]
fn endless() {}

#[task(timeout_seconds = true)]
fn flag() {}

#[task(cache_key_fn = key, cache_expiration = -0.5)]
fn cached() {}

fn key(_: &RunContext) -> String {
    String::new()
}

const LIMIT: &str = "30";

#[task(timeout_seconds = LIMIT)]
fn constant() {}

fn main() {}
