//! States, their times, hooks, timeouts and panics.
//!
//! Left out: an interrupt inside of a body as an exception (signals end the process: see `fault_signals.rs`), run counts beyond
//! `attempt`, total run times, and the limits by tag.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use flowcore::ErrorKind;
use flowcore::prelude::*;
use flowcore_tests::{Gate, Recorder, each_runtime, in_time, names};

/// What hooks have seen, by the name of the run.
static SEEN: LazyLock<Mutex<Vec<(String, String)>>> = LazyLock::new(Mutex::default);

fn saw(run: &RunContext, what: &str) {
    SEEN.lock().unwrap().push((run.run_name(), what.to_owned()));
}

fn seen(run: &str) -> Vec<String> {
    let seen = SEEN.lock().unwrap();
    seen.iter()
        .filter(|(name, _)| name == run)
        .map(|(_, what)| what.clone())
        .collect()
}

fn first(run: &RunContext, state: &State) {
    saw(run, &format!("first {}", state.name()));
}

async fn second(run: &RunContext, state: &State) {
    tokio::task::yield_now().await;
    saw(run, &format!("second {}", state.name()));
}

fn raises(_: &RunContext, _: &State) -> Result<(), String> {
    Err("hook's own".to_owned())
}

fn panics(_: &RunContext, _: &State) {
    panic!("in a hook");
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Well,
    Badly,
    Panic,
}

fn end(attempt_that_succeeds: u32, how: End) -> Result<u32, String> {
    match how {
        _ if flowcore::context().unwrap().attempt() >= attempt_that_succeeds => Ok(1),
        End::Well => Ok(2),
        End::Badly => Err("badly".to_owned()),
        End::Panic => panic!("badly"),
    }
}

#[task(
    retries = 1,
    on_running = [raises, first, panics, second],
    on_completion = [panics, first, raises, second],
    on_failure = [raises, first, panics, second]
)]
fn hooked(good: u32, how: End) -> Result<u32, String> {
    end(good, how)
}

#[flow(
    retries = 1,
    on_running = [raises, first, panics, second],
    on_completion = [panics, first, raises, second],
    on_failure = [raises, first, panics, second]
)]
async fn hooked_async(good: u32, how: End) -> Result<u32, String> {
    tokio::task::yield_now().await;
    end(good, how)
}

#[test]
fn hooks_run_in_order_on_every_attempt_but_failure_hooks_only_on_the_last_and_none_can_break_the_run() {
    let cases: [(u32, End, &[&str], &str); 4] = [
        (
            99,
            End::Well,
            &["first Running", "second Running", "first Completed", "second Completed"],
            "Completed",
        ),
        (
            2,
            End::Badly,
            &[
                "first Running",
                "second Running",
                "first Retrying",
                "second Retrying",
                "first Completed",
                "second Completed",
            ],
            "Completed",
        ),
        (
            99,
            End::Badly,
            &[
                "first Running",
                "second Running",
                "first Retrying",
                "second Retrying",
                "first Failed",
                "second Failed",
            ],
            "Failed",
        ),
        (
            99,
            End::Panic,
            &[
                "first Running",
                "second Running",
                "first Retrying",
                "second Retrying",
                "first Failed",
                "second Failed",
            ],
            "Failed",
        ),
    ];
    type Bind = fn(u32, End) -> flowcore::Call<u32>;
    let binds: [(&str, Bind); 2] = [
        ("sync", |good, how| hooked.bind(good, how)),
        ("async", |good, how| hooked_async.bind(good, how)),
    ];
    for (kind, bind) in binds {
        for (number, (good, how, expected, state)) in cases.into_iter().enumerate() {
            let name = format!("hooks {kind} {number}");
            let run = bind(good, how).name(&name).submit();
            let run = in_time(&name, move || {
                run.wait();
                run
            });
            assert_eq!(run.state().name(), state, "{name}");
            assert_eq!(seen(&name), expected, "{name}");
        }
    }
}

#[test]
fn hooks_of_a_direct_call_have_run_when_it_returns() {
    #[task(run_name = "direct-{n}", on_running = first, on_completion = [first, second])]
    fn direct(n: u32) -> u32 {
        n
    }
    each_runtime(|runtime| {
        let n = runtime as u32;
        direct(n).unwrap();
        assert_eq!(
            seen(&format!("direct-{n}")),
            ["first Running", "first Completed", "second Completed"]
        );
    });
}

