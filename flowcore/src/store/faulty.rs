//! A store that fails on demand.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::batch::Batch;
use super::error::{StoreError, StoreErrorKind, StoreResult};
use super::number::RunNumber;
use super::process::{Beat, ProcessIdentity, ProcessRow};
use super::query::{LogQuery, Page, RunQuery};
use super::row::{Claimed, Count, Edge, Group, Health, LogRow, Recorded, RunRow};
use super::store::Store;
use crate::run::RunId;
use crate::state::State;

/// A call of a [`Store`]'s, named after its method.
///
/// ```
/// use flowcore::store::StoreCall;
/// assert_eq!(StoreCall::RequestCancel.to_string(), "RequestCancel");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "each is the method of its name")]
#[non_exhaustive]
pub enum StoreCall {
    Register,
    Heartbeat,
    Leave,
    Processes,
    Bury,
    Apply,
    Claim,
    Recorded,
    Cached,
    Run,
    RunNumbered,
    Ids,
    Runs,
    Groups,
    Counts,
    States,
    Result,
    Logs,
    Edges,
    RequestCancel,
    Delete,
    Prune,
    Check,
}

impl fmt::Display for StoreCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What goes wrong with a call of a [`FaultyStore`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The call fails, and has done nothing.
    Before(StoreErrorKind),
    /// The call has done its work, and the caller is told an error all the same, as when a connection breaks at the wrong moment.
    After(StoreErrorKind),
    /// The call panics, and has done nothing.
    Panic,
}

type Script = Box<dyn FnMut(StoreCall, u64) -> Option<Fault> + Send>;

/// A store around another that fails, panics and waits on demand: for tests of what uses a store.
///
/// ```
/// use std::sync::Arc;
/// use flowcore::store::conformance::Writer;
/// use flowcore::store::{Fault, FaultyStore, MemoryStore, Store, StoreCall, StoreErrorKind};
///
/// let faulty = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
/// let store: Arc<dyn Store> = faulty.clone();
/// let writer = Writer::new(&store);
/// let mut task = writer.task("charge");
///
/// faulty.next(StoreCall::Apply, Fault::After(StoreErrorKind::Unreachable));
/// let error = writer.try_write([&mut task]).unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Unreachable);
/// assert!(store.run(task.id())?.is_some(), "it was written all the same");
/// assert_eq!(faulty.calls(StoreCall::Apply), 1);
/// # Ok::<(), flowcore::store::StoreError>(())
/// ```
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    shared: Arc<Shared>,
    immediate: bool,
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Plan>,
    /// Told when a call begins to wait, and when a gate opens.
    changed: Condvar,
}

#[derive(Default)]
struct Plan {
    calls: HashMap<StoreCall, u64>,
    next: HashMap<StoreCall, VecDeque<Fault>>,
    script: Option<Script>,
    /// How many gates hold a sort of call.
    gates: HashMap<StoreCall, usize>,
    waiting: HashMap<StoreCall, usize>,
}

