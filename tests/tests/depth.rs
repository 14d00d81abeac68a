//! The depth promise: recursion costs heap, not stack, 100,000 levels deep.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::{Mutex, PoisonError};

use flowcore::prelude::*;
use flowcore_tests::{Runtime, in_time, peak_of};

const LEVELS: u32 = 100_000;

#[flow]
fn sync_called(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 { 1 } else { sync_called(n - 1)? + 1 })
}

#[flow]
fn sync_submitted(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 {
        1
    } else {
        sync_submitted.submit(n - 1).result()? + 1
    })
}

#[flow]
async fn async_called(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 { 1 } else { async_called(n - 1).await? + 1 })
}

#[flow]
async fn async_submitted(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 {
        1
    } else {
        async_submitted.submit(n - 1).await? + 1
    })
}

#[task]
fn sync_task_called(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 { 1 } else { sync_task_called(n - 1)? + 1 })
}

#[task]
fn sync_task(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 {
        1
    } else {
        sync_task.submit(n - 1).result()? + 1
    })
}

#[task]
async fn async_task(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 { 1 } else { async_task.submit(n - 1).await? + 1 })
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
fn limited_sync(n: u32) -> flowcore::Result<u32> {
    sync_task.submit(n).result()
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
async fn limited_async(n: u32) -> flowcore::Result<u32> {
    async_task.submit(n).await
}

#[flow]
fn sync_above_async(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 {
        1
    } else {
        async_above_sync.submit(n - 1).result()? + 1
    })
}

#[flow]
async fn async_above_sync(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 {
        1
    } else {
        sync_above_async.submit(n - 1).await? + 1
    })
}

#[flow]
async fn async_that_blocks(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 {
        1
    } else {
        async_that_blocks.submit(n - 1).result()? + 1
    })
}

#[flow]
async fn async_that_blocks_on_sync(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 {
        1
    } else {
        sync_that_blocks_on_async.submit(n - 1).result()? + 1
    })
}

#[flow]
fn sync_that_blocks_on_async(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 {
        1
    } else {
        async_that_blocks_on_sync.submit(n - 1).result()? + 1
    })
}

#[flow(timeout_seconds = 3600)]
fn sync_with_timeout(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 { 1 } else { sync_with_timeout(n - 1)? + 1 })
}

#[flow(timeout_seconds = 3600)]
async fn async_with_timeout(n: u32) -> flowcore::Result<u32> {
    Ok(if n == 1 {
        1
    } else {
        async_with_timeout(n - 1).await? + 1
    })
}

#[flow]
fn sync_that_fails(n: u32) -> flowcore::Result<u32> {
    if n == 1 {
        Err(flowcore::Error::msg("bottom"))
    } else {
        sync_that_fails(n - 1)
    }
}

#[flow]
async fn async_that_fails(n: u32) -> flowcore::Result<u32> {
    if n == 1 {
        Err(flowcore::Error::msg("bottom"))
    } else {
        async_that_fails(n - 1).await
    }
}

#[flow]
async fn async_that_panics(n: u32) -> flowcore::Result<u32> {
    if n == 1 {
        panic!("bottom")
    } else {
        async_that_panics.submit(n - 1).await
    }
}

#[flow]
async fn detached(n: u32) {
    if n > 1 {
        drop(detached.submit(n - 1));
    }
}

#[flow]
fn detached_sync(n: u32) {
    if n > 1 {
        drop(detached_sync.submit(n - 1));
    }
}

#[task]
fn plus_one(n: u32) -> u32 {
    n + 1
}

#[task]
async fn plus_one_async(n: u32) -> u32 {
    n + 1
}

#[task]
fn fails() -> Result<u32, String> {
    Err("bottom".to_owned())
}

/// One at a time, so that each has the machine and its peak to itself.
fn deep(what: &'static str, code: impl FnOnce() -> flowcore::Result<u32> + Send + 'static) -> flowcore::Result<u32> {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (result, peak) = in_time(what, move || peak_of(code));
    eprintln!("{what}: peak {peak} MiB");
    result
}

macro_rules! reaches {
    ($($name:ident, $levels:expr, $run:expr;)*) => {$(
        #[test]
        fn $name() {
            for runtime in Runtime::ALL {
                let what = concat!(stringify!($name), ": ", stringify!($run));
                let run: fn(u32) -> flowcore::Result<u32> = $run;
                let reached = deep(what, move || runtime.enter(|| run($levels)));
                assert_eq!(reached.unwrap(), $levels, "{what}, {runtime:?}");
            }
        }
    )*};
}

/// The run, driven from a plain thread: what an async main does with `.await`.
macro_rules! awaits {
    ($($name:ident, $levels:expr, $flow:ident;)*) => {$(
        #[test]
        fn $name() {
            for workers in [0, 2] {
                let what = stringify!($name);
                let reached = deep(what, move || {
                    let mut builder = match workers {
                        0 => tokio::runtime::Builder::new_current_thread(),
                        _ => tokio::runtime::Builder::new_multi_thread(),
                    };
                    builder.enable_all().build().unwrap().block_on(async { $flow($levels).await })
                });
                assert_eq!(reached.unwrap(), $levels, "{what}, {workers} workers");
            }
        }
    )*};
}

