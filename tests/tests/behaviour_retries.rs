//! Retries, their waits and conditions; backoff without panics.
//!
//! Left out: retries of a task that returns a hand-made state (a body returns values and errors only), and more than 50 delays being
//! an error (a list may be of any length here).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flowcore::ErrorKind;
use flowcore::prelude::*;
use flowcore_tests::{each_runtime, in_time, names};

/// A body that succeeds at the attempt `good`, and counts.
type Calls = Arc<AtomicU32>;

fn attempt(calls: &Calls, good: u32) -> Result<u32, String> {
    let n = calls.fetch_add(1, Ordering::SeqCst) + 1;
    assert_eq!(flowcore::context().unwrap().attempt(), n);
    if n == good { Ok(n) } else { Err(format!("attempt {n}")) }
}

#[task(retries = 3)]
fn sync_task(calls: Calls, good: u32) -> Result<u32, String> {
    attempt(&calls, good)
}

#[task(retries = 3)]
async fn async_task(calls: Calls, good: u32) -> Result<u32, String> {
    tokio::task::yield_now().await;
    attempt(&calls, good)
}

#[flow(retries = 3)]
fn sync_flow(calls: Calls, good: u32) -> Result<u32, String> {
    attempt(&calls, good)
}

#[flow(retries = 3)]
async fn async_flow(calls: Calls, good: u32) -> Result<u32, String> {
    tokio::task::yield_now().await;
    attempt(&calls, good)
}

#[task(retries = 3)]
fn panicking_task(calls: Calls, good: u32) -> u32 {
    attempt(&calls, good).unwrap()
}

#[task(retries = 3)]
async fn panicking_async_task(calls: Calls, good: u32) -> u32 {
    tokio::task::yield_now().await;
    attempt(&calls, good).unwrap()
}

type Bind = fn(&Calls, u32) -> flowcore::Call<u32>;

const KINDS: [(&str, Bind); 6] = [
    ("sync task", |calls, good| sync_task.bind(calls.clone(), good)),
    ("async task", |calls, good| async_task.bind(calls.clone(), good)),
    ("sync flow", |calls, good| sync_flow.bind(calls.clone(), good)),
    ("async flow", |calls, good| async_flow.bind(calls.clone(), good)),
    ("panicking task", |calls, good| panicking_task.bind(calls.clone(), good)),
    ("panicking async task", |calls, good| {
        panicking_async_task.bind(calls.clone(), good)
    }),
];

#[test]
fn three_retries_without_a_wait_are_four_bodies_and_only_as_many_as_needed() {
    let cases: [(u32, u32, &[&str]); 5] = [
        (1, 1, &["Pending", "Running", "Completed"]),
        (2, 2, &["Pending", "Running", "Retrying", "Completed"]),
        (3, 3, &["Pending", "Running", "Retrying", "Retrying", "Completed"]),
        (
            4,
            4,
            &["Pending", "Running", "Retrying", "Retrying", "Retrying", "Completed"],
        ),
        (
            99,
            4,
            &["Pending", "Running", "Retrying", "Retrying", "Retrying", "Failed"],
        ),
    ];
    for (what, bind) in KINDS {
        for (good, bodies, expected) in cases {
            in_time(what, move || {
                let calls = Calls::default();
                let run = bind(&calls, good).submit();
                run.wait();
                assert_eq!(names(&run.states()), expected, "{what}, good at {good}");
                assert_eq!(calls.load(Ordering::SeqCst), bodies, "{what}, good at {good}");
                assert_eq!(run.result().is_ok(), good == bodies, "{what}, good at {good}");
            });
        }
    }
}

#[test]
fn with_a_wait_the_run_awaits_its_retry_between_the_attempts() {
    let failed = [
        "Pending",
        "Running",
        "AwaitingRetry",
        "Retrying",
        "AwaitingRetry",
        "Retrying",
        "AwaitingRetry",
        "Retrying",
        "Failed",
    ];
    for (what, bind) in KINDS {
        each_runtime(move |runtime| {
            let calls = Calls::default();
            let run = bind(&calls, 99).retry_delay(0.001).submit();
            if runtime == flowcore_tests::Runtime::CurrentThread {
                return run.cancel();
            }
            run.wait();
            assert_eq!(names(&run.states()), failed, "{what}");
            assert_eq!(calls.load(Ordering::SeqCst), 4);
        });
    }
}

