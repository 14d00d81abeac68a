//! A store that fails, under the policy `continue`: runs go on without a record, what is lost is counted and told, and durable runs fail all
//! the same. In a process of its own, for its settings and its shutdown.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flowcore::prelude::*;
use flowcore::store::{Fault, FaultyStore, MemoryStore, StoreCall, StoreErrorKind, StoreTrouble, install};
use flowcore::{ErrorKind, resume};
use flowcore_tests::record::{children, row};
use flowcore_tests::{Bodies, LIMIT, in_time};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata};

static STEPS: Bodies = Bodies::new();

#[task]
fn step(n: u32) -> u32 {
    STEPS.called();
    n
}

#[flow]
fn plain() -> flowcore::Result<u32> {
    (0..5).map(*step).sum()
}

#[flow(durable)]
async fn kept() -> flowcore::Result<u32> {
    let mut sum = 0;
    for n in 0..5 {
        sum += step.submit(n).await?;
    }
    Ok(sum)
}

static PANICS: AtomicUsize = AtomicUsize::new(0);
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps what is told of the store, and panics the first time.
struct Subscriber;

impl tracing::Subscriber for Subscriber {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        let of_store = ["runs go on without a record", "the store works again"];
        let is_of_store = of_store.iter().any(|text| message.0.contains(text));
        LINES.lock().unwrap().push(message.0);
        if is_of_store && PANICS.fetch_add(1, SeqCst) == 0 {
            panic!("in a subscriber");
        }
    }
}

/// One test: what it does last can't be undone.
#[test]
fn runs_go_on_without_a_record_and_the_loss_is_told() {
    let mut settings = flowcore::Settings::default();
    settings.store_trouble = StoreTrouble::Continue;
    settings.install().unwrap();
    tracing::subscriber::set_global_default(Subscriber).unwrap();
    let faulty = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())).not_immediate());
    install(faulty.clone()).unwrap();
    in_time("continue", move || {
        assert_eq!(plain().unwrap(), 10);
        let fails = |kind| faulty.script(move |call, _| (call == StoreCall::Apply).then_some(Fault::Before(kind)));

        // What the store may take later is not lost.
        fails(StoreErrorKind::Full);
        STEPS.take();
        let run = plain.submit();
        assert_eq!(run.result().unwrap(), 10);
        let error = kept().run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
        assert!(error.to_string().contains("the store is full"), "{error}");
        assert_eq!(STEPS.take(), 5, "no body of the durable run was called");
        faulty.heal();
        assert_eq!(plain().unwrap(), 10);
        assert_eq!(
            (row(run.run_id()).state.name(), children(run.run_id()).len()),
            ("Completed", 5)
        );
        assert_eq!(resume(error.run_id().unwrap()).unwrap().result_json().unwrap(), 10);

        // What it refuses is.
        fails(StoreErrorKind::Refused);
        let lost = plain.submit();
        assert_eq!(lost.result().unwrap(), 10);
        assert_eq!(kept().run().unwrap_err().kind(), ErrorKind::Store);
        faulty.heal();
        assert_eq!(kept().run().unwrap(), 10);

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let report = runtime.block_on(flowcore::shutdown(Duration::ZERO));
        assert_eq!(report.crashed, 0);
        assert!(report.unrecorded >= 6, "{report:?}");
        // The program's log is told on a thread of its own.
        let told = |text: &str| LINES.lock().unwrap().iter().filter(|line| line.contains(text)).count();
        let start = Instant::now();
        while told("the store works again") < 2 && start.elapsed() < LIMIT {
            std::thread::yield_now();
        }
        assert_eq!(told("runs go on without a record"), 2, "once per trouble");
        let works = (told("works again; 0 changes were lost"), told("the store works again"));
        assert_eq!(works, (1, 2));
        assert_eq!(PANICS.load(SeqCst), 4, "the writer outlives a subscriber that panics");
    });
}
