//! A store that counts what is read.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::run::RunId;
use crate::state::State;
use crate::store::{
    Batch, Beat, Claimed, Count, Edge, Group, Health, LogQuery, LogRow, MemoryStore, Page, ProcessIdentity, ProcessRow,
    Recorded, RunNumber, RunQuery, RunRow, Store, StoreResult,
};

/// Hands its calls on, and counts those that read.
#[derive(Debug)]
pub(in crate::cli::views) struct Counted {
    store: MemoryStore,
    calls: AtomicUsize,
}

impl Counted {
    pub(super) fn new(store: MemoryStore) -> Self {
        Self {
            store,
            calls: AtomicUsize::new(0),
        }
    }

    /// How often it was read since it was last asked.
    pub(in crate::cli::views) fn calls(&self) -> usize {
        self.calls.swap(0, Ordering::Relaxed)
    }

    fn written(&self) -> &MemoryStore {
        &self.store
    }

    fn read(&self) -> &MemoryStore {
        self.calls.fetch_add(1, Ordering::Relaxed);
        &self.store
    }
}

macro_rules! hand_on {
    ($to:ident: $(fn $method:ident($($name:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $method(&self, $($name: $type),*) -> $result { self.$to().$method($($name),*) })*
    };
}

impl Store for Counted {
    hand_on! { written:
        fn location() -> String;
        fn register(process: &ProcessIdentity, lease: Duration) -> StoreResult<u32>;
        fn heartbeat(process: u32, lease: Duration) -> StoreResult<Beat>;
        fn leave(process: u32) -> StoreResult<()>;
        fn bury(process: u32, why: &str) -> StoreResult<u64>;
        fn apply(batch: &Batch) -> StoreResult<()>;
        fn claim(run: RunId, process: u32, at: i64) -> StoreResult<Claimed>;
        fn request_cancel(run: RunId, at: i64) -> StoreResult<bool>;
        fn delete(root: RunId) -> StoreResult<u64>;
        fn prune(before: i64, limit: usize) -> StoreResult<u64>;
    }
    hand_on! { read:
        fn processes(ended: bool) -> StoreResult<Vec<ProcessRow>>;
        fn recorded(parent: RunNumber) -> StoreResult<Vec<Recorded>>;
        fn cached(definition_key: &str, cache_key: &str, now: i64) -> StoreResult<Option<Box<[u8]>>>;
        fn run(id: RunId) -> StoreResult<Option<RunRow>>;
        fn run_numbered(number: RunNumber) -> StoreResult<Option<RunRow>>;
        fn ids(prefix: &str, limit: usize) -> StoreResult<Vec<RunId>>;
        fn runs(query: &RunQuery) -> StoreResult<Page<RunRow>>;
        fn groups(parent: RunNumber) -> StoreResult<Vec<Group>>;
        fn counts(root: RunNumber) -> StoreResult<Vec<Count>>;
        fn states(run: RunNumber) -> StoreResult<Vec<State>>;
        fn result(run: RunNumber) -> StoreResult<Option<(Box<[u8]>, bool)>>;
        fn logs(query: &LogQuery) -> StoreResult<Page<LogRow>>;
        fn edges(parent: RunNumber, limit: usize) -> StoreResult<Vec<Edge>>;
        fn check(deep: bool) -> StoreResult<Health>;
    }
}
