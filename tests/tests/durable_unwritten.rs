//! A durable flow that tries again while the record doesn't have yet what its last attempt has done.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use flowcore::observe::{Observer, observe};
use flowcore::prelude::*;
use flowcore::store::{FaultyStore, Gate, MemoryStore, StoreCall, install};
use flowcore::{RunContext, State};
use flowcore_tests::in_time;

static STORE: OnceLock<(Arc<FaultyStore>, mpsc::SyncSender<Gate>)> = OnceLock::new();
static CHARGED: AtomicU32 = AtomicU32::new(0);
static TRIES_AGAIN: AtomicBool = AtomicBool::new(false);

struct Watch;

impl Observer for Watch {
    fn on_state(&self, run: &RunContext, state: &State) {
        if state.name() == "Retrying" && run.depth() == 0 {
            TRIES_AGAIN.store(true, Ordering::SeqCst);
        }
    }
}

#[task]
fn charge() -> u32 {
    if CHARGED.fetch_add(1, Ordering::SeqCst) == 0
        && let Some((store, held)) = STORE.get()
    {
        // Its end is told to the store, which is slow.
        let _ = held.send(store.hold(StoreCall::Apply));
    }
    42
}

#[flow(durable, retries = 5, timeout_seconds = 1)]
async fn pay() -> flowcore::Result<u32> {
    charge.submit().await
}

#[test]
fn what_has_completed_is_not_done_again() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())).not_immediate());
    install(store.clone()).unwrap();
    let (hold, held) = mpsc::sync_channel(1);
    let _ = STORE.set((store.clone(), hold));
    let _watched = observe(Arc::new(Watch));
    let run = pay.submit();
    in_time("the next attempt", || {
        while !TRIES_AGAIN.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
    });
    // One that doesn't wait reads the record now.
    let soon = Instant::now() + Duration::from_millis(300);
    while store.calls(StoreCall::Recorded) == 0 && Instant::now() < soon {
        thread::sleep(Duration::from_millis(1));
    }
    drop(held.recv().unwrap());
    assert_eq!(in_time("the end", move || run.result()).unwrap(), 42);
    assert_eq!(CHARGED.load(Ordering::SeqCst), 1);
}
