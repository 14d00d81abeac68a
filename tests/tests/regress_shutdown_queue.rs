//! A shutdown ends a long queue without a deep stack: a process of its own, as it ends all runs there are.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::time::Duration;

use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time};
use tokio::runtime::Builder;

#[task]
async fn never(_n: u32) {
    std::future::pending::<()>().await;
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
async fn many(queued: Gate) {
    let _all = never.map(0..50_000);
    queued.open();
    std::future::pending().await
}

#[test]
fn a_shutdown_over_a_long_queue() {
    let end = in_time("a long queue", || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let queued = Gate::new();
            let run = many.submit(queued.clone());
            queued.passed().await;
            flowcore::shutdown(Duration::ZERO).await;
            run.wait()
        })
    });
    assert_eq!(end.name(), "Crashed");
}
