//! A hook that takes too long, under a short limit: a process of its own, as settings are read once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::time::Duration;

use flowcore::Settings;
use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time, names};

static SHUT: std::sync::LazyLock<Gate> = std::sync::LazyLock::new(Gate::new);

fn blocks(_: &RunContext, _: &State) {
    SHUT.pass();
}

async fn never(_: &RunContext, _: &State) {
    std::future::pending::<()>().await;
}

#[task(on_running = [blocks, never], on_completion = [never, blocks])]
fn slow_hooks() -> u32 {
    1
}

#[task(on_running = [blocks, never], on_failure = [never, blocks])]
async fn slow_hooks_async() -> Result<u32, String> {
    Err("own".to_owned())
}

#[test]
fn a_hook_that_takes_too_long_is_left_behind_and_changes_nothing() {
    let mut settings = Settings::from_env();
    settings.hook_timeout = Duration::from_millis(30);
    settings.install().unwrap();
    // A runtime of the user's would wait at its end for what blocks its threads, so the gate is opened before.
    in_time("sync", || {
        assert_eq!(slow_hooks().unwrap(), 1);
        let run = slow_hooks.submit();
        assert_eq!(run.result().unwrap(), 1);
        assert_eq!(names(&run.states()), ["Pending", "Running", "Completed"]);
    });
    in_time("async", || {
        let run = slow_hooks_async.submit();
        run.wait();
        assert_eq!(names(&run.states()), ["Pending", "Running", "Failed"]);
        assert_eq!(run.result().unwrap_err().message(), "own");
    });
    SHUT.open();
}
