//! The store in memory.

mod cached;
mod in_order;
mod log;
mod process;
mod read;
mod run;
mod sequences;
#[cfg(test)]
mod tests;
mod tree;
mod upkeep;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;

use parking_lot::Mutex;

use self::cached::CachedResults;
use self::in_order::InOrder;
use self::log::Line;
use self::process::Process;
use self::run::Run;
use self::tree::Tree;
use super::batch::Batch;
use super::error::StoreResult;
use super::number::RunNumber;
use super::process::{Beat, ProcessIdentity, ProcessRow};
use super::query::{LogQuery, Page, RunQuery};
use super::row::{Claimed, Count, Edge, Group, Health, LogRow, Recorded, RunRow};
use super::store::Store;
use crate::run::RunId;
use crate::state::State;

/// How many runs are kept unless told otherwise.
const MOST_RUNS: usize = 100_000;

/// Keeps runs in memory, until it is dropped.
///
/// It forgets: of the trees of runs that have ended, the oldest go when there are more runs than it is to keep. What it is told is
/// there for all who read when the call returns.
///
/// ```
/// use std::time::Duration;
/// use flowcore::store::{MemoryStore, ProcessIdentity, RunQuery, Store};
///
/// let store = MemoryStore::new();
/// assert_eq!(store.location(), "memory:");
/// assert_eq!(store.register(&ProcessIdentity::default(), Duration::from_secs(30))?, 1);
/// assert!(store.runs(&RunQuery::default())?.items.is_empty());
/// # Ok::<(), flowcore::store::StoreError>(())
/// ```
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

/// Everything, behind one lock that is never held for longer than one call takes.
struct Inner {
    most_runs: usize,
    processes: Vec<Process>,
    // Boxed, so that a growing table moves pointers only.
    runs: HashMap<RunNumber, Box<Run>>,
    ids: BTreeMap<RunId, RunNumber>,
    children: HashMap<RunNumber, InOrder>,
    trees: HashMap<RunNumber, Tree>,
    /// The roots of trees without an open run, by the time of their end.
    ended: BTreeSet<(i64, RunNumber)>,
    cached: CachedResults,
    /// Runs that are to be cancelled, until their processes have learnt of it.
    requests: BTreeSet<RunNumber>,
    last_line: i64,
}

/// What was taken out under the lock, to be dropped after it: a large tree takes its time.
#[derive(Default)]
struct Removed {
    #[allow(clippy::vec_box, reason = "they are boxed already")]
    runs: Vec<Box<Run>>,
    lines: Vec<Vec<Line>>,
}

impl MemoryStore {
    /// An empty store that keeps the latest 100,000 runs.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max_runs(MOST_RUNS)
    }

    /// An empty store that keeps the latest `most` runs, and a few more.
    ///
    /// Trees of runs go as a whole, those that ended first before others, and only if `most` runs are left without them; a tree with
    /// an open run never goes.
    ///
    /// ```
    /// let store = flowcore::store::MemoryStore::with_max_runs(1_000);
    /// ```
    #[must_use]
    pub fn with_max_runs(most: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                most_runs: most,
                processes: Vec::new(),
                runs: HashMap::new(),
                ids: BTreeMap::new(),
                children: HashMap::new(),
                trees: HashMap::new(),
                ended: BTreeSet::new(),
                cached: CachedResults::default(),
                requests: BTreeSet::new(),
                last_line: 0,
            }),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner.lock();
        f.debug_struct("MemoryStore")
            .field("runs", &inner.runs.len())
            .field("most_runs", &inner.most_runs)
            .finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn location(&self) -> String {
        "memory:".to_owned()
    }

    fn is_immediate(&self) -> bool {
        true
    }

    fn register(&self, process: &ProcessIdentity, lease: Duration) -> StoreResult<u32> {
        self.inner.lock().register(process, lease)
    }

    fn heartbeat(&self, process: u32, lease: Duration) -> StoreResult<Beat> {
        self.inner.lock().heartbeat(process, lease)
    }

    fn leave(&self, process: u32) -> StoreResult<()> {
        self.inner.lock().end(process, process::LEFT)?;
        Ok(())
    }

    fn processes(&self, ended: bool) -> StoreResult<Vec<ProcessRow>> {
        Ok(self.inner.lock().process_rows(ended))
    }

    fn bury(&self, process: u32, why: &str) -> StoreResult<u64> {
        self.inner.lock().end(process, why)
    }

    fn apply(&self, batch: &Batch) -> StoreResult<()> {
        let mut inner = self.inner.lock();
        inner.apply(batch)?;
        let removed = inner.evict();
        drop(inner);
        drop(removed);
        Ok(())
    }

    fn claim(&self, run: RunId, process: u32, at: i64) -> StoreResult<Claimed> {
        self.inner.lock().claim(run, process, at)
    }

    fn recorded(&self, parent: RunNumber) -> StoreResult<Vec<Recorded>> {
        Ok(self.inner.lock().recorded(parent))
    }

    fn cached(&self, definition_key: &str, cache_key: &str, now: i64) -> StoreResult<Option<Box<[u8]>>> {
        let inner = self.inner.lock();
        Ok(inner.cached.latest(&inner.runs, definition_key, cache_key, now))
    }

    fn run(&self, id: RunId) -> StoreResult<Option<RunRow>> {
        Ok(self.inner.lock().run_of(id).map(Run::row))
    }

    fn run_numbered(&self, number: RunNumber) -> StoreResult<Option<RunRow>> {
        Ok(self.inner.lock().runs.get(&number).map(|run| run.row()))
    }

    fn ids(&self, prefix: &str, limit: usize) -> StoreResult<Vec<RunId>> {
        self.inner.lock().ids_from(prefix, limit)
    }

    fn runs(&self, query: &RunQuery) -> StoreResult<Page<RunRow>> {
        Ok(self.inner.lock().page(query))
    }

    fn groups(&self, parent: RunNumber) -> StoreResult<Vec<Group>> {
        Ok(self.inner.lock().groups(parent))
    }

    fn counts(&self, root: RunNumber) -> StoreResult<Vec<Count>> {
        Ok(self.inner.lock().trees.get(&root).map(Tree::counts).unwrap_or_default())
    }

    fn states(&self, run: RunNumber) -> StoreResult<Vec<State>> {
        let inner = self.inner.lock();
        Ok(inner.runs.get(&run).map(|run| run.states.to_vec()).unwrap_or_default())
    }

    fn result(&self, run: RunNumber) -> StoreResult<Option<(Box<[u8]>, bool)>> {
        let inner = self.inner.lock();
        let result = inner.runs.get(&run).and_then(|run| run.result.as_ref());
        Ok(result.map(|result| (result.json.clone(), result.whole)))
    }

    fn logs(&self, query: &LogQuery) -> StoreResult<Page<LogRow>> {
        Ok(self.inner.lock().log_page(query))
    }

    fn edges(&self, parent: RunNumber, limit: usize) -> StoreResult<Vec<Edge>> {
        Ok(self.inner.lock().edges(parent, limit))
    }

    fn request_cancel(&self, run: RunId, _at: i64) -> StoreResult<bool> {
        self.inner.lock().request_cancel(run)
    }

    fn delete(&self, root: RunId) -> StoreResult<u64> {
        let removed = self.inner.lock().delete(root)?;
        Ok(removed.count())
    }

    fn prune(&self, before: i64, limit: usize) -> StoreResult<u64> {
        let removed = self.inner.lock().prune(before, limit);
        Ok(removed.count())
    }

    fn check(&self, deep: bool) -> StoreResult<Health> {
        Ok(self.inner.lock().check(deep))
    }
}
