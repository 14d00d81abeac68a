//! Random small programs of submits, waits, failures, panics and cancellations: what holds of every run's history.
#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use std::collections::HashMap;
use std::sync::Arc;

use flowcore::prelude::*;
use flowcore::{Error, RunId};
use flowcore_tests::{Recorder, in_time};
use proptest::prelude::*;

/// What a body does, step by step.
#[derive(Clone, Debug)]
enum Step {
    Submit(Kind, Arc<Program>),
    Call(Kind, Arc<Program>),
    /// Waits for the oldest run not waited for.
    Wait,
    /// The same, and passes its error on.
    Try,
    /// The oldest run's value is the input of a new run.
    Chain(Kind, Arc<Program>),
    CancelOldest,
    CancelSelf,
    Yield,
    Fail,
    Panic,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    SyncTask,
    AsyncTask,
    SyncFlow,
    AsyncFlow,
    LimitedFlow,
}

type Program = Vec<Step>;

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::SyncTask),
        Just(Kind::AsyncTask),
        Just(Kind::SyncFlow),
        Just(Kind::AsyncFlow),
        Just(Kind::LimitedFlow)
    ]
}

fn programs() -> impl Strategy<Value = Program> {
    let leaf = prop_oneof![
        4 => Just(Step::Wait),
        2 => Just(Step::Try),
        3 => Just(Step::Yield),
        1 => Just(Step::CancelOldest),
        1 => Just(Step::CancelSelf),
        1 => Just(Step::Fail),
        1 => Just(Step::Panic),
    ];
    let program = prop::collection::vec(leaf.clone(), 0..3);
    program.prop_recursive(4, 40, 6, move |inner| {
        let below = inner.prop_map(Arc::new);
        let step = prop_oneof![
            4 => (kinds(), below.clone()).prop_map(|(kind, program)| Step::Submit(kind, program)),
            1 => (kinds(), below.clone()).prop_map(|(kind, program)| Step::Call(kind, program)),
            1 => (kinds(), below).prop_map(|(kind, program)| Step::Chain(kind, program)),
            4 => leaf.clone(),
        ];
        prop::collection::vec(step, 0..6)
    })
}

fn submit(kind: Kind, program: Arc<Program>, input: Option<RunFuture<u32>>) -> RunFuture<u32> {
    macro_rules! start {
        ($run:ident) => {
            match input {
                Some(input) => $run.submit(program, input),
                None => $run.submit(program, 0),
            }
        };
    }
    match kind {
        Kind::SyncTask => start!(sync_task),
        Kind::AsyncTask => start!(async_task),
        Kind::SyncFlow => start!(sync_flow),
        Kind::AsyncFlow => start!(async_flow),
        Kind::LimitedFlow => start!(limited_flow),
    }
}

/// The oldest run not waited for.
fn oldest(runs: &mut Vec<RunFuture<u32>>) -> Option<RunFuture<u32>> {
    (!runs.is_empty()).then(|| runs.remove(0))
}

fn run_sync(program: &Program) -> flowcore::Result<u32> {
    let mut runs = Vec::new();
    for step in program {
        match step {
            Step::Submit(kind, program) => runs.push(submit(*kind, program.clone(), None)),
            Step::Call(Kind::SyncTask, program) => drop(sync_task(program.clone(), 0)),
            Step::Call(Kind::SyncFlow, program) => drop(sync_flow(program.clone(), 0)),
            Step::Call(kind, program) => drop(submit(*kind, program.clone(), None).result()),
            Step::Wait => drop(oldest(&mut runs).map(|run| run.result())),
            Step::Try => drop(oldest(&mut runs).map(|run| run.result()).transpose()?),
            Step::Chain(kind, program) => {
                let input = oldest(&mut runs);
                runs.push(submit(*kind, program.clone(), input));
            }
            Step::CancelOldest => drop(runs.first().map(RunFuture::cancel)),
            Step::CancelSelf => flowcore::context().unwrap().cancel(),
            Step::Yield => std::thread::yield_now(),
            Step::Fail => return Err(Error::msg("own")),
            Step::Panic => panic!("own"),
        }
    }
    Ok(1)
}

