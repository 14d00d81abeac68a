//! The recursion limit, set low: a process of its own, as settings are read once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use flowcore::prelude::*;
use flowcore::{ErrorKind, Settings};
use flowcore_tests::each_runtime;

#[flow]
fn runaway(n: u32) -> flowcore::Result<u32> {
    runaway(n + 1)
}

#[flow]
fn runaway_submitted(n: u32) -> flowcore::Result<u32> {
    runaway_submitted.submit(n + 1).result()
}

#[flow]
async fn runaway_async(n: u32) -> flowcore::Result<u32> {
    runaway_async(n + 1).await
}

#[task]
async fn runaway_task(n: u32) -> flowcore::Result<u32> {
    runaway_task.submit(n + 1).await
}

#[task]
fn depth(levels: u32) -> flowcore::Result<u32> {
    if levels == 1 { Ok(1) } else { Ok(depth(levels - 1)? + 1) }
}

#[test]
fn max_depth_gives_a_recursion_limit_error_that_says_what_to_do() {
    let mut settings = Settings::from_env();
    settings.max_depth = 100;
    settings.install().unwrap();
    each_runtime(|_| {
        type Run = fn() -> flowcore::Result<u32>;
        let runs: [Run; 4] = [
            || runaway(0),
            || runaway_submitted.submit(0).result(),
            || runaway_async(0).run(),
            || runaway_task.submit(0).result(),
        ];
        for run in runs {
            let error = run().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RecursionLimit);
            let text = error.to_string();
            assert!(text.contains("100 levels") && text.contains("FLOW_MAX_DEPTH"), "{text}");
        }
        assert_eq!(depth(100).unwrap(), 100);
        assert_eq!(depth(101).unwrap_err().kind(), ErrorKind::RecursionLimit);
    });
    assert!(Settings::default().install().is_err(), "settings are read once");
}
