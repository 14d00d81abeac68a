//! Futures of runs and the dependencies they make.
//!
//! Left out, as the contract has no such thing: failures as inputs (`allow_failure`), waits of negative length (a `Duration` has none),
//! futures inside of dicts and other containers than `Vec`, and the refusal of `submit` outside of a flow, which works here.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flowcore::ErrorKind;
use flowcore::prelude::*;
use flowcore_tests::{Gate, each_runtime, in_time, names};
use futures_util::StreamExt;

#[derive(Debug, PartialEq)]
struct OwnError(u32);

impl std::fmt::Display for OwnError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "own error {}", self.0)
    }
}

impl std::error::Error for OwnError {}

#[task]
fn double(x: u32) -> u32 {
    x * 2
}

#[task]
async fn double_async(x: u32) -> u32 {
    tokio::task::yield_now().await;
    x * 2
}

#[task]
fn fail(n: u32) -> Result<u32, OwnError> {
    Err(OwnError(n))
}

#[task]
async fn fail_async(n: u32) -> Result<u32, OwnError> {
    tokio::task::yield_now().await;
    Err(OwnError(n))
}

#[task]
fn behind(gate: Gate, value: u32) -> u32 {
    gate.pass();
    value
}

#[task]
async fn behind_async(gate: Gate, value: u32) -> u32 {
    gate.passed().await;
    value
}

#[task]
fn count(calls: Arc<AtomicU32>, x: u32) -> u32 {
    calls.fetch_add(1, Ordering::SeqCst);
    x
}

#[task]
async fn count_async(calls: Arc<AtomicU32>, x: u32) -> u32 {
    calls.fetch_add(1, Ordering::SeqCst);
    x
}

type Fail = fn(u32) -> RunFuture<u32>;
const FAILURES: [Fail; 2] = [|n| fail.submit(n), |n| fail_async.submit(n)];
type Behind = fn(&Gate, u32) -> RunFuture<u32>;
const BEHIND: [Behind; 2] = [
    |gate, n| behind.submit(gate.clone(), n),
    |gate, n| behind_async.submit(gate.clone(), n),
];

#[test]
fn a_submitted_task_that_fails_and_is_never_awaited_does_not_fail_the_flow() {
    #[flow]
    fn flow_sync(failure: Fail) -> u32 {
        drop(failure(1));
        7
    }
    #[flow]
    async fn flow_async(failure: Fail) -> u32 {
        drop(failure(1));
        7
    }
    each_runtime(|_| {
        for failure in FAILURES {
            assert_eq!(flow_sync(failure).unwrap(), 7);
            assert_eq!(flow_sync.submit(failure).wait().name(), "Completed");
            let run = flow_async.submit(failure);
            assert_eq!(run.result().unwrap(), 7);
            assert_eq!(run.wait().name(), "Completed");
        }
    });
}

#[test]
fn a_failing_upstream_leaves_the_downstream_not_ready_and_never_called() {
    each_runtime(|_| {
        for failure in FAILURES {
            let calls = Arc::new(AtomicU32::new(0));
            let runs = [
                count.submit(calls.clone(), failure(3)),
                count_async.submit(calls.clone(), failure(3)),
                count.bind(calls.clone(), 1).wait_for(&failure(3)).submit(),
                count_async.bind(calls.clone(), 1).wait_for(&failure(3)).submit(),
            ];
            for run in runs {
                let error = run.result().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::NotReady);
                assert_eq!(error.downcast_ref::<OwnError>(), Some(&OwnError(3)), "{error:#}");
                let state = run.wait();
                assert_eq!((state.kind(), state.name()), (StateType::Pending, "NotReady"));
                assert_eq!(names(&run.states()), ["Pending", "NotReady"]);
            }
            assert_eq!(calls.load(Ordering::SeqCst), 0);
        }
    });
}