async fn run_async(program: &Program) -> flowcore::Result<u32> {
    let mut runs = Vec::new();
    for step in program {
        match step {
            Step::Submit(kind, program) => runs.push(submit(*kind, program.clone(), None)),
            Step::Call(Kind::AsyncTask, program) => drop(async_task(program.clone(), 0).await),
            Step::Call(Kind::AsyncFlow, program) => drop(async_flow(program.clone(), 0).await),
            Step::Call(kind, program) => drop(submit(*kind, program.clone(), None).await),
            Step::Wait => {
                if let Some(run) = oldest(&mut runs) {
                    drop(run.await);
                }
            }
            Step::Try => {
                if let Some(run) = oldest(&mut runs) {
                    run.await?;
                }
            }
            Step::Chain(kind, program) => {
                let input = oldest(&mut runs);
                runs.push(submit(*kind, program.clone(), input));
            }
            Step::CancelOldest => drop(runs.first().map(RunFuture::cancel)),
            Step::CancelSelf => flowcore::context().unwrap().cancel(),
            Step::Yield => tokio::task::yield_now().await,
            Step::Fail => return Err(Error::msg("own")),
            Step::Panic => panic!("own"),
        }
    }
    Ok(1)
}

#[task(retries = 1)]
fn sync_task(program: Arc<Program>, _input: u32) -> flowcore::Result<u32> {
    run_sync(&program)
}

#[task]
async fn async_task(program: Arc<Program>, _input: u32) -> flowcore::Result<u32> {
    run_async(&program).await
}

#[flow]
fn sync_flow(program: Arc<Program>, _input: u32) -> flowcore::Result<u32> {
    run_sync(&program)
}

#[flow(retries = 1, retry_delay_seconds = 0.001)]
async fn async_flow(program: Arc<Program>, _input: u32) -> flowcore::Result<u32> {
    run_async(&program).await
}

#[flow(task_runner = SequentialTaskRunner::new())]
async fn limited_flow(program: Arc<Program>, _input: u32) -> flowcore::Result<u32> {
    run_async(&program).await
}

/// What may follow a state, by name.
fn may_follow(from: &str, to: &str) -> bool {
    match from {
        "Pending" => matches!(to, "Running" | "NotReady" | "Failed" | "Cancelled"),
        "Running" | "Retrying" => matches!(
            to,
            "AwaitingRetry" | "Retrying" | "Completed" | "Failed" | "Cancelling" | "Cancelled"
        ),
        "AwaitingRetry" => matches!(to, "Retrying" | "Cancelled"),
        "Cancelling" => to == "Cancelled",
        _ => false,
    }
}

fn is_over(state: &State) -> bool {
    state.is_terminal() || state.name() == "NotReady"
}

fn check(recorder: &Recorder, root: RunId) {
    let mut runs: HashMap<RunId, RunContext> = HashMap::new();
    for (run, _) in recorder.tree(root) {
        runs.insert(run.run_id(), run);
    }
    for run in runs.values() {
        let states = run.states();
        let shown = format!("{}: {states:?}", run.path());
        assert_eq!(states[0].name(), "Pending", "{shown}");
        for pair in states.windows(2) {
            assert!(may_follow(pair[0].name(), pair[1].name()), "{shown}");
            assert!(pair[0].timestamp() < pair[1].timestamp(), "{shown}");
        }
        assert_eq!(states.iter().filter(|state| is_over(state)).count(), 1, "{shown}");
        let last = states.last().unwrap();
        assert!(is_over(last), "{shown}");
        if let Some(parent) = run.parent() {
            let end = parent.states().last().unwrap().timestamp();
            assert!(
                last.timestamp() <= end,
                "ends after its parent: {shown}, {:?}",
                parent.states()
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_is_legal_and_every_parent_ends_after_its_children(kind in kinds(), program in programs(), cancels in any::<bool>()) {
        let program = Arc::new(program);
        let shown = format!("{program:?}");
        in_time(&shown, move || {
            let recorder = Recorder::start();
            let run = submit(kind, program, None);
            if cancels {
                std::thread::yield_now();
                run.cancel();
            }
            run.wait();
            check(&recorder, run.run_id());
        });
    }
}
