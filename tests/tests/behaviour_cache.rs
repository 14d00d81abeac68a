//! Results kept for later runs: `cache_key_fn` and `cache_expiration`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use flowcore::prelude::*;
use flowcore_tests::names;

fn by_parameters(run: &RunContext) -> Option<String> {
    run.parameters().map(str::to_owned)
}

#[test]
fn equal_inputs_are_answered_from_the_cache_and_the_body_is_not_called() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    #[task(cache_key_fn = by_parameters)]
    fn square(x: u64) -> u64 {
        CALLS.fetch_add(1, Ordering::SeqCst);
        x * x
    }
    let first = square.submit(7_u64);
    assert_eq!(first.result().unwrap(), 49);
    assert_eq!(names(&first.states()), ["Pending", "Running", "Completed"]);
    let second = square.submit(7_u64);
    assert_eq!(second.result().unwrap(), 49);
    assert_eq!(names(&second.states()), ["Pending", "Cached"]);
    assert!(second.state().is_completed());
    assert_eq!(square(7).unwrap(), 49);
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
    assert_eq!(square(8).unwrap(), 64);
    assert_eq!(square.submit(8_u64).result().unwrap(), 64);
    assert_eq!(CALLS.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_async_task_is_cached_too() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    #[task(cache_key_fn = |_| "always".to_owned())]
    async fn once(word: &str) -> String {
        CALLS.fetch_add(1, Ordering::SeqCst);
        word.to_owned()
    }
    assert_eq!(once("first").await.unwrap(), "first");
    assert_eq!(once("second").await.unwrap(), "first");
    assert_eq!(once.submit("third").await.unwrap(), "first");
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}

#[test]
fn a_result_that_has_expired_is_made_again() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    #[task(cache_key_fn = by_parameters, cache_expiration = 0.001)]
    fn stamp(x: u32) -> u32 {
        x + CALLS.fetch_add(1, Ordering::SeqCst)
    }
    assert_eq!(stamp(10).unwrap(), 10);
    let made = Instant::now();
    while made.elapsed() < Duration::from_millis(2) {
        std::hint::spin_loop();
    }
    assert_eq!(stamp(10).unwrap(), 11);
}

#[test]
fn no_key_a_failing_key_function_and_a_failed_run_cache_nothing() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    #[task(cache_key_fn = |_| None::<String>)]
    fn keyless() {
        CALLS.fetch_add(1, Ordering::SeqCst);
    }
    #[task(cache_key_fn = |_| -> String { panic!("no key") })]
    fn unlucky() {
        CALLS.fetch_add(1, Ordering::SeqCst);
    }
    #[task(cache_key_fn = |_| "fails".to_owned())]
    fn fails() -> Result<(), String> {
        CALLS.fetch_add(1, Ordering::SeqCst);
        Err("no".into())
    }
    for _ in 0..2 {
        keyless().unwrap();
        unlucky.submit().result().unwrap();
        fails.submit().result().unwrap_err();
    }
    assert_eq!(CALLS.load(Ordering::SeqCst), 6);
}

#[test]
fn tasks_do_not_share_keys() {
    #[task(cache_key_fn = |_| "same".to_owned())]
    fn one() -> u32 {
        1
    }
    #[task(cache_key_fn = |_| "same".to_owned())]
    fn two() -> u32 {
        2
    }
    assert_eq!((one().unwrap(), two().unwrap(), one().unwrap()), (1, 2, 1));
}

#[test]
fn a_cached_run_gives_its_slot_back() {
    #[task(cache_key_fn = |_| "slot".to_owned())]
    fn cheap(x: u32) -> u32 {
        x
    }
    #[flow(task_runner = SequentialTaskRunner)]
    fn many() -> flowcore::Result<Vec<u32>> {
        cheap.submit(5_u32).result()?;
        cheap.map(0..100).result()
    }
    assert_eq!(many().unwrap(), [5; 100]);
}

#[test]
fn a_retried_run_keeps_its_parameters_and_is_cached_in_the_end() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    #[task(retries = 2, cache_key_fn = by_parameters)]
    fn third_time(x: String) -> Result<String, String> {
        if CALLS.fetch_add(1, Ordering::SeqCst) < 2 {
            Err("not yet".into())
        } else {
            Ok(x)
        }
    }
    assert_eq!(third_time.submit("lucky").result().unwrap(), "lucky");
    assert_eq!(third_time.submit("lucky").wait().name(), "Cached");
    assert_eq!(CALLS.load(Ordering::SeqCst), 3);
}
