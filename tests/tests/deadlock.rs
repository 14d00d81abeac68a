//! The deadlock promise: trees of runs that wait for runs complete under any limit, and never more bodies work at once than the
//! limit says.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::Arc;

use flowcore::prelude::*;
use flowcore_tests::{Meter, Runtime, in_time};

const FAN_OUT: u32 = 4;
const DEPTH: u32 = 6;
/// 1 + 4 + 16 + … + 4^6
const NODES: u64 = 5461;

/// What a node's children are given.
type Child = (u32, Meter);

fn children(level: u32, meter: &Meter) -> Vec<Child> {
    let below = if level == 0 { 0 } else { FAN_OUT };
    (0..below).map(|_| (level - 1, meter.clone())).collect()
}

fn sum(counts: Vec<u64>) -> u64 {
    1 + counts.into_iter().sum::<u64>()
}

#[task]
fn sync_tree(level: u32, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    let counts = sync_tree.map(children(level, &meter)).result()?;
    Ok(meter.during(|| sum(counts)))
}

#[task]
async fn async_tree(level: u32, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    let counts = async_tree.map(children(level, &meter)).await?;
    Ok(meter.during(|| sum(counts)))
}

#[task]
fn sync_over_async(level: u32, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    let counts = async_over_sync.map(children(level, &meter)).result()?;
    Ok(meter.during(|| sum(counts)))
}

#[task]
async fn async_over_sync(level: u32, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    let counts = sync_over_async.map(children(level, &meter)).await?;
    Ok(meter.during(|| sum(counts)))
}

/// An async body that blocks its worker.
#[task]
async fn blocking_async(level: u32, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    let counts = sync_under_blocking.map(children(level, &meter)).result()?;
    Ok(meter.during(|| sum(counts)))
}

#[task]
fn sync_under_blocking(level: u32, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    let counts = blocking_async.map(children(level, &meter)).result()?;
    Ok(meter.during(|| sum(counts)))
}

/// Waits for its children one after the other, each started only then.
#[task]
fn one_by_one(level: u32, meter: Meter) -> flowcore::Result<u64> {
    let mut nodes = 1;
    for (level, meter) in children(level, &meter) {
        meter.work();
        nodes += one_by_one.submit(level, meter).result()?;
    }
    Ok(nodes)
}

#[task]
fn direct_calls(level: u32, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    let mut nodes = 1;
    for (level, below) in children(level, &meter) {
        nodes += if level % 2 == 0 {
            direct_calls(level, below)?
        } else {
            direct_calls.submit(level, below).result()?
        };
    }
    Ok(nodes)
}

#[task]
fn task_over_flow(level: u32, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    let counts = flow_over_task.map(children(level, &meter)).result()?;
    Ok(meter.during(|| sum(counts)))
}

#[flow]
fn flow_over_task(level: u32, meter: Meter) -> flowcore::Result<u64> {
    Ok(sum(task_over_flow.map(children(level, &meter)).result()?))
}

#[task]
async fn async_task_over_flow(level: u32, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    let counts = async_flow_over_task.map(children(level, &meter)).await?;
    Ok(meter.during(|| sum(counts)))
}

#[flow]
async fn async_flow_over_task(level: u32, meter: Meter) -> flowcore::Result<u64> {
    Ok(sum(async_task_over_flow.map(children(level, &meter)).await?))
}

#[task]
fn task_over_async_flow(level: u32, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    let counts = async_flow_over_sync_task.map(children(level, &meter)).result()?;
    Ok(meter.during(|| sum(counts)))
}

#[flow]
async fn async_flow_over_sync_task(level: u32, meter: Meter) -> flowcore::Result<u64> {
    Ok(sum(task_over_async_flow.map(children(level, &meter)).await?))
}

/// Each child in the order of completion.
#[task]
fn as_they_come(level: u32, meter: Meter) -> flowcore::Result<u64> {
    let mut nodes = 1;
    for run in as_completed(as_they_come.map(children(level, &meter))) {
        nodes += meter.during(|| run.result())?;
    }
    Ok(nodes)
}

/// Nobody waits for the children but the runs themselves, at their ends.
#[task]
fn detached(level: u32, meter: Meter) -> u64 {
    meter.during(|| drop(detached.map(children(level, &meter))));
    NODES
}

