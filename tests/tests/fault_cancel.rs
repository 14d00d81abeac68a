//! Cancellation in every phase of a run.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use flowcore::ErrorKind;
use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time, names};

#[task]
fn behind(gate: Gate) -> u32 {
    gate.pass();
    1
}

#[task]
async fn behind_async(begun: Gate, gate: Gate) -> u32 {
    begun.open();
    gate.passed().await;
    1
}

#[task]
fn counts(calls: Arc<AtomicU32>, _input: u32) -> u32 {
    calls.fetch_add(1, Ordering::SeqCst);
    1
}

#[task]
async fn counts_async(calls: Arc<AtomicU32>, _input: u32) -> u32 {
    calls.fetch_add(1, Ordering::SeqCst);
    1
}

type Counts = fn(Arc<AtomicU32>, RunFuture<u32>) -> RunFuture<u32>;
const COUNTS: [Counts; 2] = [
    |calls, input| counts.submit(calls, input),
    |calls, input| counts_async.submit(calls, input),
];

fn is_cancelled(run: &RunFuture<u32>, expected: &[&str]) {
    run.cancel();
    run.cancel();
    assert_eq!(run.wait().name(), "Cancelled");
    assert_eq!(names(&run.states()), expected);
    assert_eq!(run.result().unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_run_waiting_for_inputs_is_cancelled_and_never_called() {
    for submit in COUNTS {
        in_time("waiting", move || {
            let (gate, calls) = (Gate::new(), Arc::default());
            let run = submit(Arc::clone(&calls), behind.submit(gate.clone()));
            is_cancelled(&run, &["Pending", "Cancelled"]);
            gate.open();
            assert_eq!(calls.load(Ordering::SeqCst), 0);
        });
    }
}

#[test]
fn a_run_held_by_its_runner_is_cancelled_and_the_next_one_starts() {
    #[task]
    async fn holds(begun: Gate, gate: Gate) -> u32 {
        begun.open();
        gate.passed().await;
        1
    }
    #[task]
    fn plain(calls: Arc<AtomicU32>) -> u32 {
        calls.fetch_add(1, Ordering::SeqCst);
        2
    }
    #[flow(task_runner = SequentialTaskRunner::new())]
    async fn outer() -> flowcore::Result<u32> {
        let (begun, gate, calls) = (Gate::new(), Gate::new(), Arc::<AtomicU32>::default());
        let first = holds.submit(begun.clone(), gate.clone());
        begun.passed().await;
        let (held, next) = (plain.submit(calls.clone()), plain.submit(calls.clone()));
        held.cancel();
        assert_eq!(names(&held.states()), ["Pending", "Cancelled"]);
        gate.open();
        let sum = first.await? + next.await?;
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        Ok(sum)
    }
    assert_eq!(in_time("held", || outer().run()).unwrap(), 3);
}

#[test]
fn a_running_async_body_is_dropped_at_its_await() {
    struct Dropped(Gate);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.open();
        }
    }
    #[task]
    async fn holds(begun: Gate, dropped: Gate) -> u32 {
        let _dropped = Dropped(dropped);
        begun.open();
        std::future::pending().await
    }
    in_time("async body", || {
        let (begun, dropped) = (Gate::new(), Gate::new());
        let run = holds.submit(begun.clone(), dropped.clone());
        begun.pass();
        is_cancelled(&run, &["Pending", "Running", "Cancelling", "Cancelled"]);
        assert!(dropped.is_open());
    });
}

