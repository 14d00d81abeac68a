//! However many runs wait in a line or in a queue, their end costs no stack.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time};
use tokio::runtime::Builder;

#[task]
async fn never(_n: u32) {
    std::future::pending::<()>().await;
}

#[flow]
async fn nothing() {}

#[test]
fn a_long_line_of_runs_cancelled_one_by_one() {
    in_time("a long line", || {
        let first = never.submit(0);
        let mut line = vec![nothing.bind().wait_for(&first).submit()];
        for n in 0..100_000 {
            let next = nothing.bind().wait_for(&line[n]).submit();
            line.push(next);
        }
        line.iter().rev().for_each(RunFuture::cancel);
        drop(line);
        first.cancel();
    });
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
async fn many(queued: Gate) {
    let _all = never.map(0..50_000);
    queued.open();
    std::future::pending().await
}

#[test]
fn a_runtime_dropped_over_a_long_queue() {
    let end = in_time("a long queue", || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let queued = Gate::new();
        let inside = runtime.enter();
        let run = many.submit(queued.clone());
        drop(inside);
        runtime.block_on(queued.passed());
        drop(runtime);
        run.wait()
    });
    assert_eq!(end.name(), "Crashed");
}