#[test]
fn a_direct_call_retries_as_well() {
    each_runtime(|_| {
        let calls = Calls::default();
        assert_eq!(sync_task(calls.clone(), 4).unwrap(), 4);
        let calls = Calls::default();
        let error = sync_flow(calls.clone(), 9).unwrap_err();
        assert_eq!((error.kind(), calls.load(Ordering::SeqCst)), (ErrorKind::Failed, 4));
        let calls = Calls::default();
        let error = panicking_task(calls.clone(), 9).unwrap_err();
        assert_eq!((error.kind(), calls.load(Ordering::SeqCst)), (ErrorKind::Panicked, 4));
    });
}

/// How long a call slept in all, on a clock that only sleeping moves.
fn slept(call: impl FnOnce() -> flowcore::Call<u32>) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let start = tokio::time::Instant::now();
        call().await.unwrap_err();
        start.elapsed().as_secs_f64()
    })
}

#[test]
fn a_list_of_delays_shorter_than_the_retries_repeats_its_last_value() {
    #[task(retries = 3, retry_delay_seconds = [1, 2])]
    async fn listed(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    #[task(retries = 3, retry_delay_seconds = exponential_backoff(10))]
    async fn doubled(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    #[task(retries = 3, retry_delay_seconds = |attempt: u32| Duration::from_secs(u64::from(attempt) * 100))]
    async fn computed(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    #[task(retries = 3, retry_delay_seconds = 0.25)]
    async fn fraction(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    type Make = fn() -> flowcore::Call<u32>;
    let cases: [(&str, Make, f64); 4] = [
        ("[1, 2] -> 1, 2, 2", || listed(Calls::default()), 5.0),
        ("10, 20, 40", || doubled(Calls::default()), 70.0),
        ("100, 200, 300", || computed(Calls::default()), 600.0),
        ("three quarters", || fraction(Calls::default()), 0.75),
    ];
    for (what, make, seconds) in cases {
        let slept = in_time(what, move || slept(make));
        // A timer's grain is a millisecond, once per wait. No wait follows the last attempt.
        assert!(slept >= seconds && slept < seconds + 0.01, "{what}: slept {slept}");
    }
}

#[test]
fn jitter_stretches_the_wait_within_its_bounds() {
    #[task(retries = 1, retry_delay_seconds = 100, retry_jitter_factor = 0.5)]
    async fn jittered(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    let slept: Vec<f64> = in_time("jitter", || {
        (0..20).map(|_| slept(|| jittered(Calls::default()))).collect()
    });
    assert!(slept.iter().all(|slept| (100.0..=150.01).contains(slept)), "{slept:?}");
    assert!(slept.iter().any(|slept| *slept > 100.1), "{slept:?}");
}

#[test]
fn absurd_delays_neither_panic_nor_wait_where_there_is_no_number() {
    #[task(retries = 2, retry_delay_seconds = exponential_backoff(f64::NAN))]
    fn not_a_number(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    #[task(retries = 2, retry_delay_seconds = |_attempt: u32| -> Duration { panic!("no delay") })]
    fn panics(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    for (what, submit) in [
        (
            "NaN",
            (|calls| not_a_number.submit(calls)) as fn(Calls) -> RunFuture<u32>,
        ),
        ("a panic", |calls| panics.submit(calls)),
    ] {
        let calls = Calls::default();
        let run = submit(calls.clone());
        assert_eq!(in_time(what, move || run.wait().name()), "Failed", "{what}");
        assert_eq!(calls.load(Ordering::SeqCst), 3, "{what}");
    }
    #[task(retries = 2, retry_delay_seconds = exponential_backoff(f64::MAX))]
    fn for_ever(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    #[task(retries = 2, retry_delay_seconds = exponential_backoff(1e18))]
    async fn for_ever_async(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    for submit in [
        (|calls| for_ever.submit(calls)) as fn(Calls) -> RunFuture<u32>,
        |calls| for_ever_async.submit(calls),
    ] {
        let run = submit(Calls::default());
        in_time("huge", move || {
            while run.state().name() != "AwaitingRetry" {
                std::thread::yield_now();
            }
            run.cancel();
            assert_eq!(run.wait().name(), "Cancelled");
        });
    }
}

#[test]
fn the_condition_is_given_the_run_and_its_failed_state_and_false_stops_retries() {
    fn only_first(run: &RunContext, state: &State) -> bool {
        assert_eq!(run.definition().name(), "conditional");
        assert_eq!((state.kind(), state.name()), (StateType::Failed, "Failed"));
        run.attempt() == 1
    }
    #[task(retries = 5, retry_condition_fn = only_first)]
    fn conditional(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    #[task(retries = 5, retry_condition_fn = |error| error.message() != "attempt 3")]
    async fn by_error(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    #[task(retries = 5, retry_condition_fn = |_error| panic!("no opinion"))]
    fn no_opinion(calls: Calls) -> Result<u32, String> {
        attempt(&calls, 99)
    }
    type Submit = fn(Calls) -> RunFuture<u32>;
    let cases: [(&str, Submit, u32); 3] = [
        ("run and state", |calls| conditional.submit(calls), 2),
        ("error", |calls| by_error.submit(calls), 3),
        (
            "a condition that panics stops retries",
            |calls| no_opinion.submit(calls),
            1,
        ),
    ];
    for (what, submit, bodies) in cases {
        let calls = Calls::default();
        let run = submit(calls.clone());
        assert_eq!(run.wait().name(), "Failed", "{what}");
        assert_eq!(calls.load(Ordering::SeqCst), bodies, "{what}");
    }
}

#[test]
fn a_call_may_set_its_own_retries() {
    for (what, bind) in KINDS {
        for retries in [0, 1, 7] {
            let calls = Calls::default();
            bind(&calls, 99).retries(retries).run().unwrap_err();
            assert_eq!(calls.load(Ordering::SeqCst), retries + 1, "{what}");
        }
    }
}

#[test]
fn retries_of_parameters_that_cannot_be_cloned_are_refused_before_the_body_is_called() {
    struct Unique(Calls);
    #[task]
    fn unique(token: Unique) -> Result<u32, String> {
        attempt(&token.0, 99)
    }
    let calls = Calls::default();
    let run = unique.bind(Unique(calls.clone())).retries(1).submit();
    let error = run.result().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameters);
    assert!(error.to_string().contains("token"), "{error}");
    assert_eq!(names(&run.states()), ["Pending", "Failed"]);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn a_flows_retry_gives_its_children_a_fresh_budget() {
    #[task(retries = 1)]
    fn child(calls: Calls) -> Result<u32, String> {
        calls.fetch_add(1, Ordering::SeqCst);
        Err("no".to_owned())
    }
    #[flow(retries = 1)]
    fn parent(calls: Calls) -> flowcore::Result<u32> {
        child.submit(calls).result()
    }
    #[flow(retries = 1)]
    async fn parent_async(calls: Calls) -> flowcore::Result<u32> {
        child.submit(calls).await
    }
    for submit in [(|calls| parent.submit(calls)) as fn(Calls) -> RunFuture<u32>, |calls| {
        parent_async.submit(calls)
    }] {
        let calls = Calls::default();
        submit(calls.clone()).result().unwrap_err();
        assert_eq!(calls.load(Ordering::SeqCst), 4);
    }
}

#[test]
fn the_idempotency_key_is_one_for_all_attempts_and_of_no_other_run() {
    #[task(retries = 2)]
    fn keys(seen: Arc<Mutex<Vec<String>>>) -> Result<(), String> {
        seen.lock()
            .unwrap()
            .push(flowcore::context().unwrap().idempotency_key());
        Err("again".to_owned())
    }
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    for _ in 0..2 {
        keys.submit(seen.clone()).result().unwrap_err();
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 6);
    assert!(seen[..3].iter().all(|key| *key == seen[0]) && seen[3..].iter().all(|key| *key == seen[3]));
    assert_ne!(seen[0], seen[3]);
}
