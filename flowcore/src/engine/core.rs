//! What the engine keeps of every run, whatever function it is a run of.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::Waker;
use std::thread::ThreadId;
use std::time::Duration;

use compact_str::CompactString;
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;
use tokio::task::AbortHandle;

use super::ambient;
use super::children::{Children, Roots};
use super::custom::Custom;
use super::durable::{Before, Durable, Identity};
use super::history::History;
use super::listeners::Listener;
use super::name;
use super::node::{Node, NodeRef};
use super::park::Parked;
use super::recording::Number;
use super::scope::Scope;
use super::slot;
use crate::clock;
use crate::definition::Definition;
use crate::error::Error;
use crate::options::{Options, RetryDelay};
use crate::run::{RunId, RunKind};
use crate::settings::settings;
use crate::state::{State, StateName};
use crate::store::CallKey;

/// Where a run stands between its making and its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Inputs are outstanding.
    Waiting,
    /// The task runner has it.
    Held,
    /// Whoever comes first may begin the next attempt.
    Queued,
    /// The body runs.
    Body,
    /// The body has ended, children have not.
    Draining,
    /// Waits for its next attempt.
    Delayed,
    /// Its last state is known, hooks run.
    Ending,
    /// Over.
    Settled,
}

/// Bits of [`Core::told`]: the output is there.
pub(crate) const VALUE: u8 = 1;
/// The error is there.
pub(crate) const ERROR: u8 = 2;
/// Result, good or bad.
pub(crate) const RESULT: u8 = VALUE | ERROR;
/// The run is over, and so is everything below it that it waited for.
pub(crate) const SETTLED: u8 = 4;

/// What changes in a run's life.
pub(crate) struct Inner {
    pub(crate) phase: Phase,
    pub(crate) attempt: u32,
    pub(crate) history: History,
    pub(crate) error: Option<Error>,
    /// What the body has returned, for the store.
    pub(crate) result: Option<Box<Kept>>,
    pub(crate) listeners: SmallVec<[Listener; 1]>,
    /// Wakes the body's future.
    pub(crate) driver: Option<Waker>,
    /// Whether the body's future has waited for a child.
    pub(crate) waits: bool,
    /// Threads that wait in the name of the body, or for its slot.
    pub(crate) waiting: Option<Box<Waiting>>,
    /// The thread that last polled the body's future in vain.
    pub(crate) polled_by: Option<ThreadId>,
    pub(crate) timer: Option<AbortHandle>,
    /// Whether the attempt was given up because it took too long.
    pub(crate) timed_out: bool,
    /// How many of the states the observers have seen.
    pub(crate) observed: u32,
    /// Whether a thread is showing states to the observers.
    pub(crate) observing: bool,
    /// Whether the run ends as soon as the observers have seen its last state.
    pub(crate) ends_observed: bool,
}

/// Most runs never have a thread wait, and pay for a pointer only.
pub(crate) type Waiting = SmallVec<[Arc<Parked>; 2]>;

impl Inner {
    /// The threads that wait in the name of the body, or for its slot.
    pub(crate) fn waiting(&self) -> &[Arc<Parked>] {
        self.waiting.as_deref().map_or(&[], |waiting| waiting)
    }

    /// Whoever works for the body, to be woken without the lock.
    pub(crate) fn workers(&self) -> SmallVec<[Waker; 2]> {
        let waiting = self.waiting().iter().map(|parked| Waker::from(parked.clone()));
        self.driver.iter().cloned().chain(waiting).collect()
    }
}

/// A result as JSON.
pub(crate) struct Kept {
    pub(crate) json: CompactString,
    /// Whether it is all there.
    pub(crate) whole: bool,
    /// Under what key later runs find it, and until when (Unix nanoseconds).
    pub(crate) cache: Option<(String, Option<i64>)>,
}

/// A run that another waits for before it starts.
pub(crate) struct Dependency {
    pub(crate) id: RunId,
    pub(crate) number: Number,
    /// Gone once nobody is interested in it any more.
    pub(crate) run: Weak<dyn Node>,
}

/// A run's parameters and name as shown.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) parameters: Option<CompactString>,
    pub(crate) run_name: Option<Box<str>>,
    /// Whether something of the parameters is left out.
    pub(crate) partial: bool,
}

