//! Logs: which run an event belongs to, what observers see of it, and the lines of a program that calls `init`.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fmt;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use flowcore::observe::{LogRecord, Observation, Observer, observe};
use flowcore::prelude::*;
use flowcore_tests::{Gate, LIMIT, in_time};
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

// --- what observers are handed ----------------------------------------------------------------------------------------

#[derive(Clone, Debug, PartialEq)]
struct Line {
    run: String,
    level: Level,
    target: String,
    message: String,
}

#[derive(Default)]
struct Log(Mutex<Vec<Line>>);

impl Observer for Log {
    fn on_state(&self, _: &RunContext, _: &State) {}

    fn on_log(&self, run: &RunContext, record: &LogRecord<'_>) {
        assert!(record.unix_nanos > 1_600_000_000_000_000_000);
        // An observer's own events aren't handed to it again.
        tracing::info!("observed");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Line {
            run: run.run_name(),
            level: record.level,
            target: record.target.to_owned(),
            message: record.message.to_owned(),
        });
    }
}

static LOG: LazyLock<(Arc<Log>, Observation)> = LazyLock::new(|| {
    tracing_subscriber::registry()
        .with(flowcore::logging::RunLayer::new())
        .init();
    let log = Arc::new(Log::default());
    (log.clone(), observe(log))
});

/// What the run of that name has logged so far, the engine's own lines left out.
fn logged(run: &str) -> Vec<String> {
    let lines = LOG.0.0.lock().unwrap();
    let own = lines
        .iter()
        .filter(|line| line.run == run && line.target != "flowcore::run");
    own.map(|line| line.message.clone()).collect()
}

/// The engine's lines in the log of that run.
fn told_by_engine(run: &str) -> Vec<(Level, String)> {
    let lines = LOG.0.0.lock().unwrap();
    let engine = lines
        .iter()
        .filter(|line| line.run == run && line.target == "flowcore::run");
    engine.map(|line| (line.level, line.message.clone())).collect()
}

#[task(run_name = "{_name}")]
fn says(_name: &str, text: &str) {
    deeper(text);
}

/// A function that knows nothing of runs.
fn deeper(text: &str) {
    tracing::info!("{text}");
}

#[test]
fn an_event_of_a_sync_task_belongs_to_it_called_or_submitted() {
    LazyLock::force(&LOG);
    says("sync-called", "one").unwrap();
    says.submit("sync-submitted", "two").result().unwrap();
    assert_eq!(logged("sync-called"), ["one"]);
    assert_eq!(logged("sync-submitted"), ["two"]);
}

#[flow(run_name = "{_name}")]
fn calls(_name: &str) -> flowcore::Result<()> {
    tracing::info!("before");
    says("called-within", "inside")?;
    tracing::info!("after");
    Ok(())
}

#[test]
fn after_a_direct_call_events_belong_to_the_caller_again() {
    LazyLock::force(&LOG);
    calls("the-caller").unwrap();
    assert_eq!(logged("the-caller"), ["before", "after"]);
    assert_eq!(logged("called-within"), ["inside"]);
}

static FIRST_IS_THERE: LazyLock<Gate> = LazyLock::new(Gate::new);
static SECOND_IS_THERE: LazyLock<Gate> = LazyLock::new(Gate::new);

#[flow(run_name = "{name}")]
async fn takes_turns(name: String, first: bool) {
    tracing::info!("{name} begins");
    if first {
        FIRST_IS_THERE.open();
        SECOND_IS_THERE.passed().await;
    } else {
        FIRST_IS_THERE.passed().await;
        SECOND_IS_THERE.open();
    }
    tracing::info!("{name} ends");
}

#[tokio::test]
async fn async_flows_that_take_turns_on_one_thread_keep_their_events_apart() {
    LazyLock::force(&LOG);
    let first = takes_turns.submit("turns-1", true);
    let second = takes_turns.submit("turns-2", false);
    let both = async { (first.await.unwrap(), second.await.unwrap()) };
    tokio::time::timeout(LIMIT, both).await.unwrap();
    for name in ["turns-1", "turns-2"] {
        assert_eq!(logged(name), [format!("{name} begins"), format!("{name} ends")]);
    }
}

