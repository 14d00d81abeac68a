//! A process shows that it lives whatever its runs do; and one that was declared dead stops them. In a process of its own: it is dead then.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use flowcore::ErrorKind;
use flowcore::prelude::*;
use flowcore::store::{FaultyStore, MemoryStore, Store, StoreErrorKind, install};
use flowcore_tests::record::{row, tree};
use flowcore_tests::{Gate, LIMIT, in_time, names};

static HOGS: AtomicU32 = AtomicU32::new(0);
static LET_GO: AtomicBool = AtomicBool::new(false);

/// Never lets its thread go.
#[task]
async fn hogs() {
    HOGS.fetch_add(1, SeqCst);
    while !LET_GO.load(SeqCst) {
        std::hint::spin_loop();
    }
}

static BEGUN: std::sync::LazyLock<Gate> = std::sync::LazyLock::new(Gate::new);
static BLOCKED: std::sync::LazyLock<Gate> = std::sync::LazyLock::new(Gate::new);
static DROPPED: AtomicBool = AtomicBool::new(false);

#[task]
async fn waits() {
    struct Dropped;
    impl Drop for Dropped {
        fn drop(&mut self) {
            DROPPED.store(true, SeqCst);
        }
    }
    let _dropped = Dropped;
    BEGUN.open();
    std::future::pending().await
}

/// Looks whether it is to stop, as a blocking body does.
#[task]
fn works() -> flowcore::Result<()> {
    BLOCKED.open();
    loop {
        flowcore::context().unwrap().check_cancelled()?;
        std::thread::yield_now();
    }
}

#[flow(durable)]
async fn long() -> flowcore::Result<()> {
    let (one, other) = (waits.submit(), works.submit());
    one.await?;
    other.await
}

#[task]
fn noop() {}

fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let start = Instant::now();
    while !reached() {
        assert!(start.elapsed() < LIMIT, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// One test: a process dies once.
#[test]
fn a_process_lives_while_its_executor_is_starved_and_stops_when_it_is_declared_dead() {
    let mut settings = flowcore::Settings::default();
    settings.lease = Duration::from_secs(1);
    settings.install().unwrap();
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())).not_immediate());
    install(store.clone()).unwrap();
    in_time("fenced", move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let hogging: Vec<_> = runtime.block_on(async { (0..2).map(|_| hogs.submit()).collect() });
        until("both workers are taken", || HOGS.load(SeqCst) == 2);
        let seen = || store.processes(false).unwrap()[0].seen_at;
        for _ in 0..3 {
            let before = seen();
            until("another sign of life", || seen() > before);
        }
        LET_GO.store(true, SeqCst);
        hogging.into_iter().for_each(|run| run.result().unwrap());

        let run = long.submit();
        BEGUN.pass();
        BLOCKED.pass();
        let number = row(run.run_id()).number;
        // Its start must be in the record, so that there is something to be crashed.
        until("both are recorded", || {
            tree(run.run_id())
                .iter()
                .filter(|row| row.state.name() == "Running")
                .count()
                == 3
        });
        let crashed = store
            .bury(number.process(), "it was silent for too long, says the test")
            .unwrap();
        assert_eq!(crashed, 3);

        let error = run.result().unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Store),
            "{error}"
        );
        run.wait();
        until("its bodies are dropped", || DROPPED.load(SeqCst));
        // What the store has said of them stays.
        for row in tree(run.run_id()) {
            assert_eq!(row.state.name(), "Crashed");
            assert!(row.state.message().unwrap().contains("says the test"));
        }
        assert_eq!(names(&store.states(number).unwrap()), ["Pending", "Running", "Crashed"]);

        // New runs don't begin.
        let runs = store.runs(&flowcore::store::RunQuery::default()).unwrap().items.len();
        for outcome in [noop(), noop.submit().result(), long().run()] {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store);
            let told = error.to_string();
            assert!(
                told.contains(&StoreErrorKind::Fenced.to_string()) && told.contains("start the program again"),
                "{told}"
            );
        }
        assert!(
            flowcore::resume(run.run_id())
                .unwrap_err()
                .to_string()
                .contains("start the program again")
        );
        assert_eq!(
            store.runs(&flowcore::store::RunQuery::default()).unwrap().items.len(),
            runs
        );
    });
}
