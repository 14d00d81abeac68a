//! A run's life: launched, begun, ended, settled; one attempt loop for sync and async bodies.
//!
//! Every step takes the run's lock for a moment, moves its phase, and acts with the lock released, so that no user code
//! (hooks, conditions, wakers, drops) ever runs under it. A run settles when its body and the children that the body made
//! have ended; the last of them settles it, whichever thread that is.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use parking_lot::MutexGuard;

use tokio::task::AbortHandle;

use super::cancel;
use super::core::{Birth, Core, ERROR, Inner, Phase, SETTLED, VALUE};
use super::hooks;
use super::listeners::Wakeup;
use super::node::NodeRef;
use super::observe;
use super::park;
use super::recording;
use super::retry;
use super::shutdown;
use super::slot;
use super::wait;
use crate::error::{Error, ErrorKind};
use crate::run::RunKind;
use crate::settings::settings;
use crate::state::StateName;
use crate::store::{StoreError, StoreResult};

const SHUT_DOWN: &str = "the process is shutting down";

/// Enters a prepared run in the tree and sends it on its way. `invalid` ends it before its body is ever called.
pub(crate) fn launch(node: &NodeRef, birth: Birth, invalid: Option<Error>) {
    let core = node.core();
    if birth == Birth::Recorded {
        return;
    }
    core.register(Arc::downgrade(node));
    observe::emit(node);
    let unready = || (core.depth == 0).then(|| recording::ready(core).err()).flatten();
    if let Some(error) = invalid.or_else(unready) {
        let name = match error.kind() {
            ErrorKind::Crashed => StateName::Crashed,
            _ => StateName::Failed,
        };
        return end_before_start(node, name, error);
    }
    if core.depth >= settings().max_depth {
        let message = format!(
            "recursion is limited to {} levels: check its end, or raise FLOW_MAX_DEPTH",
            settings().max_depth
        );
        return end_before_start(
            node,
            StateName::Failed,
            Error::of_kind(ErrorKind::RecursionLimit, message),
        );
    }
    if core.origin_stopped() {
        core.mark_cancelled();
        return end_before_start(node, StateName::Cancelled, cancelled("its parent was stopped"));
    }
    match birth {
        Birth::Direct if shutdown::is_draining() => {
            end_before_start(node, StateName::Crashed, Error::of_kind(ErrorKind::Crashed, SHUT_DOWN));
        }
        Birth::Direct if retry::wait_on(node) => {}
        Birth::Direct => {}
        Birth::Queued if retry::wait_on(node) => {}
        Birth::Queued => start(node),
        Birth::Waiting => node.clone().poll_inputs(),
        Birth::Recorded => {}
    }
}

/// The inputs are there: to the runner with it, or straight to a thread.
pub(crate) fn inputs_are_there(node: &NodeRef) {
    let core = node.core();
    let limited = core.kind() == RunKind::Task && core.scope().runner.is_some();
    {
        let mut inner = core.lock();
        if inner.phase != Phase::Waiting {
            return;
        }
        inner.phase = if limited { Phase::Held } else { Phase::Queued };
    }
    if !limited && retry::wait_on(node) {
        return;
    }
    if limited {
        slot::submit(node);
    } else {
        start(node);
    }
}

/// An input failed: the body is never called. Down a line of runs, each names the one that really failed.
pub(crate) fn input_failed(node: &NodeRef, cause: &Error) {
    let root = match cause.kind() {
        ErrorKind::NotReady => cause.downcast_source().unwrap_or(cause),
        _ => cause,
    };
    let error = Error::of_kind(ErrorKind::NotReady, format!("an input is missing: {root}"));
    end_before_start(node, StateName::NotReady, error.caused_by(root.clone()));
}

/// The runner lets it start; false if it was stopped meanwhile.
pub(crate) fn start_held(node: &NodeRef) -> bool {
    let core = node.core();
    {
        let mut inner = core.lock();
        if inner.phase != Phase::Held {
            return false;
        }
        inner.phase = Phase::Queued;
        core.slot.store(slot::HELD, Ordering::SeqCst);
    }
    start(node);
    true
}