#[flow(run_name = "the-spawner")]
async fn spawns() -> bool {
    let own = flowcore::spawn(async {
        tokio::task::yield_now().await;
        tracing::info!("spawned");
    });
    let blocking = flowcore::spawn_blocking(|| tracing::info!("spawned blocking"));
    let strange = tokio::spawn(async {
        tracing::info!("a stranger");
        flowcore::context().is_none()
    });
    own.await.is_ok() && blocking.await.is_ok() && strange.await.is_ok_and(|is_none| is_none)
}

#[test]
fn what_is_spawned_with_the_run_logs_for_it_and_what_is_not_does_not() {
    LazyLock::force(&LOG);
    assert!(spawns().run().unwrap());
    let mut lines = logged("the-spawner");
    lines.sort();
    assert_eq!(lines, ["spawned", "spawned blocking"]);
}

#[test]
fn an_event_outside_of_runs_is_no_observers_concern() {
    LazyLock::force(&LOG);
    tracing::info!("nobody's line");
    let lines = LOG.0.0.lock().unwrap();
    assert!(lines.iter().all(|line| line.message != "nobody's line"));
}

fn refuses(_: &RunContext, _: &State) -> Result<(), String> {
    Err("no paper".to_owned())
}

fn panics(_: &RunContext, _: &State) {
    panic!("no ink");
}

#[task(run_name = "the-hooked", on_completion = [refuses, panics])]
fn hooked() {}

#[test]
fn trouble_of_a_hook_is_in_the_log_of_its_run() {
    LazyLock::force(&LOG);
    hooked().unwrap();
    let told = told_by_engine("the-hooked");
    let warnings: Vec<_> = told.iter().filter(|(level, _)| *level == Level::WARN).collect();
    assert_eq!(warnings[0].1, "a hook for Completed failed: no paper");
    assert!(
        warnings[1].1.contains("panicked at") && warnings[1].1.ends_with("no ink"),
        "{}",
        warnings[1].1
    );
}

#[task(retries = 1, run_name = "the-loser")]
fn loses() -> Result<(), String> {
    tracing::info!(attempt = flowcore::context().map(|run| run.attempt()), "trying");
    Err("lost".to_owned())
}

#[test]
fn the_engine_tells_of_retries_and_failures_under_its_own_target() {
    LazyLock::force(&LOG);
    loses().unwrap_err();
    assert_eq!(logged("the-loser"), ["trying attempt=1", "trying attempt=2"]);
    let told = told_by_engine("the-loser");
    assert!(
        told.iter()
            .any(|(level, text)| *level == Level::WARN && text.contains("attempt 1 of 2 failed")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|(level, text)| *level == Level::ERROR && text.contains("Failed(")),
        "{told:?}"
    );
}

#[test]
fn a_long_line_is_cut_with_a_mark_and_control_characters_are_escaped() {
    LazyLock::force(&LOG);
    says("long-line", &"x".repeat(100_000)).unwrap();
    says("odd-line", "a\u{1b}[2Jb\nc").unwrap();
    let long = &logged("long-line")[0];
    assert_eq!(long.trim_start_matches('x'), "… (cut at 8192 bytes)");
    assert_eq!(long.matches('x').count(), 8192);
    assert_eq!(logged("odd-line"), ["a\\x1b[2Jb\nc"]);
}

struct Grumpy;

impl Observer for Grumpy {
    fn on_state(&self, _: &RunContext, _: &State) {}

    fn on_log(&self, run: &RunContext, _: &LogRecord<'_>) {
        if run.run_name() == "annoys" {
            panic!("not today");
        }
    }
}

#[test]
fn an_observer_that_panics_over_a_line_breaks_neither_the_run_nor_other_observers() {
    LazyLock::force(&LOG);
    let grumpy = observe(Arc::new(Grumpy));
    in_time("a panicking observer", || says("annoys", "good morning").unwrap());
    drop(grumpy);
    assert_eq!(logged("annoys"), ["good morning"]);
}

struct Counted<'a>(&'a AtomicUsize);

impl fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fetch_add(1, Ordering::SeqCst);
        f.write_str("formatted")
    }
}

static FORMATTED: AtomicUsize = AtomicUsize::new(0);