/// The part of a run that doesn't depend on its function's types.
pub(crate) struct Core {
    pub(crate) definition: &'static Definition,
    pub(crate) id: RunId,
    /// Its number in the store, and that of the run without a parent that it is below.
    pub(crate) number: Number,
    pub(crate) root_number: Number,
    pub(crate) durable: Option<Box<Durable>>,
    pub(crate) parent: Option<NodeRef>,
    /// Its own, or its parent's where there is none: all runs of a tree counting the users of one scope would slow each other.
    scope: Option<Arc<Scope>>,
    /// The first levels of its path, kept every so many levels.
    #[allow(
        clippy::redundant_allocation,
        reason = "a run that keeps none pays for a thin pointer only"
    )]
    pub(super) top: Option<Box<Arc<str>>>,
    pub(crate) custom: Option<Box<Custom>>,
    pub(crate) depth: u32,
    /// The epoch of the parent's body that made this run.
    parent_epoch: u32,
    place: AtomicU32,
    pub(super) listener_keys: AtomicU32,
    pub(crate) handles: AtomicU32,
    pub(crate) slot: AtomicU8,
    pub(super) told: AtomicU8,
    cancelled: AtomicBool,
    /// Whether the store is to be told of it.
    noted: AtomicBool,
    /// How many of its states the store has.
    written: AtomicU32,
    /// Whether the store was given its parameters.
    recorded: AtomicBool,
    /// Whether the body runs on its caller's stack.
    pub(crate) direct: bool,
    pub(crate) moved: AtomicBool,
    /// The epoch in the upper half (each attempt has its own), the body and the children it waits for in the lower.
    pending: AtomicU64,
    offset: i64,
    inner: Mutex<Inner>,
    pub(crate) children: Children,
    record: OnceLock<Record>,
    /// The runs whose results are its inputs, and those it only waits for.
    #[allow(clippy::box_collection, reason = "a run without inputs pays for a pointer only")]
    dependencies: OnceLock<Box<Vec<Dependency>>>,
}

/// How a run comes into being.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Birth {
    /// Called directly: its body runs on its caller's stack.
    Direct,
    /// Submitted with all inputs there.
    Queued,
    /// Submitted with inputs to come, or to a runner.
    Waiting,
    /// Over before it began: the record has its result.
    Recorded,
}

/// What is around a new run.
pub(crate) struct Origin {
    parent: Option<NodeRef>,
    parent_epoch: u32,
}

impl Origin {
    /// The run that the current thread works for.
    pub(crate) fn current() -> Self {
        let (parent, parent_epoch) = ambient::run();
        Self { parent, parent_epoch }
    }

    /// Nothing.
    pub(crate) fn none() -> Self {
        Self {
            parent: None,
            parent_epoch: 0,
        }
    }

    /// The run, and the epoch of its body.
    pub(super) fn parent(&self) -> Option<(&NodeRef, u32)> {
        self.parent.as_ref().map(|parent| (parent, self.parent_epoch))
    }

    /// Whether a runner decides on tasks here.
    pub(crate) fn has_runner(&self) -> bool {
        self.parent
            .as_ref()
            .is_some_and(|parent| parent.core().scope().runner.is_some())
    }

    /// Where a call was made, if that was in a run; else where it is started.
    pub(crate) fn or_current(self) -> Self {
        if self.parent.is_some() { self } else { Self::current() }
    }
}

/// Where parameters of a run are cut in the record. A cache key may be made of them, and must tell all calls apart that fit; a durable
/// flow is resumed with them.
pub(crate) fn record_limit(definition: &Definition) -> usize {
    const CACHED: usize = 1 << 20;
    let limit = settings().record_limit;
    if definition.meta.durable {
        limit.max(settings().result_limit)
    } else if definition.options().cache_key.is_some() {
        limit.max(CACHED)
    } else {
        limit
    }
}

/// How far up a run looks for its scope, and for the top of its path, at the most.
const LEVELS_TO_SCOPE: u32 = 32;

const ONE_EPOCH: u64 = 1 << 32;

/// Whether that epoch is the present one, and something of it is pending.
fn is_open(pending: u64, epoch: u32) -> bool {
    (pending >> 32) as u32 == epoch && !pending.is_multiple_of(ONE_EPOCH)
}