reaches! {
    a_sync_flow_that_calls_itself_goes_100_000_deep, LEVELS, |n| sync_called(n);
    a_sync_flow_that_submits_itself_goes_100_000_deep, LEVELS, |n| sync_submitted.submit(n).result();
    a_sync_task_that_calls_itself_goes_100_000_deep, LEVELS, |n| sync_task_called(n);
    a_sync_task_that_submits_itself_goes_100_000_deep, LEVELS, |n| sync_task.submit(n).result();
    a_sync_task_under_one_worker_goes_100_000_deep, LEVELS, |n| limited_sync(n);
    a_sync_flow_with_a_timeout_goes_100_000_deep, LEVELS, |n| sync_with_timeout(n);
    a_blocked_wait_reaches_an_async_flow_100_000_deep, LEVELS, |n| async_submitted.submit(n).result();
    sync_and_async_alternate_10_000_deep, 10_000, |n| sync_above_async.submit(n).result();
    async_flows_that_block_for_each_other_go_2_000_deep, 2_000, |n| async_that_blocks.submit(n).result();
    async_flows_that_block_for_sync_ones_go_10_000_deep, 10_000, |n| async_that_blocks_on_sync.submit(n).result();
}

awaits! {
    an_async_flow_that_calls_itself_goes_100_000_deep, LEVELS, async_called;
    an_async_flow_that_submits_itself_goes_100_000_deep, LEVELS, async_submitted;
    an_async_task_that_submits_itself_goes_100_000_deep, LEVELS, async_task;
    an_async_task_under_one_worker_goes_100_000_deep, LEVELS, limited_async;
    an_async_flow_with_a_timeout_goes_100_000_deep, LEVELS, async_with_timeout;
    async_and_sync_alternate_10_000_deep, 10_000, async_above_sync;
}

#[test]
fn an_error_comes_up_through_100_000_levels() {
    type Deep = fn() -> flowcore::Result<u32>;
    let runs: [(&str, Deep); 3] = [
        ("sync", || sync_that_fails(LEVELS)),
        ("async", || async_that_fails(LEVELS).run()),
        ("panic", || async_that_panics(LEVELS).run()),
    ];
    for (what, run) in runs {
        let error = deep(what, run).unwrap_err();
        assert!(error.message().contains("bottom"), "{what}: {error}");
        assert!(error.to_string().len() < 1000, "the path is folded: {error}");
    }
}

#[test]
fn detached_runs_are_waited_for_100_000_levels_deep() {
    for runtime in Runtime::ALL {
        if runtime != Runtime::CurrentThread {
            deep("detached", move || {
                runtime.enter(|| detached.submit(LEVELS).result().map(|()| 0))
            })
            .unwrap();
        }
        deep("detached sync", move || {
            runtime.enter(|| detached_sync.submit(LEVELS).result().map(|()| 0))
        })
        .unwrap();
    }
}

#[test]
fn a_run_100_000_levels_deep_is_cancelled() {
    #[flow]
    async fn waits_at_the_bottom(n: u32, begun: flowcore_tests::Gate) {
        if n > 1 {
            drop(waits_at_the_bottom(n - 1, begun).await);
        } else {
            begun.open();
            std::future::pending().await
        }
    }
    deep("cancelled", || {
        let begun = flowcore_tests::Gate::new();
        let run = waits_at_the_bottom.submit(LEVELS, begun.clone());
        begun.pass();
        run.cancel();
        assert_eq!(run.wait().name(), "Cancelled");
        Ok(0)
    })
    .unwrap();
}

#[test]
fn a_chain_of_100_000_runs_each_waiting_for_the_one_before_completes() {
    let reached = deep("chain, sync", || {
        let gate = flowcore_tests::Gate::new();
        let at_gate = gate.clone();
        let mut last = behind.submit(at_gate);
        for _ in 0..LEVELS {
            last = plus_one.submit(last);
        }
        gate.open();
        last.result()
    });
    assert_eq!(reached.unwrap(), LEVELS);
    let reached = deep("chain, async", || {
        let gate = flowcore_tests::Gate::new();
        let mut last = behind.submit(gate.clone());
        for _ in 0..LEVELS {
            last = plus_one_async.submit(last);
        }
        gate.open();
        last.result()
    });
    assert_eq!(reached.unwrap(), LEVELS);
}

#[task]
fn behind(gate: flowcore_tests::Gate) -> u32 {
    gate.pass();
    0
}

#[task]
fn fails_behind(gate: flowcore_tests::Gate) -> Result<u32, String> {
    gate.pass();
    Err("bottom".to_owned())
}

#[test]
fn a_failure_goes_down_a_chain_of_100_000_waiting_runs() {
    let error = deep("failing chain", || {
        let gate = flowcore_tests::Gate::new();
        let mut last = fails_behind.submit(gate.clone());
        for _ in 0..LEVELS {
            last = plus_one.submit(last);
        }
        gate.open();
        last.result()
    })
    .unwrap_err();
    assert_eq!(error.kind(), flowcore::ErrorKind::NotReady);
    assert!(error.to_string().len() < 10_000, "{} bytes", error.to_string().len());
}

#[test]
fn a_failure_goes_down_a_chain_of_100_000_runs_submitted_after_it() {
    let error = deep("failed chain", || {
        let mut last = fails.submit();
        last.wait();
        for _ in 0..LEVELS {
            last = plus_one.submit(last);
        }
        last.result()
    })
    .unwrap_err();
    assert_eq!(error.kind(), flowcore::ErrorKind::NotReady);
}

#[test]
fn a_cancellation_goes_down_a_chain_of_100_000_waiting_runs() {
    let error = deep("cancelled chain", || {
        let gate = flowcore_tests::Gate::new();
        let first = behind.submit(gate.clone());
        let mut last = plus_one.submit(&first);
        for _ in 0..LEVELS {
            last = plus_one.submit(last);
        }
        first.cancel();
        gate.open();
        last.result()
    })
    .unwrap_err();
    assert_eq!(error.kind(), flowcore::ErrorKind::NotReady);
}
