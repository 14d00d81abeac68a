//! A shutdown leaves a body its time that works beside its children.
#![allow(clippy::unwrap_used, reason = "a test may panic anywhere")]
use flowcore::prelude::*;
use flowcore_tests::Gate;
use std::sync::mpsc;
use std::time::Duration;

#[task(retries = 1, retry_delay_seconds = 3600)]
fn fails(failed: mpsc::Sender<()>) -> Result<(), String> {
    let _ = failed.send(());
    Err("no".into())
}

#[flow]
fn busy(running: Gate, gate: Gate) -> u32 {
    let (failed, has_failed) = mpsc::channel();
    let child = fails.submit(failed);
    has_failed.recv().unwrap();
    running.open();
    gate.pass(); // works on, and waits for no run
    child.cancel();
    7
}

#[test]
fn a_body_at_work_may_end_though_it_has_a_child() {
    let (running, gate) = (Gate::new(), Gate::new());
    let run = busy.submit(running.clone(), gate.clone());
    running.pass();
    let down = std::thread::spawn(|| {
        let rt = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        rt.block_on(flowcore::shutdown(Duration::from_secs(50)))
    });
    // Not needed to fail, only to be sure of it: the shutdown has begun.
    while !down.is_finished() && probe.submit().wait_timeout(Duration::ZERO).name() != "Pending" {
        std::thread::yield_now();
    }
    gate.open();
    assert_eq!(run.result().map_err(|error| error.to_string()), Ok(7));
    down.join().unwrap();
}
#[task]
async fn probe() {}
