use flowcore::prelude::*;

fn number(_: &RunContext) -> u32 {
    1
}

#[task(retries = 1, retry_condition_fn = number)]
fn condition() {}

#[task(retries = 1, retry_condition_fn = |error| error.to_string())]
fn no_bool() {}

#[task(retries = 1, retry_condition_fn = true)]
fn literal() {}

#[task(cache_key_fn = number)]
fn key() {}

#[task(cache_key_fn = "key")]
fn text() {}

fn main() {}
