//! The tasks.

use std::io;
use std::time::Duration;

use flowcore::prelude::*;
use flowcore_tests::kills::{Job, Value};

use super::diary::Body;

fn failed() -> flowcore::Error {
    flowcore::Error::new(io::Error::other("it fails, as planned"))
}

fn body(label: &str, job: &Job, inputs: &[Value]) -> flowcore::Result<Value> {
    let body = Body::begin(label)?;
    std::thread::sleep(Duration::from_millis(job.millis));
    finish(&body, job, inputs)
}

async fn async_body(label: &str, job: &Job, inputs: &[Value]) -> flowcore::Result<Value> {
    let body = Body::begin(label)?;
    tokio::time::sleep(Duration::from_millis(job.millis)).await;
    finish(&body, job, inputs)
}

fn finish(body: &Body, job: &Job, inputs: &[Value]) -> flowcore::Result<Value> {
    if body.fails(job.failures)? {
        return Err(failed());
    }
    let value = body.value(inputs);
    body.end(&value)?;
    Ok(value)
}

#[task(run_name = "{label}", retries = 2, retry_delay_seconds = 0.01)]
pub(super) fn work(label: String, job: Job, inputs: Vec<Value>) -> flowcore::Result<Value> {
    body(&label, &job, &inputs)
}

#[task(run_name = "{label}", retries = 2, retry_delay_seconds = [0.0, 0.02])]
pub(super) async fn work_async(label: String, job: Job, inputs: Vec<Value>) -> flowcore::Result<Value> {
    async_body(&label, &job, &inputs).await
}

/// Fed by two calls.
#[task(run_name = "{label}", retries = 2)]
pub(super) fn join(label: String, job: Job, left: Value, right: Value) -> flowcore::Result<Value> {
    body(&label, &job, &[left, right])
}

/// Called with something else each time, and so by a key.
#[task(run_name = "{label}", retries = 2)]
pub(super) fn keyed(label: String, job: Job, _salt: u64) -> flowcore::Result<Value> {
    body(&label, &job, &[])
}

/// Called with something else each time, and so by a key.
#[task(run_name = "{label}", retries = 2)]
pub(super) async fn keyed_async(label: String, job: Job, _salt: u64) -> flowcore::Result<Value> {
    async_body(&label, &job, &[]).await
}