#[test]
fn a_running_blocking_body_is_cancelling_until_it_returns_and_its_waiters_are_told_at_once() {
    #[task]
    fn blocks(begun: Gate, gate: Gate) -> u32 {
        begun.open();
        gate.pass();
        1
    }
    in_time("blocking body", || {
        let (begun, gate) = (Gate::new(), Gate::new());
        let run = blocks.submit(begun.clone(), gate.clone());
        begun.pass();
        run.cancel();
        assert_eq!(run.result().unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(run.state().name(), "Cancelling");
        gate.open();
        is_cancelled(&run, &["Pending", "Running", "Cancelling", "Cancelled"]);
    });
}

#[test]
fn a_blocking_body_stops_at_its_next_submit_result_or_check() {
    #[task]
    fn other() -> u32 {
        1
    }
    #[derive(Clone, Copy, Debug)]
    enum Next {
        Submit,
        Call,
        Result,
        Check,
    }
    #[flow]
    fn blocks(begun: Gate, gate: Gate, next: Next) -> flowcore::Result<u32> {
        let before = behind.submit(gate.clone());
        begun.open();
        if !matches!(next, Next::Result) {
            gate.pass();
        }
        match next {
            Next::Submit => other.submit().result(),
            Next::Call => other(),
            Next::Result => before.result(),
            Next::Check => flowcore::context().unwrap().check_cancelled().map(|()| 1),
        }
    }
    for next in [Next::Submit, Next::Call, Next::Result, Next::Check] {
        in_time("next", move || {
            let (begun, gate) = (Gate::new(), Gate::new());
            let run = blocks.submit(begun.clone(), gate.clone(), next);
            begun.pass();
            run.cancel();
            gate.open();
            assert_eq!(run.wait().name(), "Cancelled", "{next:?}");
        });
    }
}

#[test]
fn a_run_that_awaits_its_retry_is_cancelled() {
    #[task(retries = 1, retry_delay_seconds = 86_400)]
    fn fails() -> Result<u32, String> {
        Err("no".to_owned())
    }
    #[task(retries = 1, retry_delay_seconds = 86_400)]
    async fn fails_async() -> Result<u32, String> {
        Err("no".to_owned())
    }
    for submit in [(|| fails.submit()) as fn() -> RunFuture<u32>, || fails_async.submit()] {
        in_time("awaiting retry", move || {
            let run = submit();
            while run.state().name() != "AwaitingRetry" {
                std::thread::yield_now();
            }
            is_cancelled(&run, &["Pending", "Running", "AwaitingRetry", "Cancelled"]);
        });
    }
}

#[test]
fn a_run_whose_body_has_ended_and_whose_children_have_not_is_cancelled() {
    #[flow]
    fn leaves(begun: Gate) -> u32 {
        drop(behind_async.submit(begun, Gate::new()));
        1
    }
    #[flow]
    async fn leaves_async(begun: Gate) -> u32 {
        drop(behind_async.submit(begun, Gate::new()));
        1
    }
    for submit in [(|begun| leaves.submit(begun)) as fn(Gate) -> RunFuture<u32>, |begun| {
        leaves_async.submit(begun)
    }] {
        in_time("draining", move || {
            let begun = Gate::new();
            let run = submit(begun.clone());
            begun.pass();
            is_cancelled(&run, &["Pending", "Running", "Cancelling", "Cancelled"]);
        });
    }
}

#[test]
fn a_run_that_has_ended_stays_as_it_is() {
    in_time("ended", || {
        let gate = Gate::new();
        gate.open();
        let run = behind.submit(gate);
        run.wait();
        run.cancel();
        assert_eq!(names(&run.states()), ["Pending", "Running", "Completed"]);
        assert_eq!(run.result().unwrap(), 1);
    });
}

#[test]
fn a_cancelled_async_task_gives_its_slot_to_the_next() {
    #[flow(task_runner = SequentialTaskRunner::new())]
    async fn outer() -> flowcore::Result<u32> {
        let begun = Gate::new();
        let stuck = behind_async.submit(begun.clone(), Gate::new());
        let open = Gate::new();
        open.open();
        let next = behind.submit(open);
        begun.passed().await;
        stuck.cancel();
        next.await
    }
    assert_eq!(in_time("slot", || outer().run()).unwrap(), 1);
}

#[test]
fn a_cancellation_that_races_with_the_end_gives_one_outcome() {
    #[task]
    fn quick() -> u32 {
        1
    }
    #[task]
    async fn quick_async() -> u32 {
        tokio::task::yield_now().await;
        1
    }
    in_time("races", || {
        for submit in [(|| quick.submit()) as fn() -> RunFuture<u32>, || quick_async.submit()] {
            for _ in 0..5000 {
                let run = submit();
                std::thread::yield_now();
                run.cancel();
                let state = run.wait();
                let terminal: Vec<_> = run.states().into_iter().filter(State::is_terminal).collect();
                assert_eq!(terminal, std::slice::from_ref(&state));
                assert_eq!(run.result().is_ok(), state.is_completed(), "{state}");
            }
        }
    });
}

#[test]
fn a_parent_that_is_cancelled_wakes_a_child_of_any_depth() {
    #[task]
    fn waits(level: u32, begun: Gate) -> flowcore::Result<u32> {
        if level == 0 {
            begun.open();
            return behind_async.submit(Gate::new(), Gate::new()).result();
        }
        waits.submit(level - 1, begun).result()
    }
    in_time("deep", || {
        let begun = Gate::new();
        let run = waits.submit(200, begun.clone());
        begun.pass();
        run.cancel();
        assert_eq!(run.wait().name(), "Cancelled");
    });
}
