//! What becomes of a flow run, and of its name and parameters.
//!
//! Left out, as the contract has no such thing: states returned by bodies and their aggregation, runs that end paused, coercion of
//! parameters that the compiler has checked, and interrupts as exceptions.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use flowcore::prelude::*;
use flowcore::{Error, ErrorKind};
use flowcore_tests::{Gate, Recorder, each_runtime, in_time};
use serde_json::json;

#[task]
fn fails() -> Result<u32, String> {
    Err("task's own".to_owned())
}

#[test]
fn a_plain_return_completes_the_flow_even_if_a_task_failed() {
    #[flow]
    fn ignores() -> u32 {
        fails.submit().wait();
        fails.submit().result().unwrap_or(7)
    }
    #[flow]
    async fn ignores_async() -> u32 {
        fails.submit().await.unwrap_or(7)
    }
    each_runtime(|_| {
        assert_eq!(ignores().unwrap(), 7);
        assert_eq!(ignores.submit().result().unwrap(), 7);
        assert_eq!(ignores_async().run().unwrap(), 7);
    });
}

#[test]
fn an_error_passed_on_fails_the_flow_and_keeps_the_place_where_it_began() {
    #[flow]
    fn passes_on() -> flowcore::Result<u32> {
        fails.submit().result()
    }
    #[flow]
    async fn passes_on_async() -> Result<u32, anyhow::Error> {
        Ok(fails.submit().await?)
    }
    #[flow]
    fn outermost() -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        Ok(passes_on_async.submit().result()?)
    }
    type Run = fn() -> flowcore::Result<u32>;
    let cases: [(Run, &str); 3] = [
        (|| passes_on(), "passes_on › fails"),
        (|| passes_on_async().run(), "passes_on_async › fails"),
        (|| outermost(), "outermost › passes_on_async › fails"),
    ];
    for (run, path) in cases {
        let error = run().unwrap_err();
        assert_eq!((error.kind(), error.run_path()), (ErrorKind::Failed, path));
        assert_eq!(error.to_string(), format!("{path} failed: task's own"));
    }
}

#[test]
fn a_task_turns_a_child_flows_failure_into_its_own_error() {
    #[flow]
    fn child() -> flowcore::Result<u32> {
        fails()
    }
    #[task]
    fn wraps() -> Result<u32, anyhow::Error> {
        child().map_err(|error| anyhow::Error::new(error).context("the child flow broke"))
    }
    let error = wraps().unwrap_err();
    assert_eq!((error.run_path(), error.message()), ("wraps", "the child flow broke"));
    assert!(format!("{error:#}").contains("task's own"), "{error:#}");
    assert_eq!(error.downcast_ref::<Error>().map(Error::run_path), Some("wraps"));
}

#[test]
fn detached_runs_are_awaited_at_the_flows_end() {
    #[task]
    fn behind(gate: Gate, done: Arc<AtomicU32>) {
        gate.pass();
        done.fetch_add(1, Ordering::SeqCst);
    }
    #[task]
    async fn behind_async(gate: Gate, done: Arc<AtomicU32>) {
        gate.passed().await;
        done.fetch_add(1, Ordering::SeqCst);
    }
    #[flow]
    fn sync_flow(gate: Gate, body_ended: Gate, done: Arc<AtomicU32>) {
        drop(behind.submit(gate.clone(), done.clone()));
        drop(behind_async.submit(gate, done));
        body_ended.open();
    }
    #[flow]
    async fn async_flow(gate: Gate, body_ended: Gate, done: Arc<AtomicU32>) {
        drop(behind.submit(gate.clone(), done.clone()));
        drop(behind_async.submit(gate, done));
        body_ended.open();
    }
    type Submit = fn(Gate, Gate, Arc<AtomicU32>) -> RunFuture<()>;
    let submits: [Submit; 2] = [
        |a, b, c| sync_flow.submit(a, b, c),
        |a, b, c| async_flow.submit(a, b, c),
    ];
    for submit in submits {
        let (gate, body_ended, done) = (Gate::new(), Gate::new(), Arc::new(AtomicU32::new(0)));
        let run = submit(gate.clone(), body_ended.clone(), done.clone());
        body_ended.pass();
        assert_eq!(run.state().name(), "Running");
        gate.open();
        assert!(in_time("the flow's end", move || run.wait()).is_completed());
        assert_eq!(done.load(Ordering::SeqCst), 2);
    }
}