impl FaultyStore {
    /// A store that does what `inner` does until it is told otherwise.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            immediate: inner.is_immediate(),
            inner,
            shared: Arc::default(),
        }
    }

    /// Says that it isn't [immediate](Store::is_immediate), so that the engine writes through its writer's thread.
    #[must_use]
    pub fn not_immediate(mut self) -> Self {
        self.immediate = false;
        self
    }

    /// That fault for the next call of that sort; told several times, for one call after the other.
    pub fn next(&self, call: StoreCall, fault: Fault) {
        self.shared.plan.lock().next.entry(call).or_default().push_back(fault);
    }

    /// Asks `script` before each call for which nothing is [planned](Self::next): with the sort of call, and how many of that sort were
    /// made before it. It must not use the store.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use flowcore::store::{Fault, FaultyStore, MemoryStore, Store, StoreCall, StoreErrorKind};
    ///
    /// let store = FaultyStore::new(Arc::new(MemoryStore::new()));
    /// store.script(|call, n| (call == StoreCall::Processes && n < 2).then_some(Fault::Before(StoreErrorKind::Locked)));
    /// let outcomes = [(); 3].map(|()| store.processes(true).is_ok());
    /// assert_eq!(outcomes, [false, false, true]);
    /// ```
    pub fn script(&self, script: impl FnMut(StoreCall, u64) -> Option<Fault> + Send + 'static) {
        self.shared.plan.lock().script = Some(Box::new(script));
    }

    /// From now on nothing fails: what was planned is forgotten. Gates stay.
    pub fn heal(&self) {
        let mut plan = self.shared.plan.lock();
        plan.script = None;
        plan.next.clear();
    }

    /// How many calls of that sort were begun.
    #[must_use]
    pub fn calls(&self, call: StoreCall) -> u64 {
        self.shared.plan.lock().calls.get(&call).copied().unwrap_or_default()
    }

    /// Calls of that sort wait until the gate is dropped.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use flowcore::store::{FaultyStore, MemoryStore, Store, StoreCall};
    ///
    /// let store = FaultyStore::new(Arc::new(MemoryStore::new()));
    /// let gate = store.hold(StoreCall::Processes);
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| store.processes(true));
    ///     assert!(gate.wait_for(1, Duration::from_secs(60)));
    ///     drop(gate);
    /// });
    /// ```
    #[must_use]
    pub fn hold(&self, call: StoreCall) -> Gate {
        *self.shared.plan.lock().gates.entry(call).or_default() += 1;
        Gate {
            call,
            shared: self.shared.clone(),
        }
    }

    fn call<T>(&self, call: StoreCall, work: impl FnOnce(&dyn Store) -> StoreResult<T>) -> StoreResult<T> {
        match self.shared.fault(call) {
            None => work(&*self.inner),
            Some(Fault::Before(kind)) => Err(StoreError::new(kind, format!("{call} fails on demand"))),
            Some(Fault::After(kind)) => {
                work(&*self.inner)?;
                let message = format!("{call} did its work, and fails on demand");
                Err(StoreError::new(kind, message))
            }
            Some(Fault::Panic) => panic!("{call} panics on demand"),
        }
    }
}

impl Shared {
    /// Counts the call, waits while a gate holds it, and tells what is to go wrong.
    fn fault(&self, call: StoreCall) -> Option<Fault> {
        let mut plan = self.plan.lock();
        let count = plan.calls.entry(call).or_default();
        let before = *count;
        *count += 1;
        if plan.is_held(call) {
            *plan.waiting.entry(call).or_default() += 1;
            self.changed.notify_all();
            while plan.is_held(call) {
                self.changed.wait(&mut plan);
            }
            *plan.waiting.entry(call).or_default() -= 1;
        }
        let planned = plan.next.get_mut(&call).and_then(VecDeque::pop_front);
        planned.or_else(|| plan.script.as_mut()?(call, before))
    }
}

impl Plan {
    fn is_held(&self, call: StoreCall) -> bool {
        self.gates.get(&call).is_some_and(|gates| *gates > 0)
    }
}

/// Holds calls of a [`FaultyStore`] until it is dropped.
pub struct Gate {
    call: StoreCall,
    shared: Arc<Shared>,
}

