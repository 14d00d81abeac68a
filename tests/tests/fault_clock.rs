//! A wall clock that jumps by a day, forth and back, under runs at work. Time as such goes on evenly.
//!
//! The jump is real to everything in this process that asks the C library for the time, as the standard library does.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "stands in for a function of the C library")]

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flowcore::ErrorKind;
use flowcore::observe::{Observation, Observer, observe};
use flowcore::prelude::*;
use flowcore_tests::{Gate, LIMIT, Recorder, Runtime, in_time, names};

const DAY: i64 = 24 * 60 * 60;

/// By how many seconds the wall clock is wrong.
static JUMP: AtomicI64 = AtomicI64::new(0);
/// There is one clock, and each test turns it.
static CLOCK: Mutex<()> = Mutex::new(());

/// Taken by the linker in place of the C library's.
///
/// # Safety
/// As that one: `time` points to a `timespec`.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> libc::c_int {
    // SAFETY: the system call takes what this function was given.
    let failed = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) };
    if failed != 0 {
        return -1;
    }
    if clock == libc::CLOCK_REALTIME {
        // SAFETY: the system call has just written there.
        unsafe { (*time).tv_sec += JUMP.load(Ordering::SeqCst) };
    }
    0
}

fn jump_to(seconds: i64) {
    JUMP.store(seconds, Ordering::SeqCst);
}

fn wall_nanos() -> i128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i128::try_from(now.as_nanos()).unwrap()
}

/// Calls `code` with the clock to itself, in a plain `main` and in tokio's, within the limit.
fn with_clock(code: fn()) {
    let _clock = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
    for runtime in [Runtime::None, Runtime::MultiThread] {
        jump_to(0);
        in_time("under a jumping clock", move || runtime.enter(code));
    }
    jump_to(0);
}

fn nanos(state: &State) -> i128 {
    state.timestamp().as_nanosecond()
}

#[test]
fn the_clock_of_this_process_can_be_turned() {
    let _clock = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
    jump_to(0);
    let before = wall_nanos();
    jump_to(DAY);
    let ahead = wall_nanos() - before;
    jump_to(0);
    assert!(ahead >= i128::from(DAY) * 1_000_000_000, "{ahead}");
}

#[task]
fn at_first() {}

#[task]
fn after(day: i64) -> i64 {
    day
}

#[task(retries = 1)]
fn jumps_and_fails_once() -> Result<(), String> {
    jump_to(-DAY);
    match flowcore::context().unwrap().attempt() {
        1 => Err("again".to_owned()),
        _ => Ok(()),
    }
}

#[flow]
fn through_jumps() -> flowcore::Result<flowcore::RunId> {
    at_first.submit().result()?;
    jump_to(DAY);
    after.submit(1).result()?;
    jumps_and_fails_once.submit().result()?;
    after.submit(-1).result()?;
    jump_to(0);
    Ok(flowcore::context().unwrap().run_id())
}

#[test]
fn a_tree_of_runs_keeps_the_clock_that_it_was_born_with() {
    with_clock(|| {
        let recorder = Recorder::start();
        let began = wall_nanos();
        let root = through_jumps().unwrap();
        let seen = recorder.tree(root);
        assert_eq!(seen.len(), 3 + 3 * 3 + 4, "{seen:?}");

        // No run's states are out of order, and no wait counts as a day.
        let limit = i128::try_from(LIMIT.as_nanos()).unwrap();
        let ids: std::collections::BTreeSet<_> = seen.iter().map(|(run, _)| run.run_id()).collect();
        for id in &ids {
            let of_run = seen.iter().filter(|(run, _)| run.run_id() == *id);
            let times: Vec<i128> = of_run.map(|(_, state)| nanos(state)).collect();
            assert!(times.is_sorted_by(|a, b| a < b), "{seen:?}");
        }
        for (_, state) in &seen {
            let since = nanos(state) - began;
            assert!((-limit..limit).contains(&since), "{since} {seen:?}");
        }
        // One after the other: so do their states come, whichever run they are of, and their ids.
        assert!(seen.is_sorted_by_key(|(_, state)| nanos(state)), "{seen:?}");
        let first_seen = seen.iter().filter(|(_, state)| state.name() == "Pending");
        assert!(first_seen.map(|(run, _)| run.run_id()).is_sorted(), "{seen:?}");
    });
}

