use flowcore::prelude::*;

#[task(retries = 3, retry_delay_seconds = "10")]
fn text() {}

#[task(retries = 3, retry_delay_seconds = [])]
fn empty() {}

#[task(retries = 3, retry_delay_seconds = [1, -2, "3"])]
fn list() {}

#[task(retries = 3, retry_delay_seconds = f64::INFINITY)]
fn infinite() {}

#[task(retries = 3, retry_delay_seconds = |attempt| attempt * 2)]
fn no_duration() {}

#[task(retries = 3, retry_delay_seconds = 1, retry_jitter_factor = -1)]
fn negative_jitter() {}

#[task(retries = 3, retry_delay_seconds = 1, retry_jitter_factor = "half")]
fn text_jitter() {}

fn main() {}