impl Core {
    pub(crate) fn new(
        definition: &'static Definition,
        origin: Origin,
        custom: Option<Box<Custom>>,
        birth: Birth,
        identity: Identity,
    ) -> Self {
        let Origin { parent, parent_epoch } = origin;
        let (depth, offset) = match &parent {
            Some(parent) => (parent.core().depth + 1, parent.core().offset),
            None => {
                clock::follow_wall_clock();
                (0, clock::offset())
            }
        };
        let scope = Self::scope_for(definition, parent.as_ref(), depth);
        let top = match &parent {
            Some(parent) if depth.is_multiple_of(LEVELS_TO_SCOPE) => Some(Box::new(parent.core().top())),
            _ => None,
        };
        let at = clock::ticks() + offset;
        let phase = match birth {
            Birth::Direct | Birth::Queued => Phase::Queued,
            Birth::Waiting => Phase::Waiting,
            Birth::Recorded => Phase::Settled,
        };
        let before = identity.durable.as_ref().and_then(|durable| durable.before.as_ref());
        let history = match &identity.answer {
            Some(answer) if birth == Birth::Recorded => History::restored(&answer.state),
            _ => History::new(
                StateName::Pending,
                before.map_or(at, |before| at.max(before.state.at + 1)),
            ),
        };
        let over = if birth == Birth::Recorded { VALUE | SETTLED } else { 0 };
        Self {
            definition,
            id: identity.id.unwrap_or_else(|| RunId::generate(at)),
            number: identity.number,
            root_number: identity.root,
            parent,
            scope,
            top,
            custom,
            depth,
            parent_epoch,
            place: AtomicU32::new(u32::MAX),
            listener_keys: AtomicU32::new(0),
            handles: AtomicU32::new(0),
            slot: AtomicU8::new(slot::NONE),
            told: AtomicU8::new(over),
            cancelled: AtomicBool::new(false),
            noted: AtomicBool::new(false),
            written: AtomicU32::new(before.map_or(0, |before| before.overlaps.into())),
            recorded: AtomicBool::new(false),
            direct: birth == Birth::Direct,
            moved: AtomicBool::new(false),
            pending: AtomicU64::new(0),
            offset,
            inner: Mutex::new(Inner {
                phase,
                attempt: before.map_or(0, |before| before.attempt),
                history,
                error: None,
                result: None,
                listeners: SmallVec::new(),
                driver: None,
                waits: false,
                waiting: None,
                polled_by: None,
                timer: None,
                timed_out: false,
                observed: 0,
                observing: false,
                ends_observed: false,
            }),
            children: Children::default(),
            record: OnceLock::new(),
            dependencies: OnceLock::new(),
            durable: identity.durable,
        }
    }

    fn scope_for(definition: &'static Definition, parent: Option<&NodeRef>, depth: u32) -> Option<Arc<Scope>> {
        let names_runner = definition.options().task_runner.is_some();
        match parent {
            Some(parent) if names_runner => Some(parent.core().scope().inside(definition)),
            Some(parent) if depth.is_multiple_of(LEVELS_TO_SCOPE) => Some(parent.core().scope().clone()),
            Some(_) => None,
            None if names_runner => Some(Scope::root().inside(definition)),
            None => Some(Scope::root()),
        }
    }

    /// What the run hands down to its subtree.
    pub(crate) fn scope(&self) -> &Arc<Scope> {
        let mut core = self;
        loop {
            match (&core.scope, &core.parent) {
                (Some(scope), _) => return scope,
                (None, Some(parent)) => core = parent.core(),
                (None, None) => return Scope::bare(),
            }
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }

    pub(crate) fn now(&self) -> i64 {
        clock::ticks() + self.offset
    }

    pub(crate) fn options(&self) -> &'static Options {
        self.definition.options()
    }

    pub(crate) fn kind(&self) -> RunKind {
        self.definition.kind()
    }

    pub(crate) fn is_async(&self) -> bool {
        self.definition.meta.is_async
    }

    /// The key that its call was given.
    pub(crate) fn key(&self) -> Option<&str> {
        self.custom.as_ref().and_then(|custom| custom.key.as_deref())
    }

