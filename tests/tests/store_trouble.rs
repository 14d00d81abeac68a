//! A store that fails, under the policy `fail`: outermost and durable runs fail with an error that says why, and nothing is lost that the
//! store takes later.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use flowcore::prelude::*;
use flowcore::store::{Fault, FaultyStore, MemoryStore, StoreCall, StoreErrorKind, install};
use flowcore::{ErrorKind, RunId, resume};
use flowcore_tests::record::{children, row, store, told, tree};
use flowcore_tests::{Bodies, LIMIT, in_time, names};
use serde_json::json;

static FAULTY: LazyLock<Arc<FaultyStore>> = LazyLock::new(|| {
    let faulty = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())).not_immediate());
    install(faulty.clone()).unwrap();
    faulty
});

/// One test after the other, as they share the store.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_BY_ONE: Mutex<()> = Mutex::new(());
    let alone = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
    FAULTY.heal();
    // What an earlier test has left behind is written, or given up.
    assert_eq!(noop().unwrap(), 1);
    alone
}

fn fails_with(kind: StoreErrorKind) {
    FAULTY.script(move |call, _| (call == StoreCall::Apply).then_some(Fault::Before(kind)));
}

#[task]
fn noop() -> u32 {
    1
}

static STEPS: Bodies = Bodies::new();
static BREAKS: AtomicBool = AtomicBool::new(false);

#[task]
fn step(n: u32) -> u32 {
    STEPS.called();
    if BREAKS.load(SeqCst) && n == 3 {
        fails_with(StoreErrorKind::Full);
    }
    n
}

#[flow]
fn plain() -> flowcore::Result<u32> {
    (0..5).map(*step).sum()
}

#[flow(durable)]
fn kept() -> flowcore::Result<u32> {
    (0..5).map(|n| step.submit(n).result()).sum()
}

#[flow(durable)]
async fn kept_async() -> flowcore::Result<u32> {
    let mut sum = 0;
    for n in 0..5 {
        sum += step.submit(n).await?;
    }
    Ok(sum)
}

fn latest(flow: &str) -> RunId {
    let query = flowcore::store::RunQuery {
        definition: Some(flow.to_owned()),
        limit: 1,
        ..flowcore::store::RunQuery::default()
    };
    store().runs(&query).unwrap().items[0].id
}

#[test]
fn a_panic_in_a_write_is_tried_again_and_then_told() {
    let _alone = alone();
    in_time("panic", || {
        FAULTY.next(StoreCall::Apply, Fault::Panic);
        assert_eq!(plain().unwrap(), 10);
        let run = latest("plain");
        assert_eq!((row(run).state.name(), children(run).len()), ("Completed", 5));

        FAULTY.next(StoreCall::Apply, Fault::Panic);
        FAULTY.next(StoreCall::Apply, Fault::Panic);
        let error = plain().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(error.to_string().contains("panicked"), "{error}");

        assert_eq!(plain().unwrap(), 10);
        let run = latest("plain");
        assert_eq!((row(run).state.name(), children(run).len()), ("Completed", 5));
        assert_eq!(store().check(true).unwrap().problems, [""; 0]);
    });
}

#[test]
fn what_was_written_and_told_as_an_error_is_there_once() {
    let _alone = alone();
    in_time("committed", || {
        for kind in [
            StoreErrorKind::Unreachable,
            StoreErrorKind::Other,
            StoreErrorKind::Locked,
        ] {
            // All that a run writes is told as an error the first time.
            FAULTY.script(move |call, n| (call == StoreCall::Apply && n % 2 == 0).then_some(Fault::After(kind)));
            for _ in 0..4 {
                // Which of them an outermost run waits for is a matter of time.
                let outcome = kept();
                assert!(
                    outcome
                        .as_ref()
                        .map_or_else(|error| error.kind() == ErrorKind::Store, |sum| *sum == 10)
                );
            }
            FAULTY.heal();
            assert_eq!(kept().unwrap(), 10);
            let run = latest("kept");
            assert!(children(run).iter().all(|row| row.states == 3 && row.attempt == 1));
            let states = store().states(row(run).number).unwrap();
            assert_eq!(names(&states), ["Pending", "Running", "Completed"]);
            assert_eq!(store().check(true).unwrap().problems, [""; 0]);
        }
    });
}

#[test]
fn a_full_store_fails_runs_until_there_is_room_again() {
    let _alone = alone();
    in_time("full", || {
        fails_with(StoreErrorKind::Full);
        for outcome in [plain(), kept(), kept_async().run(), plain.submit().result(), noop()] {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store);
            let told = error.to_string();
            assert!(told.contains("the store is full"), "{told}");
        }
        FAULTY.heal();
        assert_eq!(plain().unwrap(), 10);
        assert_eq!(kept().unwrap(), 10);
        assert_eq!(kept_async().run().unwrap(), 10);
    });
}

