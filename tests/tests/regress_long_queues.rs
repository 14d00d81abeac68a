//! However many runs wait in a line or in a queue, their end costs no stack.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

mod queues;

use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time};
use tokio::runtime::Builder;

use self::queues::{long_queue, never};

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
        let run = long_queue.submit(queued.clone());
        drop(inside);
        runtime.block_on(queued.passed());
        drop(runtime);
        run.wait()
    });
    assert_eq!(end.name(), "Crashed");
}