impl Gate {
    /// Waits until `count` calls wait at the gate; false if that takes longer than `most`.
    #[must_use]
    pub fn wait_for(&self, count: usize, most: Duration) -> bool {
        let mut plan = self.shared.plan.lock();
        let few = |plan: &mut Plan| plan.waiting.get(&self.call).copied().unwrap_or_default() < count;
        !self.shared.changed.wait_while_for(&mut plan, few, most).timed_out()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let mut plan = self.shared.plan.lock();
        if let Some(gates) = plan.gates.get_mut(&self.call) {
            *gates -= 1;
        }
        self.shared.changed.notify_all();
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({})", self.call)
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl Store for FaultyStore {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn is_immediate(&self) -> bool {
        self.immediate
    }

    fn register(&self, process: &ProcessIdentity, lease: Duration) -> StoreResult<u32> {
        self.call(StoreCall::Register, |store| store.register(process, lease))
    }

    fn heartbeat(&self, process: u32, lease: Duration) -> StoreResult<Beat> {
        self.call(StoreCall::Heartbeat, |store| store.heartbeat(process, lease))
    }

    fn leave(&self, process: u32) -> StoreResult<()> {
        self.call(StoreCall::Leave, |store| store.leave(process))
    }

    fn processes(&self, ended: bool) -> StoreResult<Vec<ProcessRow>> {
        self.call(StoreCall::Processes, |store| store.processes(ended))
    }

    fn bury(&self, process: u32, why: &str) -> StoreResult<u64> {
        self.call(StoreCall::Bury, |store| store.bury(process, why))
    }

    fn apply(&self, batch: &Batch) -> StoreResult<()> {
        self.call(StoreCall::Apply, |store| store.apply(batch))
    }

    fn claim(&self, run: RunId, process: u32, at: i64) -> StoreResult<Claimed> {
        self.call(StoreCall::Claim, |store| store.claim(run, process, at))
    }

    fn recorded(&self, parent: RunNumber) -> StoreResult<Vec<Recorded>> {
        self.call(StoreCall::Recorded, |store| store.recorded(parent))
    }

    fn cached(&self, definition_key: &str, cache_key: &str, now: i64) -> StoreResult<Option<Box<[u8]>>> {
        self.call(StoreCall::Cached, |store| store.cached(definition_key, cache_key, now))
    }

    fn run(&self, id: RunId) -> StoreResult<Option<RunRow>> {
        self.call(StoreCall::Run, |store| store.run(id))
    }

    fn run_numbered(&self, number: RunNumber) -> StoreResult<Option<RunRow>> {
        self.call(StoreCall::RunNumbered, |store| store.run_numbered(number))
    }

    fn ids(&self, prefix: &str, limit: usize) -> StoreResult<Vec<RunId>> {
        self.call(StoreCall::Ids, |store| store.ids(prefix, limit))
    }

    fn runs(&self, query: &RunQuery) -> StoreResult<Page<RunRow>> {
        self.call(StoreCall::Runs, |store| store.runs(query))
    }

    fn groups(&self, parent: RunNumber) -> StoreResult<Vec<Group>> {
        self.call(StoreCall::Groups, |store| store.groups(parent))
    }

    fn counts(&self, root: RunNumber) -> StoreResult<Vec<Count>> {
        self.call(StoreCall::Counts, |store| store.counts(root))
    }

    fn states(&self, run: RunNumber) -> StoreResult<Vec<State>> {
        self.call(StoreCall::States, |store| store.states(run))
    }

    fn result(&self, run: RunNumber) -> StoreResult<Option<(Box<[u8]>, bool)>> {
        self.call(StoreCall::Result, |store| store.result(run))
    }

    fn logs(&self, query: &LogQuery) -> StoreResult<Page<LogRow>> {
        self.call(StoreCall::Logs, |store| store.logs(query))
    }

    fn edges(&self, parent: RunNumber, limit: usize) -> StoreResult<Vec<Edge>> {
        self.call(StoreCall::Edges, |store| store.edges(parent, limit))
    }

    fn request_cancel(&self, run: RunId, at: i64) -> StoreResult<bool> {
        self.call(StoreCall::RequestCancel, |store| store.request_cancel(run, at))
    }

    fn delete(&self, root: RunId) -> StoreResult<u64> {
        self.call(StoreCall::Delete, |store| store.delete(root))
    }

    fn prune(&self, before: i64, limit: usize) -> StoreResult<u64> {
        self.call(StoreCall::Prune, |store| store.prune(before, limit))
    }

    fn check(&self, deep: bool) -> StoreResult<Health> {
        self.call(StoreCall::Check, |store| store.check(deep))
    }
}
