//! A hundred runs under `select!`, `join_all` and `FuturesUnordered`, and dropped futures: no result is paired with another call.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use flowcore::prelude::*;
use flowcore_tests::{Gate, each_runtime, in_time};
use futures_util::future::{join_all, select_all, try_join_all};
use futures_util::stream::{FuturesUnordered, StreamExt};

#[task]
fn echo(x: u32) -> u32 {
    x
}

#[task]
async fn echo_async(x: u32) -> u32 {
    for _ in 0..x % 7 {
        tokio::task::yield_now().await;
    }
    x
}

#[flow]
async fn echo_flow(x: u32) -> flowcore::Result<u32> {
    if x.is_multiple_of(2) {
        echo.submit(x).await
    } else {
        echo_async(x).await
    }
}

type Submit = fn(u32) -> RunFuture<u32>;
const SUBMITS: [Submit; 3] = [|x| echo.submit(x), |x| echo_async.submit(x), |x| echo_flow.submit(x)];

#[flow]
async fn joined(submit: Submit) -> flowcore::Result<()> {
    let all = join_all((0..100).map(submit)).await;
    assert!(all.into_iter().map(Result::unwrap).eq(0..100));
    let all = try_join_all((0..100).map(*echo_async)).await?;
    assert!(all.into_iter().eq(0..100));
    Ok(())
}

#[flow]
async fn unordered(submit: Submit) {
    let mut runs: FuturesUnordered<_> = (0..100).map(|x| async move { (x, submit(x).await.unwrap()) }).collect();
    let mut seen = Vec::new();
    while let Some((x, echoed)) = runs.next().await {
        assert_eq!(x, echoed);
        seen.push(x);
    }
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..100));
}

#[flow]
async fn selected(submit: Submit) {
    let mut left: Vec<_> = (0..100).map(|x| (x, submit(x))).collect();
    while !left.is_empty() {
        let (value, at, _) = select_all(left.iter_mut().map(|(_, run)| run)).await;
        let (x, _) = left.remove(at);
        assert_eq!(value.unwrap(), x);
    }
    let (mut one, mut two) = (submit(1), submit(2));
    for _ in 0..2 {
        tokio::select! {
            value = &mut one => { assert_eq!(value.unwrap(), 1); one = submit(1); }
            value = &mut two => { assert_eq!(value.unwrap(), 2); two = submit(2); }
        }
    }
}

#[test]
fn a_hundred_submits_joined_unordered_and_selected_give_the_right_pairs() {
    each_runtime(|_| {
        for submit in SUBMITS {
            joined(submit).run().unwrap();
            unordered(submit).run().unwrap();
            selected(submit).run().unwrap();
        }
    });
}

#[test]
fn results_are_paired_right_under_a_limit() {
    #[flow(task_runner = ConcurrentTaskRunner::new().max_workers(3))]
    async fn limited(submit: Submit) -> flowcore::Result<()> {
        let all = join_all((0..100).map(submit)).await;
        assert!(all.into_iter().map(Result::unwrap).eq(0..100));
        Ok(())
    }
    each_runtime(|_| {
        for submit in SUBMITS {
            limited(submit).run().unwrap();
        }
    });
}

#[test]
fn a_dropped_future_detaches_its_run_and_the_flow_waits_for_it() {
    #[task]
    fn adds(gate: Gate, sum: Arc<AtomicU32>) {
        gate.pass();
        sum.fetch_add(1, Ordering::SeqCst);
    }
    #[flow]
    fn detaches(gate: Gate, sum: Arc<AtomicU32>) {
        for _ in 0..100 {
            drop(adds.submit(gate.clone(), sum.clone()));
        }
        gate.open();
    }
    in_time("detached", || {
        let sum = Arc::new(AtomicU32::new(0));
        detaches(Gate::new(), sum.clone()).unwrap();
        assert_eq!(sum.load(Ordering::SeqCst), 100);
        // Nothing of the runs is left: the count is held here alone.
        while Arc::strong_count(&sum) > 1 {
            std::thread::yield_now();
        }
    });
}
