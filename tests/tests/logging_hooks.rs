//! What a hook logs stands in the log of its run.
#![allow(clippy::unwrap_used, reason = "a test may panic anywhere")]
use flowcore::observe::{LogRecord, Observer, observe};
use flowcore::prelude::*;
use std::sync::{Arc, Mutex};
use tracing_subscriber::prelude::*;

#[derive(Default)]
struct Log(Mutex<Vec<String>>);
impl Observer for Log {
    fn on_state(&self, _: &RunContext, _: &State) {}
    fn on_log(&self, run: &RunContext, record: &LogRecord<'_>) {
        self.0
            .lock()
            .unwrap()
            .push(format!("{} {}", run.run_name(), record.message));
    }
}
fn tells(_: &RunContext, state: &State) {
    tracing::info!("hook of {}", state.name());
}
#[task(run_name = "hooked", on_running = tells, on_completion = tells)]
fn hooked() {}

#[test]
fn what_a_hook_logs_is_in_its_runs_log() {
    tracing_subscriber::registry()
        .with(flowcore::logging::RunLayer::new())
        .init();
    let log = Arc::new(Log::default());
    let _seen = observe(log.clone());
    hooked().unwrap();
    let lines = log.0.lock().unwrap();
    for line in ["hooked hook of Running", "hooked hook of Completed"] {
        assert!(lines.iter().any(|have| have == line), "{line} is missing: {lines:?}");
    }
}