#[test]
fn the_run_name_is_set_once_and_before_the_first_running() {
    #[flow(run_name = "order-{number}-{kind:?}")]
    fn order(number: u32, kind: &str) -> String {
        assert!(!kind.is_empty());
        let _ = number;
        flowcore::context().unwrap().run_name()
    }
    struct AtRunning(std::sync::Mutex<Vec<String>>);
    impl flowcore::observe::Observer for AtRunning {
        fn on_state(&self, run: &RunContext, state: &State) {
            if run.definition().name() == "order" && state.kind() == StateType::Running {
                self.0.lock().unwrap().push(run.run_name());
            }
        }
    }
    let seen = Arc::new(AtRunning(std::sync::Mutex::default()));
    let watch = flowcore::observe::observe(seen.clone());
    assert_eq!(order(1, "a").unwrap(), r#"order-1-"a""#);
    assert_eq!(order.submit(2, "b").result().unwrap(), r#"order-2-"b""#);
    assert_eq!(order.bind(3, "c").name("given").run().unwrap(), "given");
    drop(watch);
    assert_eq!(*seen.0.lock().unwrap(), [r#"order-1-"a""#, r#"order-2-"b""#, "given"]);
}

#[test]
fn a_run_without_a_name_gets_one_that_stays() {
    #[flow]
    fn unnamed() -> (String, String) {
        let run = flowcore::context().unwrap();
        (run.run_name(), run.run_name())
    }
    let run = unnamed.submit();
    let (one, two) = run.result().unwrap();
    assert!(one == two && one == run.run_name() && one.contains('-'), "{one}");
}

#[test]
fn a_run_from_json_with_bad_parameters_is_refused_and_names_each() {
    #[flow]
    fn area(width: u32, height: u32) -> u32 {
        width * height
    }
    let area_flow = flowcore::registry::flow("area").unwrap();
    let run = area_flow.submit_json(&json!({"width": 6, "height": 7})).unwrap();
    assert_eq!(run.result_json().unwrap(), 42);
    assert_eq!(area(2, 3).unwrap(), 6);
    for (bad, named) in [
        (json!({"width": "six", "height": 7}), "width"),
        (json!({"width": 6}), "height"),
        (json!({"width": 6, "height": 7, "depth": 8}), "depth"),
        (json!([6, 7]), "object"),
    ] {
        let error = area_flow.submit_json(&bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameters);
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn flows_submitted_in_parallel_run_at_once_without_a_runner() {
    #[flow]
    fn meets(all: Arc<std::sync::Barrier>) {
        all.wait();
    }
    #[flow]
    async fn meets_async(all: Arc<tokio::sync::Barrier>) {
        all.wait().await;
    }
    in_time("twenty flows at a barrier", || {
        let all = Arc::new(std::sync::Barrier::new(20));
        meets.map(std::iter::repeat_n(all, 20)).result().unwrap();
        let all = Arc::new(tokio::sync::Barrier::new(500));
        meets_async.map(std::iter::repeat_n(all, 500)).result().unwrap();
    });
}

#[test]
fn a_call_that_is_dropped_unstarted_never_happened_and_one_dropped_while_awaited_is_cancelled() {
    #[flow]
    async fn forever(begun: Gate) {
        begun.open();
        std::future::pending::<()>().await;
    }
    let recorder = Recorder::start();
    let begun = Gate::new();
    drop(forever(begun.clone()));
    assert!(recorder.runs_of("forever").is_empty());
    in_time("dropped while awaited", move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            tokio::select! {
                _ = forever(begun.clone()) => panic!("it never ends"),
                () = begun.passed() => {}
            }
            let run = recorder.runs_of("forever").remove(0);
            while !run.state().is_terminal() {
                tokio::task::yield_now().await;
            }
            assert_eq!(run.state().name(), "Cancelled");
        });
    });
}

#[test]
fn tags_are_the_definitions_and_the_calls() {
    #[flow(tags = ["nightly", "etl"])]
    fn tagged() -> Vec<String> {
        flowcore::context().unwrap().tags()
    }
    assert_eq!(tagged().unwrap(), ["nightly", "etl"]);
    assert_eq!(
        tagged.bind().tags(["etl", "once"]).run().unwrap(),
        ["nightly", "etl", "once"]
    );
}