#[test]
fn a_durable_run_that_a_full_store_has_interrupted_is_resumed_in_the_same_process() {
    let _alone = alone();
    in_time("resume", || {
        for flow in [|| kept(), || kept_async().run()] {
            STEPS.take();
            BREAKS.store(true, SeqCst);
            let error = flow().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store, "{error}");
            let calls = STEPS.take();
            assert_eq!(calls, 4, "the flow doesn't go on without its record");
            BREAKS.store(false, SeqCst);
            // The error is that of the call that could not be recorded.
            let run = error.run_id().unwrap();
            let told_before = resume(run).map(drop);
            FAULTY.heal();
            assert!(told_before.is_err());
            let resumed = resume(run).unwrap();
            assert_eq!(resumed.result_json().unwrap(), json!(10));
            // The call whose record was lost for a time is in it now.
            assert_eq!(STEPS.count(), 1);
            let rows = tree(resumed.run_id());
            assert_eq!(rows.len(), 6);
            assert!(
                rows.iter().all(|row| row.state.is_completed() && row.error.is_empty()),
                "{:?}",
                told(&rows)
            );
        }
    });
}

#[test]
fn what_a_store_takes_later_is_written_without_another_run() {
    let _alone = alone();
    in_time("later", || {
        for kind in [
            StoreErrorKind::Full,
            StoreErrorKind::Locked,
            StoreErrorKind::ReadOnly,
            StoreErrorKind::Unreachable,
        ] {
            BREAKS.store(false, SeqCst);
            fails_with(kind);
            let run = plain.submit();
            run.result().unwrap_err();
            FAULTY.heal();
            let start = std::time::Instant::now();
            while store()
                .run(run.run_id())
                .unwrap()
                .is_none_or(|row| !row.state.is_final())
            {
                assert!(start.elapsed() < LIMIT, "{kind:?}: it is never written");
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            assert_eq!(
                told(&tree(run.run_id())),
                [
                    ("plain", "Completed"),
                    ("step", "Completed"),
                    ("step", "Completed"),
                    ("step", "Completed"),
                    ("step", "Completed"),
                    ("step", "Completed")
                ]
            );
        }
    });
}

#[test]
fn what_the_record_knows_can_be_asked_or_the_run_fails() {
    static LIVES: Bodies = Bodies::new();
    #[flow(durable)]
    fn asks() -> flowcore::Result<u32> {
        let sum = step(1)? + step(2)?;
        if LIVES.called() == 0 {
            Err(flowcore::Error::msg("once"))
        } else {
            Ok(sum)
        }
    }
    let _alone = alone();
    in_time("asked", || {
        BREAKS.store(false, SeqCst);
        let run = flowcore_tests::record::failed(asks());
        STEPS.take();
        for call in [StoreCall::Run, StoreCall::Claim] {
            FAULTY.next(call, Fault::Before(StoreErrorKind::Unreachable));
            assert_eq!(resume(run).unwrap_err().kind(), ErrorKind::Store);
            assert_eq!(row(run).state.name(), "Failed");
        }
        FAULTY.next(StoreCall::Recorded, Fault::Before(StoreErrorKind::Unreachable));
        let error = resume(run).unwrap().result_json().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
        // Claimed by a call that told an error: the run is nobody's, and open.
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(3));
        assert_eq!(STEPS.count(), 0);
    });
}

static DONE: AtomicU32 = AtomicU32::new(0);

#[task]
async fn tiny() {
    DONE.fetch_add(1, SeqCst);
}

#[flow]
async fn floods(runs: u32) {
    for _ in 0..runs {
        drop(tiny.submit());
    }
}

#[test]
fn a_store_that_stands_still_holds_up_who_writes_and_loses_nothing() {
    const RUNS: u32 = 200_000;
    // What may be queued, what is being written, and those that are about to be queued.
    const MOST: u32 = 65_536 + 2 * 8_192 + 1_000;
    let _alone = alone();
    in_time("flood", || {
        let gate = FAULTY.hold(StoreCall::Apply);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let flood = {
            let _on = runtime.enter();
            floods.submit(RUNS)
        };
        assert!(gate.wait_for(1, LIMIT));
        let start = std::time::Instant::now();
        while DONE.load(SeqCst) < 65_536 - 1_000 && start.elapsed() < LIMIT {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        // Others read meanwhile.
        store().runs(&flowcore::store::RunQuery::default()).unwrap();
        let done = DONE.load(SeqCst);
        assert!(done < MOST, "{done}");
        assert!(!flood.state().is_final());
        drop(gate);
        flood.result().unwrap();
        assert_eq!(DONE.load(SeqCst), RUNS);
        let counts = store().counts(row(flood.run_id()).number).unwrap();
        let completed: u64 = counts
            .iter()
            .filter(|count| count.definition == "tiny")
            .map(|count| count.count)
            .sum();
        assert_eq!((completed, counts.len()), (u64::from(RUNS), 2), "{counts:?}");
    });
}
