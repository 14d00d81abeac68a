//! Runtimes that are dropped under their runs, and `shutdown`. In a process of its own: a shutdown is for good.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::time::Duration;

use flowcore::ErrorKind;
use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time, names};

#[task]
async fn forever(begun: Gate) -> u32 {
    begun.open();
    std::future::pending().await
}

#[task(retries = 1, retry_delay_seconds = 86_400)]
async fn tomorrow() -> Result<u32, String> {
    Err("not today".to_owned())
}

#[flow]
async fn outer(begun: Gate) -> flowcore::Result<u32> {
    forever.submit(begun).await
}

#[task]
fn blocks(begun: Gate, gate: Gate) -> u32 {
    begun.open();
    gate.pass();
    1
}

/// One test: what it does last can't be undone.
#[test]
fn runs_end_crashed_with_their_runtime_and_with_the_process() {
    in_time("dropped runtimes", || {
        for workers in [0, 2] {
            let mut builder = match workers {
                0 => tokio::runtime::Builder::new_current_thread(),
                _ => tokio::runtime::Builder::new_multi_thread(),
            };
            let runtime = builder.enable_all().build().unwrap();
            let runs = runtime.block_on(async {
                let gates: Vec<_> = (0..100).map(|_| Gate::new()).collect();
                let runs: Vec<_> = gates.iter().map(|gate| outer.submit(gate.clone())).collect();
                for gate in &gates {
                    gate.passed().await;
                }
                let late = tomorrow.submit();
                while late.state().name() != "AwaitingRetry" {
                    tokio::task::yield_now().await;
                }
                runs.into_iter().chain([late]).collect::<Vec<_>>()
            });
            drop(runtime);
            for run in &runs {
                assert_eq!(run.wait().name(), "Crashed");
                let error = run.result().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Crashed);
                assert!(error.to_string().contains("runtime was shut down"), "{error}");
            }
        }
    });
    // The process's other runs go on.
    let gate = Gate::new();
    gate.open();
    assert_eq!(blocks.submit(Gate::new(), gate).result().unwrap(), 1);

    in_time("shutdown", || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (stuck_gate, open_soon, open_never) = (Gate::new(), Gate::new(), Gate::new());
        let (soon_begun, never_begun, stuck_begun) = (Gate::new(), Gate::new(), Gate::new());
        let soon = blocks.submit(soon_begun.clone(), open_soon.clone());
        soon_begun.pass();
        // Those that can end do, and do so well.
        let ended = std::thread::spawn(move || open_soon.open());
        let stuck = {
            let _runtime = runtime.enter();
            outer.submit(stuck_begun.clone())
        };
        runtime.block_on(stuck_begun.passed());
        let blocked = blocks.submit(never_begun.clone(), open_never.clone());
        never_begun.pass();
        ended.join().unwrap();
        soon.wait();
        let report = runtime.block_on(flowcore::shutdown(Duration::from_millis(50)));
        assert_eq!(soon.wait().name(), "Completed");
        // The flow, its task, and the blocking body that is left to its thread.
        assert_eq!(report.crashed, 3);
        assert_eq!(names(&stuck.states()), ["Pending", "Running", "Crashed"]);
        assert_eq!(blocked.wait().name(), "Crashed");
        assert_eq!(blocked.result().unwrap_err().kind(), ErrorKind::Crashed);
        // Nothing starts any more.
        let late = blocks.submit(Gate::new(), stuck_gate);
        assert!(late.wait_timeout(Duration::from_millis(20)).name() != "Running");
        open_never.open();
    });
}