thread_local! {
    static TO_START: RefCell<VecDeque<NodeRef>> = const { RefCell::new(VecDeque::new()) };
    static STARTING: Cell<bool> = const { Cell::new(false) };
}

/// One after the other: a run that ends at its start makes room for the next, and a runner's queue may be long.
pub(crate) fn start(node: &NodeRef) {
    if STARTING.replace(true) {
        return TO_START.with_borrow_mut(|rest| rest.push_back(node.clone()));
    }
    struct Done;
    impl Drop for Done {
        fn drop(&mut self) {
            STARTING.set(false);
        }
    }
    let _done = Done;
    start_one(node);
    while let Some(node) = TO_START.with_borrow_mut(VecDeque::pop_front) {
        start_one(&node);
    }
}

fn start_one(node: &NodeRef) {
    if !shutdown::is_draining() {
        if !(park::is_crowded() && wait::lend_a_thread(node)) {
            node.clone().enqueue();
        }
    } else if shutdown::is_over() {
        crash(node, SHUT_DOWN);
    }
    // A process that is shutting down starts nothing: the shutdown sees to the run at its end.
}

/// Ends a run whose body was not called.
pub(crate) fn end_before_start(node: &NodeRef, name: StateName, error: Error) {
    let core = node.core();
    let mut inner = core.lock();
    if !matches!(
        inner.phase,
        Phase::Waiting | Phase::Held | Phase::Queued | Phase::Delayed
    ) {
        return;
    }
    inner.error = Some(placed(core, error));
    settle_all(conclude(node, inner, name));
}

/// An attempt that has begun.
#[derive(Clone, Copy, Default)]
pub(crate) struct Begun {
    pub(crate) epoch: u32,
    /// From 1.
    pub(crate) attempt: u32,
}

/// The first of those who want to begin the next attempt may.
pub(crate) fn begin(core: &Core) -> Option<Begun> {
    let mut inner = core.lock();
    if inner.phase != Phase::Queued {
        return None;
    }
    let begun = claim(core, &mut inner);
    run_on(core, &mut inner);
    Some(begun)
}

/// [`begin`] without a state yet: the result may be known already.
pub(crate) fn begin_quietly(core: &Core) -> Option<Begun> {
    let mut inner = core.lock();
    (inner.phase == Phase::Queued).then(|| claim(core, &mut inner))
}

/// The result is not known: the attempt that has begun quietly goes on.
pub(crate) fn begin_aloud(core: &Core, begun: Begun) {
    let mut inner = core.lock();
    if inner.phase == Phase::Body && core.epoch() == begun.epoch {
        run_on(core, &mut inner);
    }
}

/// The result was known: the body isn't called.
pub(crate) fn end_cached(node: &NodeRef, begun: Begun, store: impl FnOnce(&mut Inner)) {
    let core = node.core();
    let mut inner = core.lock();
    if inner.phase == Phase::Body && core.epoch() == begun.epoch {
        store(&mut inner);
        settle_all(conclude(node, inner, StateName::Cached));
    }
}

fn claim(core: &Core, inner: &mut Inner) -> Begun {
    inner.phase = Phase::Body;
    inner.attempt += 1;
    Begun {
        epoch: core.open_epoch(),
        attempt: inner.attempt,
    }
}

fn run_on(core: &Core, inner: &mut Inner) {
    // The first of this life, whatever came before.
    let name = if inner.history.name() == StateName::Pending {
        StateName::Running
    } else {
        StateName::Retrying
    };
    let at = core.now();
    inner.history.push(name, at, None);
}

