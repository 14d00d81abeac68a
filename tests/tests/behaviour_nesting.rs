//! Runs in runs: flows in flows, tasks in flows, flows in tasks, tasks in tasks.
//!
//! Left out: a warning about a full pool (a run that waits gives its slot back, so there is nothing to warn of), and child runs made
//! by calls with arguments of a wrong type (they don't compile).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use flowcore::prelude::*;
use flowcore::{ErrorKind, RunId};
use flowcore_tests::{Gate, Recorder, each_runtime, in_time};

/// A run's own id and those above it, from the parent up.
fn line() -> Vec<RunId> {
    let mut next = flowcore::context();
    let mut ids = Vec::new();
    while let Some(run) = next {
        ids.push(run.run_id());
        next = run.parent();
    }
    ids
}

#[task]
fn task_line() -> Vec<RunId> {
    line()
}

#[task]
async fn async_task_line() -> Vec<RunId> {
    tokio::task::yield_now().await;
    line()
}

#[flow]
fn flow_line() -> Vec<RunId> {
    line()
}

#[flow]
async fn async_flow_line() -> Vec<RunId> {
    tokio::task::yield_now().await;
    line()
}

type Line = Vec<RunId>;

#[task]
fn in_task() -> flowcore::Result<Vec<(Line, Line)>> {
    let me = line();
    let lines = [
        flow_line()?,
        task_line()?,
        flow_line.submit().result()?,
        task_line.submit().result()?,
        async_flow_line.submit().result()?,
        async_task_line.submit().result()?,
    ];
    Ok(lines.into_iter().map(|line| (me.clone(), line)).collect())
}

#[flow]
async fn in_flow() -> flowcore::Result<Vec<(Line, Line)>> {
    let me = line();
    let lines = [
        flow_line()?,
        task_line()?,
        flow_line.submit().await?,
        task_line.submit().await?,
        async_flow_line().await?,
        async_task_line().await?,
        async_flow_line.submit().await?,
        async_task_line.submit().await?,
    ];
    let inner = in_task.submit().await?;
    Ok(lines.into_iter().map(|line| (me.clone(), line)).chain(inner).collect())
}

#[test]
fn each_run_has_an_id_of_its_own_and_knows_the_runs_around_it() {
    each_runtime(|_| {
        let run = in_flow.submit();
        let pairs = run.result().unwrap();
        assert_eq!(pairs.len(), 14);
        let mut ids: Vec<RunId> = Vec::new();
        for (around, line) in pairs {
            assert_eq!(line[1..], around, "the line goes up through the caller");
            assert_eq!(line.last(), Some(&run.run_id()));
            assert!(!ids.contains(&line[0]));
            ids.push(line[0]);
        }
    });
}

#[test]
fn spawned_code_belongs_to_the_run_only_where_flowcore_spawned_it() {
    #[flow]
    async fn spawns() -> flowcore::Result<[Option<RunId>; 5]> {
        let me = || flowcore::context().map(|run| run.run_id());
        let parent = || async { task_line.submit().await.unwrap().get(1).copied() };
        Ok([
            flowcore::spawn(async move { me() }).await.unwrap(),
            flowcore::spawn_blocking(me).await.unwrap(),
            flowcore::spawn(parent()).await.unwrap(),
            tokio::spawn(parent()).await.unwrap(),
            std::thread::spawn(me).join().unwrap(),
        ])
    }
    each_runtime(|_| {
        let run = spawns.submit();
        let me = Some(run.run_id());
        assert_eq!(run.result().unwrap(), [me, me, me, None, None]);
    });
}

#[tokio::test]
async fn async_subflows_run_concurrently() {
    #[flow]
    async fn meets(all: Arc<tokio::sync::Barrier>) {
        all.wait().await;
    }
    #[flow]
    async fn gathers() -> flowcore::Result<()> {
        let all = Arc::new(tokio::sync::Barrier::new(3));
        tokio::try_join!(meets(all.clone()), meets(all.clone()), meets(all)).map(drop)
    }
    gathers().await.unwrap();
}

#[task]
fn add_task(a: u32, b: u32) -> u32 {
    a + b
}

#[flow]
fn recurse(n: u32) -> flowcore::Result<u32> {
    if n == 0 { Ok(0) } else { add_task(n, recurse(n - 1)?) }
}

#[flow]
async fn recurse_async(n: u32) -> flowcore::Result<u32> {
    if n == 0 {
        Ok(0)
    } else {
        add_task.submit(n, recurse_async.submit(n - 1)).await
    }
}

#[flow]
fn ping(n: u32) -> flowcore::Result<u32> {
    if n == 0 {
        Ok(0)
    } else {
        Ok(n + pong.submit(n - 1).result()?)
    }
}

#[flow]
async fn pong(n: u32) -> flowcore::Result<u32> {
    if n == 0 {
        Ok(0)
    } else {
        Ok(n + ping.submit(n - 1).await?)
    }
}