#[test]
fn a_run_that_is_not_ready_fails_its_own_downstreams_too() {
    let gate = Gate::new();
    #[task]
    fn fail_behind(gate: Gate) -> Result<u32, OwnError> {
        gate.pass();
        Err(OwnError(9))
    }
    let first = fail_behind.submit(gate.clone());
    let last = double.submit(double_async.submit(double.submit(first)));
    gate.open();
    let error = last.result().unwrap_err();
    assert_eq!((error.kind(), last.wait().name()), (ErrorKind::NotReady, "NotReady"));
    assert!(error.is::<OwnError>());
}

#[test]
fn a_downstream_gets_the_upstreams_value() {
    each_runtime(|_| {
        for double_first in [|| double.submit(4), || double_async.submit(4)] {
            assert_eq!(double.submit(double_first()).result().unwrap(), 16);
            assert_eq!(double_async.submit(double_first()).result().unwrap(), 16);
            let shared = double_first();
            let (a, b) = (double.submit(&shared), double_async.submit(&shared));
            assert_eq!(
                (a.result().unwrap(), b.result().unwrap(), shared.result().unwrap()),
                (16, 16, 8)
            );
        }
    });
}

#[test]
fn a_downstream_starts_only_when_its_upstream_has_ended() {
    for submit in BEHIND {
        let gate = Gate::new();
        let first = submit(&gate, 5);
        let second = double.submit(&first);
        assert_eq!(second.state().name(), "Pending");
        gate.open();
        assert_eq!(second.result().unwrap(), 10);
        let (upstream, downstream) = (first.states(), second.states());
        assert!(
            downstream[1].timestamp() > upstream[2].timestamp(),
            "{upstream:?} {downstream:?}"
        );
    }
}

#[test]
fn wait_for_gates_without_passing_data_and_may_be_repeated() {
    each_runtime(|_| {
        for submit in BEHIND {
            let (gate, calls) = (Gate::new(), Arc::new(AtomicU32::new(0)));
            let (one, two) = (submit(&gate, 1), submit(&gate, 2));
            let runs = [
                count.bind(calls.clone(), 3).wait_for(&one).wait_for(&two).submit(),
                count_async
                    .bind(calls.clone(), 3)
                    .wait_for(&one)
                    .wait_for(&two)
                    .submit(),
            ];
            assert_eq!(calls.load(Ordering::SeqCst), 0);
            assert!(runs.iter().all(|run| run.state().name() == "Pending"));
            gate.open();
            for run in &runs {
                assert_eq!(run.result().unwrap(), 3);
                assert!(run.states()[1].timestamp() > one.states()[2].timestamp());
            }
        }
    });
}

#[test]
fn dependencies_are_told_in_the_context() {
    #[task]
    fn told(_x: u32) -> Vec<flowcore::RunId> {
        flowcore::context().unwrap().dependencies().to_vec()
    }
    let gate = Gate::new();
    let (input, other) = (behind.submit(gate.clone(), 1), behind_async.submit(gate.clone(), 2));
    let run = told.bind(&input).wait_for(&other).submit();
    gate.open();
    assert_eq!(run.result().unwrap(), [input.run_id(), other.run_id()]);
}

type Own = Arc<Mutex<Option<RunFuture<u32>>>>;

#[test]
fn a_run_that_waits_for_itself_is_told_instead_of_hanging() {
    #[flow]
    fn waits_for_itself(own: Own, begun: Gate) -> flowcore::Result<u32> {
        begun.pass();
        let own = own.lock().unwrap().take().unwrap();
        own.result()
    }
    #[flow]
    async fn awaits_itself(own: Own, begun: Gate) -> flowcore::Result<u32> {
        begun.passed().await;
        let own = own.lock().unwrap().take().unwrap();
        own.await
    }
    #[task]
    fn waits(run: Own) -> flowcore::Result<u32> {
        let run = run.lock().unwrap().take().unwrap();
        run.result()
    }
    #[flow]
    async fn waits_below(own: Own, begun: Gate) -> flowcore::Result<u32> {
        begun.passed().await;
        waits.submit(own).await
    }
    type Submit = fn(Own, Gate) -> RunFuture<u32>;
    let cases: [(&str, Submit); 3] = [
        ("sync", |own, gate| waits_for_itself.submit(own, gate)),
        ("async", |own, gate| awaits_itself.submit(own, gate)),
        ("a task that waits for the flow that waits for it", |own, gate| {
            waits_below.submit(own, gate)
        }),
    ];
    for (what, submit) in cases {
        let error = in_time(what, move || {
            let (own, begun) = (Own::default(), Gate::new());
            let run = submit(own.clone(), begun.clone());
            *own.lock().unwrap() = Some(run.clone());
            begun.open();
            run.result().unwrap_err()
        });
        assert!(error.to_string().contains("deadlock"), "{what}: {error}");
    }
}

