//! A process that keeps its runs nowhere: plain runs go on, durable ones and a resume say what they need. In a process of its own, for its
//! settings.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use flowcore::prelude::*;
use flowcore::{ErrorKind, resume};
use flowcore_tests::{Bodies, in_time};

static BODIES: Bodies = Bodies::new();

#[task]
fn step() -> u32 {
    BODIES.called();
    1
}

#[flow]
fn plain() -> flowcore::Result<u32> {
    step()
}

#[flow(durable)]
fn kept() -> flowcore::Result<u32> {
    step()
}

#[flow(durable, retries = 3)]
async fn kept_async() -> flowcore::Result<u32> {
    step.submit().await
}

#[flow]
fn around() -> flowcore::Result<u32> {
    kept()
}

#[test]
fn a_durable_flow_needs_a_store() {
    let mut settings = flowcore::Settings::default();
    settings.database_url = Some("none:".to_owned());
    settings.install().unwrap();
    in_time("none", || {
        assert_eq!(plain().unwrap(), 1);
        assert_eq!(BODIES.take(), 1);
        for outcome in [
            kept(),
            kept_async().run(),
            kept.submit().result(),
            kept.bind().name("named").run(),
            around(),
        ] {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store);
            let told = error.to_string();
            assert!(
                told.contains("durable flow needs a store") && told.contains("FLOW_DATABASE_URL"),
                "{told}"
            );
        }
        assert_eq!(BODIES.count(), 0, "their bodies are not called");
        let error = resume(plain.submit().run_id()).unwrap_err();
        assert!(
            error.kind() == ErrorKind::Store && error.to_string().contains("FLOW_DATABASE_URL"),
            "{error}"
        );
    });
}