#[task]
fn logs_at_two_levels() {
    tracing::debug!("{}", Counted(&FORMATTED));
    tracing::info!("{}", Counted(&FORMATTED));
}

#[test]
fn a_level_that_is_off_costs_no_formatting() {
    LazyLock::force(&LOG);
    let lines = tracing_subscriber::fmt::layer()
        .event_format(flowcore::logging::RunFormat::new())
        .with_writer(std::io::sink);
    let subscriber = tracing_subscriber::registry().with(EnvFilter::new("info")).with(lines);
    // A direct call stays on its thread, and so under this subscriber.
    tracing::subscriber::with_default(subscriber, || logs_at_two_levels().unwrap());
    assert_eq!(FORMATTED.load(Ordering::SeqCst), 1);
}

// --- a program that calls `init` --------------------------------------------------------------------------------------

fn program(mode: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logs"));
    for variable in ["FLOW_LOG", "RUST_LOG", "NO_COLOR", "FLOW_LOG_LINE_BYTES"] {
        command.env_remove(variable);
    }
    let variables = variables.iter().copied();
    command.env("FLOW_DATABASE_URL", "memory:");
    command.arg(mode).env("TZ", "UTC").envs(variables).output().unwrap()
}

/// The lines on standard error, their times checked and taken off.
fn lines(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let untimed = text.lines().map(|line| {
        let (time, rest) = line.split_at(12);
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert!(shape == "00:00:00.000" || time.trim().is_empty(), "{line}");
        rest.to_owned()
    });
    untimed.collect()
}

#[test]
fn init_gives_lines_with_their_run_and_may_be_called_twice() {
    let output = program("lines", &[]);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert_eq!(
        lines(&output),
        [
            " | INFO    | logs - outside answer=42",
            " | INFO    | Flow run 'crimson-fox\\n' - Beginning flow run of 'process_tree'",
            " | WARNING | Flow run 'crimson-fox\\n' - one",
            " |         | two\\x1b[31m",
            " | INFO    | Task run 'node-A1' - processing value=\"A1\"",
            " | INFO    | Flow run 'crimson-fox\\n' - awaited",
            " | INFO    | Task run 'node-bad' - processing value=\"bad\"",
            " | ERROR   | Task run 'node-bad' - Finished in state Failed(process_tree › process_node failed: an error occurred when formatting an argument)",
            " | INFO    | Flow run 'crimson-fox\\n' - Finished in state Completed()",
        ]
    );
}

#[test]
fn flow_log_and_then_rust_log_say_what_is_shown() {
    let quiet = program("lines", &[("FLOW_LOG", "warn,flowcore=off"), ("RUST_LOG", "trace")]);
    assert_eq!(
        lines(&quiet),
        [
            " | WARNING | Flow run 'crimson-fox\\n' - one",
            " |         | two\\x1b[31m"
        ]
    );
    let loud = program("lines", &[("RUST_LOG", "logs=debug")]);
    assert!(lines(&loud).contains(&" | DEBUG   | Task run 'node-A1' - looking".to_owned()));
}

#[test]
fn an_unreadable_filter_is_told_and_stops_nothing() {
    let output = program("lines", &[("FLOW_LOG", "logs=loud")]);
    assert!(output.status.success());
    let first = &lines(&output)[0];
    assert!(
        first.starts_with(" | WARNING | flowcore - FLOW_LOG=logs=loud can't be read ("),
        "{first}"
    );
    assert!(first.ends_with("'info' is used"), "{first}");
}

#[test]
fn lines_are_cut_where_the_setting_says() {
    let output = program("lines", &[("FLOW_LOG_LINE_BYTES", "8"), ("FLOW_LOG", "logs=info")]);
    let lines = lines(&output);
    assert!(
        lines.contains(&" | INFO    | Task run 'node-A1' - processi… (cut at 8 bytes)".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn without_a_terminal_there_are_no_colours() {
    let output = program("lines", &[]);
    assert!(!output.stderr.contains(&0x1b));
}

#[test]
fn the_library_installs_no_subscriber_by_itself() {
    let output = program("none", &[]);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn beside_another_subscriber_init_says_what_to_do() {
    let output = program("taken", &[]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("another tracing subscriber is installed already; add `flowcore::logging::RunLayer`"),
        "{said}"
    );
}