#[test]
fn result_timeout_is_an_error_and_wait_timeout_is_quiet() {
    each_runtime(|runtime| {
        for submit in BEHIND {
            let gate = Gate::new();
            let run = submit(&gate, 8);
            assert!(!run.wait_timeout(Duration::from_millis(5)).is_terminal());
            let error = run.result_timeout(Duration::from_millis(5)).unwrap_err();
            if runtime == flowcore_tests::Runtime::CurrentThread && error.kind() == ErrorKind::Runner {
                continue;
            }
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!((error.run_path(), run.state().is_terminal()), ("", false));
            gate.open();
            assert_eq!(run.result().unwrap(), 8);
        }
    });
}

#[test]
fn a_wait_of_no_time_at_all_and_one_of_all_time_work() {
    let gate = Gate::new();
    let run = behind.submit(gate.clone(), 1);
    assert_eq!(
        run.result_timeout(Duration::ZERO).unwrap_err().kind(),
        ErrorKind::TimedOut
    );
    gate.open();
    assert_eq!(run.result_timeout(Duration::MAX).unwrap(), 1);
    assert_eq!(run.result_timeout(Duration::ZERO).unwrap(), 1);
}

#[test]
fn result_gives_the_bodys_own_error() {
    each_runtime(|_| {
        for failure in FAILURES {
            let run = failure(11);
            for _ in 0..2 {
                let error = run.result().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Failed);
                assert_eq!(error.downcast_ref::<OwnError>(), Some(&OwnError(11)));
                assert_eq!(error.run_id(), Some(run.run_id()));
            }
        }
    });
}

#[test]
fn a_timeout_error_of_the_body_is_not_taken_for_the_waits_own() {
    #[task]
    fn raises() -> Result<(), std::io::Error> {
        Err(std::io::ErrorKind::TimedOut.into())
    }
    #[task]
    fn passes_on() -> flowcore::Result<u32> {
        behind.submit(Gate::new(), 1).result_timeout(Duration::from_millis(1))
    }
    let run = raises.submit();
    let error = run.result_timeout(Duration::from_secs(60)).unwrap_err();
    assert_eq!((error.kind(), run.wait().name()), (ErrorKind::Failed, "Failed"));
    assert!(error.is::<std::io::Error>());
    // The wait's timeout, returned by a body, is that body's failure and not a timeout of its run.
    #[flow]
    fn outer(gate: Gate) -> flowcore::Result<u32> {
        let run = behind.submit(gate.clone(), 1);
        let result = run.result_timeout(Duration::from_millis(1));
        gate.open();
        result
    }
    let run = outer.submit(Gate::new());
    assert_eq!(run.wait().name(), "Failed");
    let _ = passes_on;
}

#[test]
fn a_list_fails_as_soon_as_one_fails_even_if_an_earlier_one_is_slow() {
    each_runtime(|runtime| {
        if runtime == flowcore_tests::Runtime::CurrentThread {
            return;
        }
        for failure in FAILURES {
            for submit in BEHIND {
                let gate = Gate::new();
                let runs: RunFutures<u32> = [submit(&gate, 1), failure(2), submit(&gate, 3)].into_iter().collect();
                let error = runs.result().unwrap_err();
                assert_eq!(error.downcast_ref::<OwnError>(), Some(&OwnError(2)));
                assert!(!runs.iter().next().unwrap().state().is_terminal());
                gate.open();
            }
        }
    });
}

