//! A shutdown ends a long queue without a deep stack: a process of its own, as it ends all runs there are.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

mod queues;

use std::time::Duration;

use flowcore_tests::{Gate, in_time};
use tokio::runtime::Builder;

use self::queues::long_queue;

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
            let run = long_queue.submit(queued.clone());
            queued.passed().await;
            flowcore::shutdown(Duration::ZERO).await;
            run.wait()
        })
    });
    assert_eq!(end.name(), "Crashed");
}
