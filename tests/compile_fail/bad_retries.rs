use flowcore::prelude::*;

#[task(retries = "three")]
fn text() {}

#[task(retries = -1)]
fn negative() {}

#[task(retries = 1.5)]
fn fraction() {}

#[task(retries = 5_000_000_000)]
fn many() {}

#[task(retries = TIMES)]
fn constant() {}

const TIMES: i64 = 3;

fn main() {}
