//! Every option of the attributes, in every form it takes.
#![forbid(unsafe_code)]
#![deny(clippy::pedantic)]
// What the functions themselves deserve, annotated or not.
#![allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use flowcore::prelude::*;
use flowcore::registry;

const VERSION: &str = "2";
const DELAY: f64 = 0.001;
const TIMES: u32 = 2;

/// Fetches.
///
/// At length.
#[task(
    name = "fetch page",
    version = VERSION,
    tags = ["web", concat!("nigh", "tly")],
    key = "pages",
)]
fn fetch(url: &str) -> usize {
    url.len()
}

#[flow(description = "Said by the option", version = env!("CARGO_PKG_VERSION"), durable = false)]
async fn described() {}

#[flow(durable)]
fn kept(x: u32) -> u32 {
    x
}

#[flow(durable, replay = "strict")]
fn kept_strictly(x: u32) -> u32 {
    x
}

#[flow(durable, replay = "lenient")]
fn kept_leniently(x: u32) -> u32 {
    x
}

#[rustfmt::skip]
mod placed { #[flowcore::task] pub(super) fn here() {} pub(super) const LINE: u32 = line!(); }

#[test]
fn descriptions_are_kept() {
    placed::here().unwrap();
    assert_eq!(fetch("abc").unwrap(), 3);
    let tasks = registry::tasks();
    let task = tasks.iter().find(|task| task.name() == "fetch page").unwrap();
    assert_eq!(task.description(), "Fetches.\n\nAt length.");
    assert_eq!(task.version(), Some("2"));
    assert_eq!(task.tags(), ["web", "nightly"]);
    assert_eq!(task.key(), "pages");
    assert_eq!(task.parameters().collect::<Vec<_>>(), ["url"]);
    let task = tasks.iter().find(|task| task.name() == "here").unwrap();
    let place = format!("macros_options::placed::here ({}:{}:46)", file!(), placed::LINE);
    assert_eq!(task.location(), place);

    let flow = registry::flow("described").unwrap();
    assert_eq!(flow.description(), "Said by the option");
    assert_eq!(flow.version(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(flow.key(), "macros_options::described");
    assert_eq!(registry::flow("kept").unwrap().description(), "");
    described().run().unwrap();
    assert_eq!(kept(1).unwrap(), 1);
    assert_eq!(kept_strictly(1).unwrap(), 1);
    assert_eq!(kept_leniently(1).unwrap(), 1);
}

/// Fails until it is called for the `n`th time.
fn succeed_at(calls: &AtomicU32, n: u32) -> Result<u32, String> {
    let call = calls.fetch_add(1, Ordering::SeqCst) + 1;
    if call < n {
        Err(format!("call {call}"))
    } else {
        Ok(call)
    }
}

macro_rules! retried {
    ($($name:ident: $delay:expr;)*) => {$(
        #[test]
        fn $name() {
            static CALLS: AtomicU32 = AtomicU32::new(0);

            #[task(retries = 2, retry_delay_seconds = $delay, retry_jitter_factor = 0.5)]
            fn flaky() -> Result<u32, String> {
                succeed_at(&CALLS, 3)
            }

            assert_eq!(flaky().unwrap(), 3);
        }
    )*};
}

retried! {
    a_delay_is_a_number: 0;
    a_delay_is_a_fraction: 0.001;
    a_delay_is_a_duration: Duration::from_millis(1);
    a_delay_is_a_constant: DELAY;
    a_delay_is_a_list: [0, 0];
    a_delay_is_a_vec: vec![0.001, 0.002];
    a_delay_is_a_slice: &[0.001, 0.002][..];
    a_delay_is_exponential: exponential_backoff(0.001);
    a_delay_is_a_function_of_the_attempt: |attempt: u32| Duration::from_millis(u64::from(attempt));
}

#[task(retries = TIMES, retry_delay_seconds = [0, 0.001], retry_jitter_factor = 1)]
fn mixed_list() -> Result<(), String> {
    Err(flowcore::context().map_or(0, |run| run.attempt()).to_string())
}

#[task(retries = 2, retry_delay_seconds = |attempt| Duration::from_millis(attempt.into()))]
fn inferred_closure() -> Result<(), String> {
    Err(flowcore::context().map_or(0, |run| run.attempt()).to_string())
}

#[test]
fn lists_may_mix_and_closures_need_no_types() {
    assert_eq!(mixed_list().unwrap_err().message(), "3");
    assert_eq!(inferred_closure().unwrap_err().message(), "3");
}

fn is_first(error: &flowcore::Error) -> bool {
    error.message() == "1"
}

#[task(retries = 5, retry_condition_fn = is_first)]
fn by_error() -> Result<(), String> {
    Err(flowcore::context().map_or(0, |run| run.attempt()).to_string())
}

#[task(retries = 5, retry_condition_fn = |error| error.message() == "1")]
fn by_closure() -> Result<(), String> {
    Err(flowcore::context().map_or(0, |run| run.attempt()).to_string())
}

#[task(retries = 5, retry_condition_fn = |run, _| run.attempt() < 2)]
async fn by_state() -> Result<(), String> {
    Err(flowcore::context().map_or(0, |run| run.attempt()).to_string())
}

#[test]
fn retry_conditions_see_the_error_or_the_state() {
    assert_eq!(by_error().unwrap_err().message(), "2");
    assert_eq!(by_closure().unwrap_err().message(), "2");
    assert_eq!(by_state().run().unwrap_err().message(), "2");
}

#[task(timeout_seconds = 0.05)]
async fn slow() {
    tokio::time::sleep(Duration::from_mins(1)).await;
}

#[task(timeout_seconds = Duration::from_millis(50))]
async fn slow_too() {
    tokio::time::sleep(Duration::from_mins(1)).await;
}

#[test]
fn timeouts_are_seconds_or_durations() {
    let timed_out = flowcore::ErrorKind::TimedOut;
    assert_eq!(slow().run().unwrap_err().kind(), timed_out);
    assert_eq!(slow_too.submit().result().unwrap_err().kind(), timed_out);
}

static HOOKS: AtomicU32 = AtomicU32::new(0);

fn count(_: &RunContext, state: &State) {
    HOOKS.fetch_add(if state.name() == "Running" { 1 } else { 10 }, Ordering::SeqCst);
}

async fn count_later(_: &RunContext, _: &State) -> Result<(), String> {
    tokio::task::yield_now().await;
    HOOKS.fetch_add(100, Ordering::SeqCst);
    Ok(())
}

#[flow(
    on_running = count,
    on_completion = [count, count_later, |_, state| assert_eq!(state.name(), "Completed")],
    on_failure = [],
    on_cancellation = count,
    on_crashed = |run, _| println!("{}", run.run_name()),
)]
fn hooked() {}

#[test]
fn hooks_are_functions_closures_and_lists_of_them() {
    hooked.submit().wait();
    assert_eq!(HOOKS.load(Ordering::SeqCst), 111);
}

#[task(run_name = "{_user:>3}: {_count:03} {{{place}}}", skip(password, token))]
fn log_in(_user: &str, _count: u32, place: String, password: &str, token: String) -> String {
    let run = flowcore::context().unwrap();
    let parameters = run.parameters().unwrap_or_default().to_owned();
    assert!(password.len() + token.len() + place.len() > 0);
    format!("{} {parameters}", run.run_name())
}

#[task(skip_result)]
fn secret() -> String {
    "secret".to_owned()
}

#[test]
fn run_names_and_records_are_made_of_parameters() {
    let expected = concat!(
        r#" me: 007 {here} {"_user":"me","_count":7,"place":"here","#,
        r#""password":{"$skipped":"str"},"token":{"$skipped":"alloc::string::String"}}"#
    );
    let direct = log_in("me", 7, "here".to_owned(), "pass", "tok".to_owned()).unwrap();
    assert_eq!(direct, expected);
    let submitted = log_in.submit("me", 7_u32, "here", "pass", "tok").result().unwrap();
    // The run owns what the caller lends.
    assert_eq!(submitted, expected.replace(r#":"str""#, r#":"alloc::string::String""#));
    assert_eq!(secret().unwrap(), "secret");
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(usize::try_from(TIMES).unwrap_or(1)))]
fn limited() -> flowcore::Result<Vec<u32>> {
    double.map(1..=3).result()
}

#[flow(task_runner = runner())]
async fn by_function() -> flowcore::Result<Vec<u32>> {
    double.map(vec![1, 2, 3]).await
}

fn runner() -> impl TaskRunner {
    SequentialTaskRunner::new()
}

#[task]
fn double(x: u32) -> u32 {
    x * 2
}

#[test]
fn runners_are_any_expression() {
    assert_eq!(limited().unwrap(), [2, 4, 6]);
    assert_eq!(by_function().run().unwrap(), [2, 4, 6]);
}