/// The body of `epoch` has ended. `store` keeps its value. False if the body was given up before: its end counts no more.
pub(crate) fn end_body(node: &NodeRef, epoch: u32, error: Option<Error>, store: impl FnOnce(&mut Inner)) -> bool {
    let core = node.core();
    let error = error.map(|error| placed(core, error));
    let failed = error.is_some();
    let mut inner = core.lock();
    if inner.phase != Phase::Body || core.epoch() != epoch {
        return false;
    }
    inner.driver = None;
    inner.phase = Phase::Draining;
    // A cancelled run has told its waiters what became of it already. What is left over is dropped without the lock.
    let _late;
    match error {
        None => {
            _late = None;
            store(&mut inner);
        }
        Some(error) if inner.error.is_none() => {
            _late = None;
            inner.error = Some(error);
        }
        Some(error) => _late = Some(error),
    }
    if !failed && core.arrived_alone(epoch) {
        settle_all(conclude(node, inner, StateName::Completed));
        return true;
    }
    // From here on it only waits for its children, which may need the slot; the next attempt asks for it again.
    let freed = core.has_pending_children() && slot::free(core);
    drop(inner);
    if freed {
        slot::tell_free(core);
    }
    if failed {
        // What the body has left behind works for nobody.
        cancel::children(node, "its parent failed");
        if core.is_cancelled() {
            tell_cancelled(node);
        }
    }
    if core.arrived(epoch) {
        settle(node.clone());
    }
    true
}

/// Tells waiters of a cancelled run that there will be no result, though something of it still runs.
pub(crate) fn tell_cancelled(node: &NodeRef) {
    let core = node.core();
    let mut inner = core.lock();
    if !matches!(inner.phase, Phase::Body | Phase::Draining) {
        return;
    }
    let before = as_cancelled(core, &mut inner);
    let wakeup = core.tell(&mut inner, ERROR);
    drop(inner);
    drop(before);
    wakeup.wake();
}

/// Body and children have ended: another attempt, or the end.
pub(crate) fn settle(node: NodeRef) {
    settle_all(settle_one(&node));
}

/// Ends one run after the other up the tree, each by the last of what it waited for.
fn settle_all(mut next: Option<NodeRef>) {
    while let Some(node) = next {
        next = settle_one(&node);
    }
}

fn settle_one(node: &NodeRef) -> Option<NodeRef> {
    let core = node.core();
    let inner = core.lock();
    if inner.phase != Phase::Draining {
        return None;
    }
    let Some(error) = inner.error.clone() else {
        return conclude(node, inner, StateName::Completed);
    };
    let attempt = inner.attempt;
    let failed = if inner.timed_out {
        StateName::TimedOut
    } else {
        StateName::Failed
    };
    drop(inner);
    if let Some(delay) = retry::after(node, attempt, failed, &error)
        && retry::requeue(node, attempt, delay, &error)
    {
        return None;
    }
    let inner = core.lock();
    if inner.phase != Phase::Draining || inner.attempt != attempt {
        return None;
    }
    conclude(node, inner, failed)
}

/// Writes the last state. Returns the parent if this was the last that it waited for.
pub(crate) fn conclude(node: &NodeRef, mut inner: MutexGuard<'_, Inner>, name: StateName) -> Option<NodeRef> {
    let core = node.core();
    let mut name = name;
    let mut before = None;
    if name != StateName::Crashed && (core.is_cancelled() || inner.history.name() == StateName::Cancelling) {
        name = StateName::Cancelled;
        before = as_cancelled(core, &mut inner);
    }
    let message = inner.error.as_ref().map(|error| error.to_string().into());
    let at = core.now();
    if !inner.history.push(name, at, message) {
        // Only a run that is Cancelling can't become what it should: it can only be Cancelled.
        inner.history.push(StateName::Cancelled, at, None);
    }
    inner.driver = None;
    let timer = inner.timer.take();
    if core.number.get().is_some() || observe::is_wanted() || hooks::any(core, inner.history.name()) {
        inner.phase = Phase::Ending;
        drop(inner);
        drop(before);
        abort(timer);
        return observe::emit_last(node);
    }
    let wakeup = over(core, &mut inner);
    drop(inner);
    drop(before);
    abort(timer);
    leave(node, wakeup)
}