/// A child's result is the next one's input.
#[task]
fn chained(level: u32, before: u64, meter: Meter) -> flowcore::Result<u64> {
    meter.work();
    if level == 0 {
        return Ok(before + 1);
    }
    let mut last = chained.submit(level - 1, before, meter.clone());
    for _ in 1..FAN_OUT {
        last = chained.submit(level - 1, last, meter.clone());
    }
    let nodes = last.result()?;
    Ok(meter.during(|| nodes + 1))
}

#[task]
fn start_chained(level: u32, meter: Meter) -> flowcore::Result<u64> {
    chained.submit(level, 0_u64, meter).result()
}

type Tree = fn(u32, Meter) -> RunFuture<u64>;

const TREES: [(&str, Tree); 12] = [
    ("sync", |level, meter| sync_tree.submit(level, meter)),
    ("async", |level, meter| async_tree.submit(level, meter)),
    ("sync over async", |level, meter| sync_over_async.submit(level, meter)),
    ("async over sync", |level, meter| async_over_sync.submit(level, meter)),
    ("one by one", |level, meter| one_by_one.submit(level, meter)),
    ("direct calls", |level, meter| direct_calls.submit(level, meter)),
    ("tasks over flows", |level, meter| task_over_flow.submit(level, meter)),
    ("async tasks over flows", |level, meter| {
        async_task_over_flow.submit(level, meter)
    }),
    ("tasks over async flows", |level, meter| {
        task_over_async_flow.submit(level, meter)
    }),
    ("as they come", |level, meter| as_they_come.submit(level, meter)),
    ("detached", |level, meter| detached.submit(level, meter)),
    ("chained", |level, meter| start_chained.submit(level, meter)),
];

/// Trees whose async bodies block the thread they are polled on.
const BLOCKING_TREES: [(&str, Tree); 2] = [
    ("async that blocks over sync", |level, meter| {
        blocking_async.submit(level, meter)
    }),
    ("sync over async that blocks", |level, meter| {
        sync_under_blocking.submit(level, meter)
    }),
];

#[derive(Clone)]
struct Plan(Tree, Meter, u32);

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
fn one_worker(plan: Plan) -> flowcore::Result<u64> {
    (plan.0)(plan.2, plan.1).result()
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(2))]
fn two_workers(plan: Plan) -> flowcore::Result<u64> {
    (plan.0)(plan.2, plan.1).result()
}

#[flow(task_runner = SequentialTaskRunner::new())]
fn sequential(plan: Plan) -> flowcore::Result<u64> {
    (plan.0)(plan.2, plan.1).result()
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
async fn one_worker_async(plan: Plan) -> flowcore::Result<u64> {
    (plan.0)(plan.2, plan.1).await
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(2))]
async fn two_workers_async(plan: Plan) -> flowcore::Result<u64> {
    (plan.0)(plan.2, plan.1).await
}

#[flow(task_runner = SequentialTaskRunner::new())]
async fn sequential_async(plan: Plan) -> flowcore::Result<u64> {
    (plan.0)(plan.2, plan.1).await
}

type Start = fn(Plan) -> flowcore::Result<u64>;

const SYNC_FLOWS: [(&str, usize, Start); 3] = [
    ("one worker", 1, |plan| one_worker(plan)),
    ("two workers", 2, |plan| two_workers(plan)),
    ("sequential", 1, |plan| sequential(plan)),
];

type Submit = fn(Plan) -> RunFuture<u64>;

const ASYNC_FLOWS: [(&str, usize, Submit); 3] = [
    ("one worker", 1, |plan| one_worker_async.submit(plan)),
    ("two workers", 2, |plan| two_workers_async.submit(plan)),
    ("sequential", 1, |plan| sequential_async.submit(plan)),
];

fn check(what: &str, limit: usize, meter: &Meter, nodes: flowcore::Result<u64>) {
    match nodes {
        Ok(nodes) => assert_eq!(nodes, NODES, "{what}"),
        Err(error) => panic!("{what}: {error:#}"),
    }
    assert!(meter.most() <= limit, "{what}: {} bodies at once", meter.most());
    assert!(meter.total() > 1000, "{what}: {} pieces of work", meter.total());
}