    /// Where results are cut in the record. Those of a durable run are kept whole, or it fails.
    pub(crate) fn result_limit(&self) -> usize {
        if self.durable.is_some() || self.options().cache_key.is_some() {
            settings().result_limit
        } else {
            settings().record_limit
        }
    }

    /// Whether no attempt may follow that one.
    pub(crate) fn is_last(&self, attempt: u32) -> bool {
        attempt > self.retries().saturating_add(self.forgiven())
    }

    /// How many attempts of an earlier life don't count as failures.
    pub(crate) fn forgiven(&self) -> u32 {
        self.before().map_or(0, |before| before.forgiven)
    }

    pub(crate) fn retries(&self) -> u32 {
        let custom = self.custom.as_ref().and_then(|custom| custom.retries);
        custom.unwrap_or(self.options().retries)
    }

    pub(crate) fn retry_delay(&self) -> &RetryDelay {
        let custom = self.custom.as_ref().and_then(|custom| custom.retry_delay.as_ref());
        custom.unwrap_or(&self.options().retry_delay)
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        let custom = self.custom.as_ref().and_then(|custom| custom.timeout);
        custom.or(self.options().timeout)
    }

    /// The definition's tags and the call's.
    pub(crate) fn tags(&self) -> Vec<String> {
        let mut tags: Vec<String> = self.definition.tags().iter().map(ToString::to_string).collect();
        for tag in self.custom.iter().flat_map(|custom| &custom.tags) {
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
        }
        tags
    }

    pub(crate) fn state(&self) -> State {
        self.lock().history.current()
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.lock().attempt
    }

    // --- the record -------------------------------------------------------------------------------------------------

    pub(crate) fn set_record(&self, record: Record) {
        // Made once, by the first attempt.
        let _ = self.record.set(record);
    }

    /// Notes the runs that this one depends on. The first note stands.
    pub(crate) fn set_dependencies(&self, runs: impl FnOnce() -> Vec<NodeRef>) {
        self.dependencies.get_or_init(|| {
            let runs = runs().into_iter().map(|run| Dependency {
                id: run.core().id,
                number: run.core().number,
                run: Arc::downgrade(&run),
            });
            Box::new(runs.collect())
        });
    }

    pub(crate) fn dependencies(&self) -> &[Dependency] {
        self.dependencies.get().map_or(&[], |runs| runs)
    }

    pub(crate) fn has_record(&self) -> bool {
        self.record.get().is_some()
    }

    pub(crate) fn parameters(&self) -> Option<&str> {
        self.record.get()?.parameters.as_deref()
    }

    /// Whether the parameters are shown whole.
    pub(crate) fn has_whole_parameters(&self) -> bool {
        self.record.get().is_some_and(|record| !record.partial)
    }

    pub(crate) fn run_name(&self) -> String {
        let custom = self.custom.as_ref().and_then(|custom| custom.name.as_deref());
        let templated = || self.record.get().and_then(|record| record.run_name.as_deref());
        let plain = || name::of(self.definition, self.id);
        // An outermost run is not given its name again when it is resumed, and others only when their parameters are known.
        match (custom, self.before().map(|before| &*before.name)) {
            (Some(name), _) => name.to_owned(),
            (None, Some(name)) if name != plain() => name.to_owned(),
            _ => templated().map_or_else(plain, ToOwned::to_owned),
        }
    }

    /// What an earlier process, or an earlier attempt of its parent, has made of it.
    pub(crate) fn before(&self) -> Option<&Before> {
        self.durable.as_ref()?.before.as_ref()
    }

    /// What tells it from the other calls below a durable run.
    pub(crate) fn call_key(&self) -> Option<CallKey> {
        self.durable.as_ref().map(|durable| durable.key)
    }

    // --- the store -------------------------------------------------------------------------------------------------

    /// Notes that the store is to be told; true if it wasn't noted yet.
    pub(crate) fn mark_noted(&self) -> bool {
        !self.noted.swap(true, Ordering::SeqCst)
    }

    /// The store is being told.
    pub(crate) fn clear_noted(&self) {
        self.noted.store(false, Ordering::SeqCst);
    }

    /// Whether there are parameters that the store was not given yet; it is given them now.
    pub(crate) fn has_new_record(&self) -> bool {
        self.has_unwritten_record() && !self.recorded.swap(true, Ordering::SeqCst)
    }

