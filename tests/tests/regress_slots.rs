//! However a body waits for its children, its slot serves them meanwhile and comes back to it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::{LazyLock, mpsc};
use std::thread;

use flowcore::prelude::*;
use flowcore::{ErrorKind, Resume, TaskJob};
use flowcore_tests::{Gate, in_time};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

#[task]
async fn leaf(n: u32) -> u32 {
    tokio::task::yield_now().await;
    n
}

// Polled again for one child, such a body doesn't poll the others that it waits for.
#[task]
async fn gathers() -> flowcore::Result<u32> {
    let mut all: FuturesUnordered<_> = (0..8).map(|n| leaf.submit(n)).collect();
    let mut sum = 0;
    while let Some(one) = all.next().await {
        sum += one?;
    }
    Ok(sum)
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
async fn one_worker_gathers() -> flowcore::Result<u32> {
    gathers.submit().await
}

#[test]
fn a_body_that_gathers_its_children_in_any_order_leaves_them_its_slot() {
    assert_eq!(in_time("gathers", || one_worker_gathers().run()).unwrap(), 28);
}

#[task]
async fn spawns() -> flowcore::Result<u32> {
    flowcore::spawn(async { leaf.submit(7).await }).await.unwrap()
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
async fn one_worker_spawns() -> flowcore::Result<u32> {
    spawns.submit().await
}

#[test]
fn a_spawned_future_that_waits_leaves_the_bodys_slot_to_the_child() {
    assert_eq!(in_time("spawns", || one_worker_spawns().run()).unwrap(), 7);
}

#[task]
fn behind(gate: Gate) {
    gate.pass();
}

#[task]
fn five() -> u32 {
    5
}

#[task(timeout_seconds = 0.3)]
fn times_out(gate: Gate, told: mpsc::Sender<RunContext>) -> flowcore::Result<()> {
    told.send(flowcore::context().unwrap()).unwrap();
    // Not `result`, in which this thread might begin the run itself.
    for run in as_completed([behind.submit(gate)]) {
        run.result()?;
    }
    Ok(())
}

#[task]
fn goes_on_after_a_timeout() -> flowcore::Result<u32> {
    let gate = Gate::new();
    let (told, tells) = mpsc::channel::<RunContext>();
    let opens = gate.clone();
    thread::spawn(move || {
        let run = tells.recv().unwrap();
        while run.state().name() != "TimedOut" {
            thread::yield_now();
        }
        opens.open();
    });
    assert_eq!(times_out(gate, told).unwrap_err().kind(), ErrorKind::TimedOut);
    five.submit().result()
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
fn one_worker_goes_on() -> flowcore::Result<u32> {
    goes_on_after_a_timeout.submit().result()
}

#[test]
fn a_body_that_went_on_past_a_calls_timeout_leaves_its_slot_when_it_waits_again() {
    assert_eq!(in_time("goes on", || one_worker_goes_on().unwrap()), 5);
}

#[derive(Debug, Default)]
struct LosesResumes;

impl TaskRunner for LosesResumes {
    fn submit(&self, job: TaskJob) {
        let _ = job.start();
    }
    fn release(&self) {}
    fn resume(&self, _resume: Resume) {
        panic!("no resume");
    }
}

#[task]
fn waits_once() -> flowcore::Result<u32> {
    five.submit().result()
}

#[flow(task_runner = LosesResumes)]
fn badly_run() -> flowcore::Result<u32> {
    waits_once.submit().result()
}

#[test]
fn a_runner_that_panics_in_resume_hangs_nobody() {
    let _either = in_time("panics in resume", || badly_run().is_ok());
}

/// Holds who asks for a slot until let go, and grants it when told to.
#[derive(Clone, Debug, Default)]
struct Holds {
    asked: Gate,
    let_go: Gate,
    grant: Gate,
}

impl TaskRunner for Holds {
    fn submit(&self, job: TaskJob) {
        let _ = job.start();
    }
    fn release(&self) {}
    fn resume(&self, resume: Resume) {
        let grant = self.grant.clone();
        thread::spawn(move || {
            grant.pass();
            let _ = resume.go();
        });
        self.asked.open();
        self.let_go.pass();
    }
}

static HOLDS: LazyLock<Holds> = LazyLock::new(Holds::default);

#[task(timeout_seconds = 0.3, retries = 50)]
fn waits_at_first(gate: Gate) -> flowcore::Result<u32> {
    if flowcore::context().unwrap().attempt() == 1 {
        for run in as_completed([behind.submit(gate)]) {
            run.result()?;
        }
    }
    Ok(6)
}

#[flow(task_runner = HOLDS.clone())]
fn held_up() -> flowcore::Result<u32> {
    let gate = Gate::new();
    let run = waits_at_first.submit(gate.clone());
    HOLDS.asked.pass();
    HOLDS.let_go.open();
    HOLDS.grant.open();
    gate.open();
    run.result()
}

#[test]
fn an_attempt_given_up_and_the_next_one_may_both_ask_for_the_slot() {
    assert_eq!(in_time("two attempts", || held_up().unwrap()), 6);
}