#[test]
fn cancellation_hooks_fire_only_for_a_cancelled_run() {
    #[task(on_cancellation = first, on_failure = second, on_completion = second, on_crashed = second)]
    async fn stops(begun: Gate) {
        begun.open();
        std::future::pending::<()>().await;
    }
    let begun = Gate::new();
    let run = stops.bind(begun.clone()).name("stops").submit();
    begun.pass();
    run.cancel();
    assert_eq!(in_time("cancel", move || run.wait().name()), "Cancelled");
    assert_eq!(seen("stops"), ["first Cancelled"]);
}

#[test]
fn failure_hooks_run_for_a_run_with_bad_parameters() {
    struct Unique;
    #[task(on_failure = first)]
    fn unique(_token: Unique) {}
    let run = unique.bind(Unique).name("bad parameters").retries(1).submit();
    assert_eq!(in_time("bad parameters", move || run.wait().name()), "Failed");
    assert_eq!(seen("bad parameters"), ["first Failed"]);
}

#[test]
fn the_result_is_there_when_hooks_of_the_end_have_run_and_a_hook_may_start_runs() {
    #[task]
    fn told(x: u32) -> u32 {
        x
    }
    fn starts(run: &RunContext, _: &State) -> flowcore::Result<()> {
        let x = told.submit(5).result()?;
        saw(run, &format!("told {x}"));
        Ok(())
    }
    #[flow(on_completion = starts)]
    fn starter() {}
    let run = starter.bind().name("starter").submit();
    in_time("a hook that starts a run", move || run.result()).unwrap();
    assert_eq!(seen("starter"), ["told 5"]);
}

#[test]
fn timestamps_strictly_increase_and_the_first_is_pending() {
    #[task(retries = 3)]
    fn often() -> Result<(), String> {
        Err("no".to_owned())
    }
    for run in often.map(std::iter::repeat_n((), 200)) {
        run.wait();
        let states = run.states();
        assert_eq!(states[0].name(), "Pending");
        assert!(
            states.windows(2).all(|pair| pair[0].timestamp() < pair[1].timestamp()),
            "{states:?}"
        );
        assert_eq!(states.iter().filter(|state| state.is_terminal()).count(), 1);
    }
}

#[test]
fn the_first_running_comes_before_the_body_and_the_terminal_state_after_it() {
    #[task]
    fn looks() -> Vec<State> {
        flowcore::context().unwrap().states()
    }
    let run = looks.submit();
    assert_eq!(names(&run.result().unwrap()), ["Pending", "Running"]);
    assert_eq!(names(&run.states()), ["Pending", "Running", "Completed"]);
}

#[test]
fn attempt_is_one_inside_of_the_first_attempt_and_the_parents_own_in_the_parent() {
    #[task]
    fn child() -> (u32, u32) {
        let run = flowcore::context().unwrap();
        (run.attempt(), run.parent().unwrap().attempt())
    }
    #[flow(retries = 1)]
    fn parent() -> Result<(u32, u32), flowcore::Error> {
        let seen = child.submit().result()?;
        if flowcore::context().unwrap().attempt() == 1 {
            Err(flowcore::Error::msg("once more"))
        } else {
            Ok(seen)
        }
    }
    assert_eq!(parent().unwrap(), (1, 2));
    assert_eq!(parent.submit().result().unwrap(), (1, 2));
}

#[test]
fn a_timeout_is_failed_with_the_name_timed_out_and_does_not_crash_the_flow() {
    #[task(timeout_seconds = 0.05)]
    async fn sleeps() {
        std::future::pending::<()>().await;
    }
    #[task(timeout_seconds = 0.05)]
    fn blocks(gate: Gate) {
        gate.pass();
    }
    #[flow]
    fn outer(gate: Gate) -> (Vec<State>, Vec<State>) {
        let (one, two) = (sleeps.submit(), blocks.submit(gate));
        one.wait();
        two.wait();
        (one.states(), two.states())
    }
    let gate = Gate::new();
    let run = outer.submit(gate.clone());
    let (one, two) = in_time("timeouts", move || run.result()).unwrap();
    gate.open();
    for states in [one, two] {
        assert_eq!(names(&states), ["Pending", "Running", "TimedOut"]);
        let last = states.last().unwrap();
        assert_eq!(last.kind(), StateType::Failed);
        assert!(last.message().unwrap().contains("0.05 second(s)"), "{last}");
    }
}

