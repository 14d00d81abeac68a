//! Waits in unusual surroundings get their results, or an error where there can be none.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::thread;

use flowcore::prelude::*;
use flowcore_tests::{Gate, Runtime, in_time};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

#[task]
async fn behind(gate: Gate) -> u32 {
    gate.passed().await;
    13
}

#[task]
fn same(n: u32) -> u32 {
    n
}

#[test]
fn blocking_for_a_run_behind_one_that_only_this_thread_drives_is_an_error() {
    let result = in_time("blocks its own driver", || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let first = behind.submit(Gate::new());
            tokio::task::yield_now().await;
            same.submit(first).result()
        })
    });
    assert!(result.is_err());
}

#[test]
fn a_local_set_on_a_multi_thread_runtime_may_block_for_a_result() {
    let result = in_time("local set", || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        LocalSet::new().block_on(&runtime, async {
            let blocks = async {
                let gate = Gate::new();
                let run = behind.submit(gate.clone());
                thread::spawn(move || gate.open());
                run.result()
            };
            tokio::task::spawn_local(blocks).await.unwrap()
        })
    });
    assert_eq!(result.unwrap(), 13);
}

#[task(retries = 1, retry_delay_seconds = 0.01)]
async fn again(tries: Arc<AtomicU32>) -> Result<u32, String> {
    match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Err("no".to_owned()),
        _ => Ok(17),
    }
}

#[test]
fn a_runtime_without_timers_retries_all_the_same() {
    let result = in_time("no timers", || {
        let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async { again.submit(Arc::default()).await })
    });
    assert_eq!(result.unwrap(), 17);
}

#[flow]
async fn polls_in_part() -> Vec<flowcore::Result<u32>> {
    let gate = Gate::new();
    let first = same.submit(1);
    first.wait();
    let mut all: RunFutures<u32> = [first, behind.submit(gate.clone())].into_iter().collect();
    let once = poll_fn(|cx| Poll::Ready(Pin::new(&mut all).poll(cx).is_pending())).await;
    assert!(once, "one is still behind its gate");
    gate.open();
    all.settle().await
}

#[test]
fn a_list_polled_in_part_and_settled_gives_all_results() {
    let results = in_time("polled in part", || {
        Runtime::MultiThread.enter(|| polls_in_part().run())
    });
    let values: Vec<u32> = results.unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(values, [1, 13]);
}