#[tokio::test]
async fn an_awaited_list_fails_as_soon_as_one_fails() {
    for failure in FAILURES {
        for submit in BEHIND {
            let gate = Gate::new();
            let runs: RunFutures<u32> = [submit(&gate, 1), double_async.submit(1), failure(2)]
                .into_iter()
                .collect();
            let error = runs.await.unwrap_err();
            assert_eq!(error.downcast_ref::<OwnError>(), Some(&OwnError(2)));
            gate.open();
        }
    }
}

#[test]
fn a_list_keeps_the_order_of_its_inputs_whatever_ends_first() {
    for submit in BEHIND {
        for last_first in [false, true] {
            let values = in_time("order", move || {
                let gates: Vec<Gate> = (0..5).map(|_| Gate::new()).collect();
                let runs: RunFutures<u32> = gates.iter().zip(0..).map(|(gate, n)| submit(gate, n)).collect();
                let watched: Vec<_> = runs.iter().cloned().collect();
                std::thread::spawn(move || {
                    let mut order: Vec<_> = gates.into_iter().zip(watched).collect();
                    if last_first {
                        order.reverse();
                    }
                    for (gate, run) in order {
                        gate.open();
                        run.wait();
                    }
                });
                runs.result().unwrap()
            });
            assert_eq!(values, [0, 1, 2, 3, 4]);
        }
    }
}

#[test]
fn a_future_twice_in_a_list_fills_each_position() {
    let run = double.submit(2);
    let other = double_async.submit(3);
    let runs: RunFutures<u32> = [&run, &other, &run, &run].into_iter().cloned().collect();
    assert_eq!(runs.result().unwrap(), [4, 6, 4, 4]);
    assert_eq!(runs.into_result().unwrap(), [4, 6, 4, 4]);
}

#[test]
fn as_completed_yields_in_the_order_of_completion() {
    for submit in BEHIND {
        let order = in_time("as_completed", move || {
            let gates: Vec<Gate> = (0..4).map(|_| Gate::new()).collect();
            let runs: Vec<_> = gates.iter().zip(0..).map(|(gate, n)| submit(gate, n)).collect();
            let mut next = vec![3_usize, 1, 0, 2].into_iter();
            gates[next.next().unwrap()].open();
            let mut order = Vec::new();
            for run in as_completed(runs) {
                order.push(run.result().unwrap());
                if let Some(next) = next.next() {
                    gates[next].open();
                }
            }
            order
        });
        assert_eq!(order, [3, 1, 0, 2]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_completed_is_a_stream_too() {
    for submit in BEHIND {
        let gates: Vec<Gate> = (0..3).map(|_| Gate::new()).collect();
        let mut runs = as_completed(gates.iter().zip(0..).map(|(gate, n)| submit(gate, n)));
        let mut order = Vec::new();
        for next in [2_usize, 0, 1] {
            gates[next].open();
            order.push(StreamExt::next(&mut runs).await.unwrap().await.unwrap());
        }
        assert_eq!(order, [2, 0, 1]);
        assert!(StreamExt::next(&mut runs).await.is_none());
    }
}

#[test]
fn a_result_that_can_be_cloned_may_be_asked_for_by_many_at_once() {
    for submit in BEHIND {
        let gate = Gate::new();
        let run = submit(&gate, 77);
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let run = run.clone();
                std::thread::spawn(move || run.result().unwrap())
            })
            .collect();
        gate.open();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == 77));
    }
}

#[test]
fn a_result_that_cannot_be_cloned_is_given_once() {
    #[derive(Debug, PartialEq)]
    struct Unique(u32);
    #[task]
    fn unique() -> Unique {
        Unique(5)
    }
    let run = unique.submit();
    assert_eq!(run.result().unwrap(), Unique(5));
    let error = run.result().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Runner);
    assert!(error.to_string().contains("taken before"), "{error}");
}

#[test]
fn submit_works_outside_of_a_flow_and_the_run_is_a_root() {
    #[task]
    fn root() -> (u32, Option<flowcore::RunId>) {
        let run = flowcore::context().unwrap();
        (run.depth(), run.parent_id())
    }
    each_runtime(|_| assert_eq!(root.submit().result().unwrap(), (0, None)));
}