#[test]
fn a_timeout_is_retried_like_a_failure() {
    #[task(timeout_seconds = 0.02, retries = 2)]
    async fn slow_twice() -> u32 {
        match flowcore::context().unwrap().attempt() {
            3 => 3,
            _ => std::future::pending().await,
        }
    }
    let run = slow_twice.submit();
    let run = in_time("slow twice", move || {
        run.wait();
        run
    });
    assert_eq!(
        names(&run.states()),
        ["Pending", "Running", "Retrying", "Retrying", "Completed"]
    );
    assert_eq!(run.result().unwrap(), 3);
}

#[test]
fn a_flows_timeout_stops_it_and_what_it_started() {
    #[task]
    async fn never() {
        std::future::pending::<()>().await;
    }
    #[task]
    fn after(calls: Arc<AtomicU32>) {
        calls.fetch_add(1, Ordering::SeqCst);
    }
    #[flow(timeout_seconds = 0.05)]
    fn sync_flow(calls: Arc<AtomicU32>) -> flowcore::Result<()> {
        let stopped = never.submit().result();
        after.submit(calls.clone()).result().unwrap_err();
        after(calls).unwrap_err();
        stopped
    }
    #[flow(timeout_seconds = 0.05)]
    async fn async_flow(calls: Arc<AtomicU32>) -> flowcore::Result<()> {
        never.submit().await?;
        after.submit(calls).await
    }
    let recorder = Recorder::start();
    let calls = Arc::new(AtomicU32::new(0));
    for run in [sync_flow.submit(calls.clone()), async_flow.submit(calls.clone())] {
        let run = in_time("flow timeout", move || {
            run.wait();
            run
        });
        let error = run.result().unwrap_err();
        assert_eq!((error.kind(), run.state().name()), (ErrorKind::TimedOut, "TimedOut"));
        assert!(
            error.to_string().contains("exceeded its timeout of 0.05 second(s)"),
            "{error}"
        );
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    for run in recorder.runs_of("never") {
        in_time("children end", move || {
            while !run.state().is_terminal() {
                std::thread::yield_now();
            }
            assert_eq!(run.state().name(), "Cancelled");
        });
    }
}

#[test]
fn a_timeout_counts_from_the_start_and_not_while_inputs_are_awaited() {
    #[task]
    fn behind(gate: Gate) -> u32 {
        gate.pass();
        1
    }
    #[flow(timeout_seconds = 0.2)]
    fn quick(x: u32) -> u32 {
        x
    }
    #[flow(timeout_seconds = 0.2)]
    async fn quick_async(x: u32) -> u32 {
        x
    }
    let gate = Gate::new();
    let input = behind.submit(gate.clone());
    let runs = [quick.submit(&input), quick_async.submit(&input)];
    // Longer than the timeouts: the wait itself is what is tried.
    assert!(!runs[0].wait_timeout(Duration::from_millis(300)).is_terminal());
    gate.open();
    for run in runs {
        assert_eq!(run.result().unwrap(), 1);
    }
}

#[test]
fn a_slot_is_free_again_when_its_task_times_out() {
    #[task(timeout_seconds = 0.02)]
    async fn sleeps() {
        std::future::pending::<()>().await;
    }
    #[task]
    fn next() -> u32 {
        1
    }
    #[flow(task_runner = SequentialTaskRunner::new())]
    fn outer() -> flowcore::Result<u32> {
        let stuck = sleeps.map(std::iter::repeat_n((), 5));
        let done = next.submit().result();
        assert!(stuck.wait().iter().all(|state| state.name() == "TimedOut"));
        done
    }
    assert_eq!(in_time("slots", *outer).unwrap(), 1);
}

#[test]
fn an_observer_sees_every_state_once_and_in_order() {
    #[task(retries = 1)]
    fn observed(fails: bool) -> Result<(), String> {
        if fails { Err("no".to_owned()) } else { Ok(()) }
    }
    #[flow]
    fn watched() {
        let _ = observed.submit(false).result();
        let _ = observed.submit(true).result();
        let _ = observed(true);
    }
    let recorder = Recorder::start();
    let run = watched.submit();
    run.wait();
    let tree = recorder.tree(run.run_id());
    for run in tree.iter().map(|(run, _)| run) {
        let states: Vec<State> = tree
            .iter()
            .filter(|(other, _)| other.run_id() == run.run_id())
            .map(|(_, state)| state.clone())
            .collect();
        assert_eq!(states, run.states());
    }
    assert_eq!(recorder.runs_of("observed").len(), 3);
}
