//! The `Clone` and `Drop` of a run's values may panic, and may look at the run.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time};

/// Its first clone panics.
struct Fragile(Arc<AtomicU32>);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "no clone for you");
        Self(self.0.clone())
    }
}

#[task(retries = 2)]
fn eight(_fragile: Fragile) -> u32 {
    8
}

#[test]
fn a_clone_of_the_parameters_that_panics_is_retried_like_any_panic() {
    let run = eight.submit(Fragile(Arc::default()));
    assert_eq!(in_time("clone", move || run.result()).unwrap(), 8);
}

/// Looks at its run when dropped.
#[derive(Debug)]
struct Curious(RunContext);

impl Drop for Curious {
    fn drop(&mut self) {
        let _ = self.0.state();
    }
}

impl fmt::Display for Curious {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("curious")
    }
}

impl std::error::Error for Curious {}

#[task]
fn behind(gate: Gate) {
    gate.pass();
}

/// Leaves a child behind that its run has to wait for.
fn leave_one_running(gate: Gate) {
    let child = behind.submit(gate);
    while child.state().name() != "Running" {
        thread::yield_now();
    }
    drop(child);
}

#[flow(timeout_seconds = 0.3)]
fn fails(gate: Gate) -> Result<(), Curious> {
    leave_one_running(gate);
    Err(Curious(flowcore::context().unwrap()))
}

#[test]
fn an_error_given_up_with_its_attempt_may_look_at_the_run() {
    let gate = Gate::new();
    let run = fails.submit(gate.clone());
    let end = in_time("an error's drop", move || run.wait());
    gate.open();
    assert_eq!(end.name(), "TimedOut");
}

// As many retries as a slow machine may want: only the first attempt has anything to wait for.
#[flow(timeout_seconds = 0.3, retries = 50)]
fn leaves(gate: Gate) -> Curious {
    let context = flowcore::context().unwrap();
    if context.attempt() == 1 {
        leave_one_running(gate);
    }
    Curious(context)
}

#[test]
fn an_output_given_up_with_its_attempt_may_look_at_the_run() {
    let gate = Gate::new();
    let run = leaves.submit(gate.clone());
    let end = in_time("an output's drop", move || run.wait());
    gate.open();
    assert_eq!(end.name(), "Completed");
}
