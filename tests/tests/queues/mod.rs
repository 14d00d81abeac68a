//! A flow with a long queue of tasks, of which one at a time may begin, and none ends.

use flowcore::prelude::*;

use flowcore_tests::Gate;

/// Never ends.
#[task]
pub(crate) async fn never(_n: u32) {
    std::future::pending::<()>().await;
}

/// Submits 50,000 tasks that never end, opens the gate, and doesn't end either.
#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
pub(crate) async fn long_queue(queued: Gate) {
    let _all = never.map(0..50_000);
    queued.open();
    std::future::pending().await
}