#[test]
fn direct_and_mutual_recursion_with_tasks_inside_sums_up() {
    each_runtime(|_| {
        assert_eq!(recurse(5).unwrap(), 15);
        assert_eq!(recurse.submit(5).result().unwrap(), 15);
        assert_eq!(recurse_async(5).run().unwrap(), 15);
        assert_eq!(ping(5).unwrap(), 15);
        assert_eq!(pong(5).run().unwrap(), 15);
    });
}

#[test]
fn thirty_three_tasks_each_submitting_and_waiting_for_the_next_complete() {
    #[task]
    fn chain(n: u32) -> flowcore::Result<u32> {
        if n == 0 {
            Ok(0)
        } else {
            Ok(chain.submit(n - 1).result()? + 1)
        }
    }
    #[task]
    async fn async_chain(n: u32) -> flowcore::Result<u32> {
        if n == 0 {
            Ok(0)
        } else {
            Ok(async_chain.submit(n - 1).await? + 1)
        }
    }
    #[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
    fn bounded() -> flowcore::Result<u32> {
        Ok(chain.submit(33).result()? + async_chain.submit(33).result()?)
    }
    each_runtime(|_| {
        assert_eq!(chain.submit(33).result().unwrap(), 33);
        assert_eq!(async_chain.submit(33).result().unwrap(), 33);
        assert_eq!(bounded().unwrap(), 66);
    });
}

#[test]
fn a_flow_that_waits_for_a_task_that_waits_for_that_flow_fails_instead_of_hanging() {
    type Slot = Arc<std::sync::Mutex<Option<RunFuture<u32>>>>;
    #[task]
    fn waits(flow: Slot) -> flowcore::Result<u32> {
        let flow = flow.lock().unwrap().take().unwrap();
        flow.result()
    }
    #[flow]
    fn outer(own: Slot, begun: Gate) -> flowcore::Result<u32> {
        begun.pass();
        waits.submit(own).result()
    }
    let error = in_time("a cycle", || {
        let (own, begun) = (Slot::default(), Gate::new());
        let run = outer.submit(own.clone(), begun.clone());
        *own.lock().unwrap() = Some(run.clone());
        begun.open();
        run.result().unwrap_err()
    });
    assert_eq!((error.kind(), error.run_path()), (ErrorKind::Runner, "outer › waits"));
}

#[test]
fn a_subflow_waits_for_its_upstreams_and_is_not_ready_if_they_fail() {
    #[task]
    fn behind(gate: Gate, good: bool) -> Result<u32, String> {
        gate.pass();
        if good { Ok(1) } else { Err("bad".to_owned()) }
    }
    #[flow]
    fn child(calls: Arc<AtomicU32>) {
        calls.fetch_add(1, Ordering::SeqCst);
    }
    #[flow]
    async fn outer(good: bool, calls: Arc<AtomicU32>) -> (u32, String) {
        let gate = Gate::new();
        let upstream = behind.submit(gate.clone(), good);
        let run = child.bind(calls.clone()).wait_for(&upstream).submit();
        let before = calls.load(Ordering::SeqCst);
        gate.open();
        let name = flowcore::spawn_blocking(move || run.wait().name().to_owned())
            .await
            .unwrap();
        (before, name)
    }
    for (good, state) in [(true, "Completed"), (false, "NotReady")] {
        let calls = Arc::new(AtomicU32::new(0));
        assert_eq!(outer(good, calls.clone()).run().unwrap(), (0, state.to_owned()));
        assert_eq!(calls.load(Ordering::SeqCst), u32::from(good));
    }
}

#[test]
fn cancelling_a_run_cancels_its_whole_subtree() {
    #[task]
    async fn leaf(begun: Arc<AtomicU32>) {
        begun.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>().await;
    }
    #[task]
    fn blocking_leaf(begun: Arc<AtomicU32>) -> flowcore::Result<()> {
        begun.fetch_add(1, Ordering::SeqCst);
        loop {
            flowcore::context().unwrap().check_cancelled()?;
            std::thread::yield_now();
        }
    }
    #[flow]
    fn middle(begun: Arc<AtomicU32>) -> flowcore::Result<()> {
        let runs = [leaf.submit(begun.clone()), blocking_leaf.submit(begun.clone())];
        drop(leaf.submit(begun));
        runs.into_iter().collect::<RunFutures<()>>().settle_blocking();
        Ok(())
    }
    #[flow]
    async fn top(begun: Arc<AtomicU32>) -> flowcore::Result<()> {
        middle.map([begun.clone(), begun]).await.map(drop)
    }
    let recorder = Recorder::start();
    let begun = Arc::new(AtomicU32::new(0));
    let run = top.submit(begun.clone());
    let id = run.run_id();
    in_time("cancelled", move || {
        while begun.load(Ordering::SeqCst) < 6 {
            std::thread::yield_now();
        }
        run.cancel();
        assert_eq!(run.wait().name(), "Cancelled");
    });
    let tree = recorder.tree(id);
    let last = |run: &RunContext| run.states().last().unwrap().name();
    assert!(tree.iter().all(|(run, _)| last(run) == "Cancelled"), "{tree:#?}");
}