fn sync_flow(runtime: Runtime, trees: &'static [(&'static str, Tree)]) {
    for (limit_name, limit, start) in SYNC_FLOWS {
        for &(tree_name, tree) in trees {
            let what = format!("{tree_name}, {limit_name}, sync flow, {runtime:?}");
            let meter = Meter::new();
            let plan = Plan(tree, meter.clone(), DEPTH);
            let nodes = in_time(&what, move || runtime.enter(|| start(plan)));
            check(&what, limit, &meter, nodes);
        }
    }
}

fn async_flow(runtime: Runtime, trees: &'static [(&'static str, Tree)]) {
    for (limit_name, limit, submit) in ASYNC_FLOWS {
        for &(tree_name, tree) in trees {
            let what = format!("{tree_name}, {limit_name}, async flow, {runtime:?}");
            let meter = Meter::new();
            let plan = Plan(tree, meter.clone(), DEPTH);
            let nodes = in_time(&what, move || match runtime {
                Runtime::None => submit(plan).result(),
                Runtime::CurrentThread => {
                    let builder = &mut tokio::runtime::Builder::new_current_thread();
                    builder
                        .enable_all()
                        .build()
                        .unwrap()
                        .block_on(async { submit(plan).await })
                }
                Runtime::MultiThread => {
                    let builder = &mut tokio::runtime::Builder::new_multi_thread();
                    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
                    runtime.block_on(async { submit(plan).await })
                }
            });
            check(&what, limit, &meter, nodes);
        }
    }
}

#[test]
fn trees_under_a_sync_flow_complete_without_a_runtime() {
    sync_flow(Runtime::None, &TREES);
}

#[test]
fn trees_under_a_sync_flow_complete_on_a_current_thread_runtime() {
    sync_flow(Runtime::CurrentThread, &TREES);
}

#[test]
fn trees_under_a_sync_flow_complete_on_a_multi_thread_runtime() {
    sync_flow(Runtime::MultiThread, &TREES);
}

#[test]
fn trees_under_an_async_flow_complete_without_a_runtime() {
    async_flow(Runtime::None, &TREES);
}

#[test]
fn trees_under_an_async_flow_complete_on_a_current_thread_runtime() {
    async_flow(Runtime::CurrentThread, &TREES);
}

#[test]
fn trees_under_an_async_flow_complete_on_a_multi_thread_runtime() {
    async_flow(Runtime::MultiThread, &TREES);
}

#[test]
fn async_bodies_that_block_complete_without_a_runtime() {
    sync_flow(Runtime::None, &BLOCKING_TREES);
    async_flow(Runtime::None, &BLOCKING_TREES);
}

#[test]
fn async_bodies_that_block_complete_on_a_multi_thread_runtime() {
    sync_flow(Runtime::MultiThread, &BLOCKING_TREES);
    async_flow(Runtime::MultiThread, &BLOCKING_TREES);
}

#[test]
fn async_bodies_that_block_complete_on_a_current_thread_runtime() {
    sync_flow(Runtime::CurrentThread, &BLOCKING_TREES);
    async_flow(Runtime::CurrentThread, &BLOCKING_TREES);
}

#[test]
fn a_runner_is_shared_by_the_recursion_of_the_flow_that_names_it() {
    #[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
    fn recursive(level: u32, meter: Meter) -> flowcore::Result<u64> {
        let work = sync_tree.submit(1, meter.clone());
        let below = recursive.map(children(level, &meter)).result()?;
        Ok(work.result()? + below.into_iter().sum::<u64>())
    }
    let meter = Meter::new();
    let at_work = meter.clone();
    let nodes = in_time("recursion", move || recursive(3, at_work)).unwrap();
    // 85 flow runs with a task tree of 5 nodes each.
    assert_eq!(nodes, 85 * 5);
    assert_eq!(meter.most(), 1);
}

#[test]
fn a_limit_is_reached_and_not_only_kept() {
    #[task]
    fn meet(meter: Meter, both: Arc<std::sync::Barrier>) {
        meter.during(|| both.wait());
    }
    #[flow(task_runner = ConcurrentTaskRunner::new().max_workers(4))]
    fn four(meter: Meter) -> flowcore::Result<()> {
        let all = Arc::new(std::sync::Barrier::new(4));
        meet.map((0..16).map(|_| (meter.clone(), all.clone())))
            .result()
            .map(drop)
    }
    let meter = Meter::new();
    let at_work = meter.clone();
    in_time("four at a barrier", move || four(at_work)).unwrap();
    assert_eq!(meter.most(), 4);
}