/// Makes its error one of a cancelled run. The one before is to be dropped without the lock.
fn as_cancelled(core: &Core, inner: &mut Inner) -> Option<Error> {
    let told = inner
        .error
        .as_ref()
        .is_some_and(|error| error.kind() == ErrorKind::Cancelled);
    if told {
        return None;
    }
    inner.error.replace(placed(core, cancelled("it was asked to stop")))
}

fn abort(timer: Option<AbortHandle>) {
    if let Some(timer) = timer {
        timer.abort();
    }
}

/// Observers have seen the last state: the hooks are next.
pub(crate) fn last_state_is_out(node: &NodeRef) -> Option<NodeRef> {
    let core = node.core();
    let name = core.lock().history.name();
    if hooks::any(core, name) {
        hooks::run_at_end(node);
        return None;
    }
    end(node)
}

/// The hooks of the last state have run.
pub(crate) fn hooks_are_done(node: &NodeRef) {
    settle_all(end(node));
}

/// The run's end is known: it is told as soon as it is safe.
fn end(node: &NodeRef) -> Option<NodeRef> {
    if recording::holds(node) { None } else { finish(node) }
}

/// What the run has told its store so far is written, or lost.
pub(crate) fn is_written(node: &NodeRef, outcome: StoreResult<()>) {
    if let Err(error) = outcome {
        note_lost(node, &error);
    }
    settle_all(finish(node));
}

/// The run's record is lost: whoever relies on it must know.
pub(crate) fn note_lost(node: &NodeRef, error: &StoreError) {
    let core = node.core();
    if recording::is_needed(core) {
        let mut inner = core.lock();
        if inner.error.is_none() {
            inner.error = Some(placed(core, error.clone().into()));
        }
    }
}

fn finish(node: &NodeRef) -> Option<NodeRef> {
    let core = node.core();
    let mut inner = core.lock();
    if inner.phase != Phase::Ending {
        return None;
    }
    let wakeup = over(core, &mut inner);
    drop(inner);
    leave(node, wakeup)
}

fn over(core: &Core, inner: &mut Inner) -> Wakeup {
    inner.phase = Phase::Settled;
    let result = if inner.error.is_some() { ERROR } else { VALUE };
    core.tell(inner, result | SETTLED)
}

fn leave(node: &NodeRef, wakeup: Wakeup) -> Option<NodeRef> {
    let core = node.core();
    if !core.is_spent() {
        node.discard();
    }
    slot::leave(core);
    let parent = core.unregister();
    wakeup.wake();
    parent
}

/// Ends a run that can't go on: its runtime or its process ends.
pub(crate) fn crash(node: &NodeRef, why: &str) {
    let core = node.core();
    let mut inner = core.lock();
    if matches!(inner.phase, Phase::Ending | Phase::Settled) {
        return;
    }
    core.close_epoch();
    let before = inner
        .error
        .replace(placed(core, Error::of_kind(ErrorKind::Crashed, why)));
    let workers = inner.workers();
    inner.driver = None;
    settle_all(conclude(node, inner, StateName::Crashed));
    drop(before);
    workers.into_iter().for_each(Waker::wake);
}

pub(crate) fn cancelled(why: &str) -> Error {
    Error::of_kind(ErrorKind::Cancelled, why)
}

/// The error with its place in the tree.
pub(crate) fn placed(core: &Core, error: Error) -> Error {
    error.at(core.id, || core.path())
}

/// Ends a run that its runner has lost.
pub(crate) fn crash_held(node: &NodeRef, why: &str) {
    if node.core().lock().phase == Phase::Held {
        crash(node, why);
    }
}

/// Ends a run that wants its slot back, and whose wish its runner has lost.
pub(crate) fn crash_wanting(node: &NodeRef, why: &str) {
    if slot::is_wanted(node.core()) {
        crash(node, why);
    }
}
