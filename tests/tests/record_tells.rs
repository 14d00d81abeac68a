//! Runs that end are told so, whatever keeps the program's threads busy, and whatever its log subscriber does.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use flowcore::ErrorKind;
use flowcore::prelude::*;
use flowcore::store::{Fault, FaultyStore, MemoryStore, Store, StoreCall, StoreErrorKind, install};
use flowcore_tests::in_time;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

#[task]
fn noop() {}

#[flow]
async fn waits_its_own_way(together: Arc<Barrier>, told: mpsc::Sender<bool>) {
    together.wait();
    // As a library does that has threads of its own.
    let outcome = thread::spawn(|| noop().is_ok()).join();
    let _ = told.send(outcome.unwrap_or_default());
}

#[flow]
async fn never_ends() {
    std::future::pending::<()>().await;
}

const PANIC: u8 = 1;
const RUN: u8 = 2;

/// What the subscriber does with the next trouble it is told of.
static NEXT: AtomicU8 = AtomicU8::new(0);

struct Unruly;

impl<S: tracing::Subscriber> Layer<S> for Unruly {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() > tracing::Level::WARN || event.metadata().target() == "flowcore::run" {
            return;
        }
        match NEXT.swap(0, Ordering::SeqCst) {
            PANIC => panic!("the subscriber is broken"),
            RUN => {
                let _ = noop();
            }
            _ => {}
        }
    }
}

/// The outcome of `work`, which must not hang.
fn soon<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    in_time("a run, or who waits for it", work)
}

#[test]
#[allow(clippy::redundant_closure, reason = "a run object is no closure")]
fn whoever_waits_is_told() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Unruly)).unwrap();
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())).not_immediate());
    install(store.clone()).unwrap();

    // While the store is opened.
    NEXT.store(RUN, Ordering::SeqCst);
    store.next(StoreCall::Processes, Fault::Before(StoreErrorKind::Unreachable));
    soon(|| noop()).unwrap();
    assert_eq!(NEXT.load(Ordering::SeqCst), 0);

    // Every worker of the runtime stands still in a body.
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let together = Arc::new(Barrier::new(workers));
    let (told, outcomes) = mpsc::channel();
    for _ in 0..workers {
        drop(waits_its_own_way.submit(together.clone(), told.clone()));
    }
    for _ in 0..workers {
        assert_eq!(outcomes.recv_timeout(Duration::from_secs(60)), Ok(true));
    }

    for unruly in [PANIC, RUN] {
        NEXT.store(unruly, Ordering::SeqCst);
        store.script(|call, _| (call == StoreCall::Apply).then_some(Fault::Before(StoreErrorKind::Full)));
        let error = soon(|| noop()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
        assert_eq!(NEXT.load(Ordering::SeqCst), 0);
        store.heal();
        soon(|| noop()).unwrap();
    }

    // Who shows that the process lives, and hears of cancellations, survives a store and a subscriber that panic.
    let beats = store.calls(StoreCall::Heartbeat);
    NEXT.store(PANIC, Ordering::SeqCst);
    store.next(StoreCall::Heartbeat, Fault::Panic);
    store.next(StoreCall::Heartbeat, Fault::Before(StoreErrorKind::Unreachable));
    let run = never_ends.submit();
    soon({
        let store = store.clone();
        move || {
            while store.calls(StoreCall::Heartbeat) < beats + 2 {
                thread::sleep(Duration::from_millis(5));
            }
        }
    });
    let (id, started) = (run.run_id(), store.clone());
    soon(move || {
        while started.run(id).unwrap().is_none() {
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert!(store.request_cancel(id, 0).unwrap());
    assert_eq!(soon(move || run.wait()).name(), "Cancelled");
}