#[test]
fn runs_begun_after_a_jump_go_by_the_new_time() {
    with_clock(|| {
        for day in [1, -1, 0] {
            jump_to(day * DAY);
            let now = wall_nanos();
            let run = after.submit(day);
            run.result().unwrap();
            let limit = i128::try_from(LIMIT.as_nanos()).unwrap();
            for state in run.states() {
                let since = nanos(&state) - now;
                assert!((-limit..limit).contains(&since), "day {day}: {since}");
            }
        }
    });
}

#[task(timeout_seconds = 3600)]
async fn at_gate(running: Gate, gate: Gate) {
    running.open();
    gate.passed().await;
}

#[task(timeout_seconds = 0.02)]
async fn forever() {
    std::future::pending::<()>().await;
}

static REFUSED: AtomicU32 = AtomicU32::new(0);

#[task(retries = 1, retry_delay_seconds = 3600)]
fn once_an_hour() -> Result<(), String> {
    REFUSED.fetch_add(1, Ordering::SeqCst);
    Err("not now".to_owned())
}

#[task(retries = 1, retry_delay_seconds = 0.02)]
fn soon_again() -> Result<(), String> {
    match flowcore::context().unwrap().attempt() {
        1 => {
            jump_to(-DAY);
            Err("not yet".to_owned())
        }
        _ => Ok(()),
    }
}

/// Opens its gate when a run of that name enters that state.
struct Opens(&'static str, &'static str, Gate);

impl Opens {
    fn when(name: &'static str, state: &'static str) -> (Gate, Observation) {
        let gate = Gate::new();
        (gate.clone(), observe(Arc::new(Self(name, state, gate))))
    }
}

impl Observer for Opens {
    fn on_state(&self, run: &RunContext, state: &State) {
        if (run.definition().name(), state.name()) == (self.0, self.1) {
            self.2.open();
        }
    }
}

#[test]
fn a_jump_ahead_brings_no_timeout_and_no_retry_forward() {
    with_clock(|| {
        REFUSED.store(0, Ordering::SeqCst);
        let (gate, running) = (Gate::new(), Gate::new());
        let (awaits, _watch) = Opens::when("once_an_hour", "AwaitingRetry");
        let held = at_gate.submit(running.clone(), gate.clone());
        let waiting = once_an_hour.submit();
        running.pass();
        awaits.pass();
        jump_to(DAY);
        // Timers set after the others have fired, so whatever the jump made due would have too.
        assert_eq!(forever.submit().result().unwrap_err().kind(), ErrorKind::TimedOut);
        let told = waiting.result_timeout(Duration::from_millis(20)).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::TimedOut);
        assert_eq!(names(&waiting.states()), ["Pending", "Running", "AwaitingRetry"]);
        assert_eq!(REFUSED.load(Ordering::SeqCst), 1);
        assert_eq!(held.state().name(), "Running");
        gate.open();
        held.result().unwrap();
        waiting.cancel();
        assert_eq!(waiting.wait().name(), "Cancelled");
    });
}

#[test]
fn a_jump_back_puts_no_timeout_and_no_retry_off() {
    with_clock(|| {
        let run = soon_again.submit();
        run.result().unwrap();
        let expected = ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"];
        assert_eq!(names(&run.states()), expected);

        let (gate, running) = (Gate::new(), Gate::new());
        let held = at_gate.submit(running.clone(), gate.clone());
        let limited = forever.submit();
        running.pass();
        jump_to(-2 * DAY);
        assert_eq!(limited.result().unwrap_err().kind(), ErrorKind::TimedOut);
        let told = held.result_timeout(Duration::from_millis(20)).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::TimedOut);
        gate.open();
        held.result().unwrap();
    });
}
