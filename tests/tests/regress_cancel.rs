//! A cancellation reaches a body wherever that is at the moment.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time};

#[task]
async fn behind(begun: Gate, gate: Gate) {
    begun.open();
    gate.passed().await;
}

#[task]
async fn waits_aside(begun: Gate, gate: Gate) {
    let child = behind.submit(begun, gate);
    drop(flowcore::spawn_blocking(move || child.result()));
    std::future::pending::<()>().await;
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
async fn one_worker(begun: Gate, gate: Gate) -> flowcore::Result<()> {
    waits_aside.submit(begun, gate).await
}

#[test]
fn a_cancellation_reaches_the_body_while_a_thread_of_its_blocks_for_a_child() {
    let (begun, gate) = (Gate::new(), Gate::new());
    let run = one_worker.submit(begun.clone(), gate.clone());
    // The only worker is the child's as soon as the thread waits for it, not before.
    begun.pass();
    run.cancel();
    let end = in_time("cancelled", move || run.wait());
    gate.open();
    assert_eq!(end.name(), "Cancelled");
}

#[flow]
async fn waits_aside_in_a_flow(blocks: Gate, gate: Gate) {
    let child = behind.submit(Gate::new(), gate);
    drop(flowcore::spawn_blocking(move || {
        blocks.open();
        child.result()
    }));
    std::future::pending::<()>().await;
}

#[test]
fn a_cancellation_reaches_a_flow_while_a_thread_of_its_blocks_for_a_child() {
    let (blocks, gate) = (Gate::new(), Gate::new());
    let run = waits_aside_in_a_flow.submit(blocks.clone(), gate.clone());
    blocks.pass();
    run.cancel();
    let end = in_time("cancelled", move || run.wait());
    gate.open();
    assert_eq!(end.name(), "Cancelled");
}

static IN_HOOK: LazyLock<Gate> = LazyLock::new(Gate::new);
static LEAVE_HOOK: LazyLock<Gate> = LazyLock::new(Gate::new);
static CALLED: AtomicBool = AtomicBool::new(false);

fn hook(_: &RunContext, _: &State) {
    IN_HOOK.open();
    LEAVE_HOOK.pass();
}

#[task(on_running = hook)]
fn hooked() {
    CALLED.store(true, Ordering::SeqCst);
}

#[test]
fn a_run_cancelled_under_its_running_hook_is_never_called() {
    let run = hooked.submit();
    IN_HOOK.pass();
    run.cancel();
    LEAVE_HOOK.open();
    let end = in_time("cancelled", move || run.wait());
    assert_eq!(end.name(), "Cancelled");
    assert!(
        !CALLED.load(Ordering::SeqCst),
        "the body was called after the cancellation"
    );
}
