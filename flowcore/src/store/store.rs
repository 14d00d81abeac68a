//! The trait that a store implements.

use std::fmt::Debug;
use std::time::Duration;

use super::batch::Batch;
use super::error::StoreResult;
use super::number::RunNumber;
use super::process::{Beat, ProcessIdentity, ProcessRow};
use super::query::{LogQuery, Page, RunQuery};
use super::row::{Claimed, Count, Edge, Group, Health, LogRow, Recorded, RunRow};
use crate::run::RunId;
use crate::state::State;

/// Where runs are kept: every state of every run, results, logs, dependencies, and the processes that run them.
///
/// All methods block, may be called from any thread and at the same time, and never panic. Reading never holds up writing. A
/// [suite of tests](super::conformance) tells whether an implementation keeps these promises.
pub trait Store: Send + Sync + Debug + 'static {
    /// Where it is, without secrets.
    fn location(&self) -> String;

    /// Whether a batch is applied at once, in memory: then the engine writes in place instead of through a thread of its own.
    fn is_immediate(&self) -> bool {
        false
    }

    // --- processes ---------------------------------------------------------------------------------------------------

    /// Enters a process, alive until `lease` has passed without a [`heartbeat`](Store::heartbeat). Gives its number, from 1, never
    /// given to another.
    fn register(&self, process: &ProcessIdentity, lease: Duration) -> StoreResult<u32>;

    /// The process lives, for another `lease`. It learns whether it has been declared dead, and which of its runs are to be cancelled:
    /// each is told once.
    fn heartbeat(&self, process: u32, lease: Duration) -> StoreResult<Beat>;

    /// The process ends in good order. Runs that it leaves open are crashed, as by [`bury`](Store::bury).
    fn leave(&self, process: u32) -> StoreResult<()>;

    /// The processes that have not ended; with `ended`, the others as well. Oldest first.
    fn processes(&self, ended: bool) -> StoreResult<Vec<ProcessRow>>;

    /// A process is dead: its open runs become `Crashed` with that message, those that wait for a retry included, and whatever it
    /// still writes is refused. Of a process that ended before, nothing changes.
    ///
    /// Runs in the states `Running` and `Retrying` have their attempt forgiven; those of them without a running child had the process
    /// die in their body, and count a crash. Gives how many runs were crashed.
    fn bury(&self, process: u32, why: &str) -> StoreResult<u64>;

    // --- writing -----------------------------------------------------------------------------------------------------

    /// Writes a batch, all or nothing. When it returns `Ok` the batch is as safe as the store's durability promises.
    ///
    /// A batch whose sequence number the store has from this process is not written again: after an error a caller may not know, and
    /// may repeat it. A batch of a process that was declared dead is refused as `Fenced`.
    fn apply(&self, batch: &Batch) -> StoreResult<()>;

    // --- durable runs ------------------------------------------------------------------------------------------------

    /// Hands an ended durable root run to a living process, to go on with: its state becomes `Pending`, its end is forgotten.
    ///
    /// `NotFound` if there is none of that id; `Refused` if it isn't durable, isn't a root, has completed, or is open (two processes
    /// that claim a run at the same time: one gets it).
    fn claim(&self, run: RunId, process: u32, at: i64) -> StoreResult<Claimed>;

    /// What is recorded of the calls that `parent` made. Those that completed come with their results.
    fn recorded(&self, parent: RunNumber) -> StoreResult<Vec<Recorded>>;

    /// The result of the latest completed run of that task, recorded whole under that cache key and not expired at `now`.
    fn cached(&self, definition_key: &str, cache_key: &str, now: i64) -> StoreResult<Option<Box<[u8]>>>;

    // --- reading -----------------------------------------------------------------------------------------------------

    /// The run of that id.
    fn run(&self, id: RunId) -> StoreResult<Option<RunRow>>;

    /// The run of that number.
    fn run_numbered(&self, number: RunNumber) -> StoreResult<Option<RunRow>>;

    /// The ids that begin with `prefix`: lowercase hexadecimal digits without hyphens, 1 to 32 of them. No more than `limit`.
    fn ids(&self, prefix: &str, limit: usize) -> StoreResult<Vec<RunId>>;

    /// The runs asked for, ordered by id, which is by the time of their making.
    fn runs(&self, query: &RunQuery) -> StoreResult<Page<RunRow>>;

    /// The children of a run, folded by flow or task and state, in the order of the first of each.
    fn groups(&self, parent: RunNumber) -> StoreResult<Vec<Group>>;

    /// What a whole tree has come to. Without reading the tree: its size doesn't matter.
    fn counts(&self, root: RunNumber) -> StoreResult<Vec<Count>>;

    /// All states of a run, oldest first.
    fn states(&self, run: RunNumber) -> StoreResult<Vec<State>>;

    /// A run's result, as JSON; `None` if it has none, or none was kept. False if only its head was kept.
    fn result(&self, run: RunNumber) -> StoreResult<Option<(Box<[u8]>, bool)>>;

    /// The log asked for, oldest line first.
    fn logs(&self, query: &LogQuery) -> StoreResult<Page<LogRow>>;

    /// The dependencies of the children of `parent`. No more than `limit`.
    fn edges(&self, parent: RunNumber, limit: usize) -> StoreResult<Vec<Edge>>;

    // --- requests ----------------------------------------------------------------------------------------------------

    /// Asks the process that runs it to cancel a run with everything below it. False if the run is over.
    fn request_cancel(&self, run: RunId, at: i64) -> StoreResult<bool>;

    // --- upkeep ------------------------------------------------------------------------------------------------------

    /// Deletes a root run and everything below it. `Refused` while one of these is open, or if it isn't a root. Gives how many runs
    /// are gone.
    fn delete(&self, root: RunId) -> StoreResult<u64>;

    /// Deletes the root runs that ended before that time, oldest first, each with everything below it, and at most `limit` of them;
    /// never one with an open run, or with a result that later runs may find by its cache key. Gives how many runs are gone.
    fn prune(&self, before: i64, limit: usize) -> StoreResult<u64>;

    /// Looks whether everything is in order. With `deep`, reads all of it.
    fn check(&self, deep: bool) -> StoreResult<Health>;
}
