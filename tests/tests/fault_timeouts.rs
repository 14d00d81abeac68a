//! Bodies that take too long: an async one is dropped, a blocking one is left behind and its outcome with it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use flowcore::ErrorKind;
use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time, names};

struct Dropped(Gate);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.open();
    }
}

#[test]
fn an_async_body_is_dropped_at_its_timeout_retried_and_its_slot_is_free() {
    #[task(timeout_seconds = 1, retries = 1)]
    async fn sleeps(dropped: Gate) {
        let _dropped = Dropped(dropped);
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    #[task]
    async fn next() -> u32 {
        1
    }
    #[flow(task_runner = SequentialTaskRunner::new())]
    async fn outer(dropped: Gate) -> flowcore::Result<(Vec<State>, Duration)> {
        let start = tokio::time::Instant::now();
        let run = sleeps.submit(dropped);
        next.submit().await?;
        assert!(run.state().is_terminal());
        Ok((run.states(), start.elapsed()))
    }
    let dropped = Gate::new();
    let seen = dropped.clone();
    let (states, took) = in_time("async timeout", move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(async { outer(seen).await })
    })
    .unwrap();
    assert!(dropped.is_open());
    assert_eq!(names(&states), ["Pending", "Running", "Retrying", "TimedOut"]);
    assert!(
        took >= Duration::from_secs(2) && took < Duration::from_secs(3),
        "{took:?}"
    );
}

#[test]
fn a_blocking_body_is_left_behind_at_its_timeout_and_its_late_result_is_dropped() {
    #[derive(Clone)]
    struct Late(Arc<AtomicU32>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    #[task(timeout_seconds = 0.02)]
    fn blocks(gate: Gate, drops: Arc<AtomicU32>, ended: Gate) -> Late {
        gate.pass();
        let _ended = Dropped(ended);
        assert!(flowcore::context().unwrap().is_cancelled());
        Late(drops)
    }
    in_time("blocking timeout", || {
        let (gate, drops, ended) = (Gate::new(), Arc::<AtomicU32>::default(), Gate::new());
        let run = blocks.submit(gate.clone(), drops.clone(), ended.clone());
        assert_eq!(run.wait().name(), "TimedOut");
        assert_eq!(run.result().err().unwrap().kind(), ErrorKind::TimedOut);
        assert_eq!(drops.load(Ordering::SeqCst), 0);
        gate.open();
        ended.pass();
        while drops.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        assert_eq!(names(&run.states()), ["Pending", "Running", "TimedOut"]);
    });
}

#[test]
fn a_blocking_body_left_behind_does_not_hold_up_its_retry_or_the_flow() {
    #[task(timeout_seconds = 0.02, retries = 1)]
    fn blocks_first(gate: Gate) -> u32 {
        let attempt = flowcore::context().unwrap().attempt();
        if attempt == 1 {
            gate.pass();
        }
        attempt
    }
    #[flow(task_runner = SequentialTaskRunner::new())]
    fn outer(gate: Gate) -> flowcore::Result<u32> {
        blocks_first.submit(gate).result()
    }
    let gate = Gate::new();
    let shut = gate.clone();
    assert_eq!(in_time("left behind", move || outer(shut)).unwrap(), 2);
    gate.open();
}

#[test]
fn a_timeout_of_a_run_that_waits_for_its_children_ends_it_and_cancels_them() {
    #[task]
    async fn forever() {
        std::future::pending::<()>().await;
    }
    #[flow(timeout_seconds = 0.03)]
    fn drains() {
        drop(forever.submit());
    }
    let run = drains.submit();
    assert_eq!(in_time("draining", move || run.wait().name()), "TimedOut");
}

#[test]
fn a_timeout_without_end_is_none() {
    #[task]
    fn quick() -> u32 {
        1
    }
    for timeout in [Duration::MAX, Duration::from_secs(u64::MAX / 4)] {
        assert_eq!(quick.bind().timeout(timeout).run().unwrap(), 1);
    }
}