    /// Whether there are parameters that the store was not given yet.
    pub(crate) fn has_unwritten_record(&self) -> bool {
        self.has_record() && !self.recorded.load(Ordering::SeqCst)
    }

    pub(crate) fn written(&self) -> u32 {
        self.written.load(Ordering::Acquire)
    }

    pub(crate) fn set_written(&self, states: u32) {
        self.written.fetch_max(states, Ordering::AcqRel);
    }

    // --- cancellation ----------------------------------------------------------------------------------------------

    /// Marks the run; true if it was marked before.
    pub(crate) fn mark_cancelled(&self) -> bool {
        self.cancelled.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Whether the body of that epoch has been told to stop, or given up.
    pub(crate) fn must_stop(&self, epoch: u32) -> bool {
        self.is_cancelled() || self.epoch() != epoch
    }

    /// Whether the body that made this run has been told to stop.
    pub(crate) fn origin_stopped(&self) -> bool {
        let parent = self.parent.as_ref();
        parent.is_some_and(|parent| parent.core().must_stop(self.parent_epoch))
    }

    // --- the count of what the run waits for -----------------------------------------------------------------------

    pub(crate) fn epoch(&self) -> u32 {
        (self.pending.load(Ordering::SeqCst) >> 32) as u32
    }

    /// Opens the next epoch with the body alone pending.
    pub(crate) fn open_epoch(&self) -> u32 {
        let epoch = self.epoch() + 1;
        self.pending.store(u64::from(epoch) << 32 | 1, Ordering::SeqCst);
        epoch
    }

    /// Ends the epoch if nothing but the body is pending.
    pub(crate) fn arrived_alone(&self, epoch: u32) -> bool {
        let (one, none) = (u64::from(epoch) << 32 | 1, u64::from(epoch) << 32);
        let swapped = self
            .pending
            .compare_exchange(one, none, Ordering::SeqCst, Ordering::SeqCst);
        swapped.is_ok()
    }

    /// Whether the body waits for more than itself.
    pub(crate) fn has_pending_children(&self) -> bool {
        self.pending.load(Ordering::SeqCst) % ONE_EPOCH > 1
    }

    /// Ends the epoch whatever is pending: who belongs to it no longer counts.
    pub(crate) fn close_epoch(&self) {
        self.pending.store(u64::from(self.epoch() + 1) << 32, Ordering::SeqCst);
    }

    /// Counts one more, unless nothing is waited for any more.
    fn expect(&self, epoch: u32) -> bool {
        let more = |pending: u64| is_open(pending, epoch).then_some(pending + 1);
        self.pending
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
            .is_ok()
    }

    /// Counts one less; true for the last of the epoch.
    pub(crate) fn arrived(&self, epoch: u32) -> bool {
        let less = |pending: u64| is_open(pending, epoch).then_some(pending - 1);
        let before = self.pending.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        before.is_ok_and(|before| before % ONE_EPOCH == 1)
    }

    // --- the place in the tree -------------------------------------------------------------------------------------

    /// Enters the run in the tree.
    pub(crate) fn register(&self, this: Weak<dyn Node>) {
        let placed = |place| self.place.store(place, Ordering::Release);
        match &self.parent {
            Some(parent) => {
                parent.core().expect(self.parent_epoch);
                parent.core().children.insert(this, placed);
            }
            None => Roots::insert(this, placed),
        }
    }

    /// Takes the run out of the tree; the parent, if this was the last that it waited for.
    pub(crate) fn unregister(&self) -> Option<NodeRef> {
        let place = self.place.swap(u32::MAX, Ordering::AcqRel);
        let Some(parent) = &self.parent else {
            if place != u32::MAX {
                Roots::remove(place);
            }
            return None;
        };
        if place == u32::MAX {
            return None;
        }
        parent.core().children.remove(place);
        parent.core().arrived(self.parent_epoch).then(|| parent.clone())
    }
}

impl Drop for Core {
    /// Lets go of a long line of ancestors one by one, not one inside of the other.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(mut node) = next {
            next = Arc::get_mut(&mut node).and_then(|alone| alone.core_mut().parent.take());
        }
    }
}
