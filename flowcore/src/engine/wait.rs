//! Waiting for a run: slots given back and taken again, and threads that block without ever blocking the run they wait for.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::runtime::{Handle, RuntimeFlavor};

use super::core::{Core, Phase, RESULT, Waiting};
use super::life::cancelled;
use super::node::NodeRef;
use super::park::{Counted, Parked, thread_id};
use super::{ambient, park, pool, runtime, slot};
use crate::error::{Error, ErrorKind, Result};

thread_local! {
    static RUNTIME_BLOCKED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is a current-thread runtime's, and waits instead of turning it.
pub(crate) fn is_runtime_blocked() -> bool {
    RUNTIME_BLOCKED.try_with(Cell::get).unwrap_or_default()
}

struct BlockedRuntime(bool);

impl BlockedRuntime {
    fn new() -> Self {
        Self(RUNTIME_BLOCKED.replace(true))
    }
}

impl Drop for BlockedRuntime {
    fn drop(&mut self) {
        RUNTIME_BLOCKED.set(self.0);
    }
}

/// What a thread waits for.
pub(crate) trait Goal {
    /// Whether it is reached; if not, `waker` is called when it may be.
    fn reached(&mut self, waker: &Waker) -> bool;
    /// A run that the thread may run itself to get nearer.
    fn runnable(&mut self) -> Option<NodeRef>;
    /// The run it waits for at present.
    fn awaited(&self) -> Option<&NodeRef>;
    /// An error if only this thread, which is a current-thread runtime's, could bring it nearer.
    fn refuse_stuck(&self) -> Result<()> {
        self.awaited().map_or(Ok(()), refuse_stuck)
    }
}

/// Whether a run waits for any thread to begin it.
pub(crate) fn is_up_for_grabs(core: &Core) -> bool {
    core.lock().phase == Phase::Queued
}

/// Whether a thread that waits for this run alone should begin it. A sync body with a timeout had better run elsewhere: whoever
/// waits is told of the timeout at once. Only where many threads wait already, each is needed.
fn is_worth_grabbing(core: &Core) -> bool {
    let elsewhere = !core.is_async() && core.timeout().is_some() && !park::is_crowded();
    !elsewhere && is_up_for_grabs(core)
}

/// Blocks the thread until the goal is reached: true; or the deadline: false.
///
/// # Errors
/// `Cancelled` if the waiting run must stop; `Runner` if the wait could never end.
pub(crate) fn block(goal: &mut dyn Goal, deadline: Option<Instant>) -> Result<bool> {
    let (me, epoch) = ambient::run();
    stopped(me.as_ref(), epoch)?;
    if let (Some(me), Some(awaited)) = (&me, goal.awaited()) {
        refuse_cycle(me.core(), awaited.core())?;
    }
    let (parked, waker) = Parked::current();
    if goal.reached(&waker) {
        return stopped(me.as_ref(), epoch).map(|()| true);
    }
    let mut wait = || {
        let _blocked = on_current_thread_runtime().then(BlockedRuntime::new);
        let _counted = Counted::new();
        let listed = me.as_ref().map(|me| Listed::new(me, &parked));
        let holder = ambient::slot().filter(|(holder, epoch)| holder.core().epoch() == *epoch);
        if let Some((holder, _)) = &holder {
            slot::give_back(holder.core());
        }
        let outcome = block_without_slot(goal, deadline, me.as_ref(), epoch, &parked, &waker);
        if let Some((holder, epoch)) = &holder {
            take_slot_back(holder, *epoch, &parked);
        }
        drop(listed);
        // A run it was given, and has no time for any more.
        if let Some(node) = parked.lent() {
            node.enqueue();
        }
        outcome
    };
    if !pool::is_worker() && !is_runtime_blocked() && flavor() == Some(RuntimeFlavor::MultiThread) {
        in_place_of_a_worker(wait)
    } else {
        wait()
    }
}

/// Waits, with another thread in the place of this worker. In a `LocalSet` tokio refuses that, by a panic before anything has
/// happened; nobody can ask it before. Then the thread waits as any other.
fn in_place_of_a_worker<T>(mut wait: impl FnMut() -> T) -> T {
    let mut waited = false;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        tokio::task::block_in_place(|| {
            waited = true;
            wait()
        })
    }));
    match outcome {
        Ok(done) => done,
        Err(panic) if waited => resume_unwind(panic),
        Err(_) => wait(),
    }
}

fn block_without_slot(
    goal: &mut dyn Goal,
    deadline: Option<Instant>,
    me: Option<&NodeRef>,
    epoch: u32,
    parked: &Parked,
    waker: &Waker,
) -> Result<bool> {
    loop {
        stopped(me, epoch)?;
        if goal.reached(waker) {
            return Ok(true);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok(false);
        }
        if let Some(node) = parked.lent() {
            node.execute();
            continue;
        }
        // With a deadline the thread can't lend itself: it must be back in time.
        if deadline.is_none()
            && let Some(node) = goal.runnable()
        {
            node.execute();
            continue;
        }
        if is_runtime_blocked() {
            runtime::begin_spawned_here();
            if goal.reached(waker) {
                return Ok(true);
            }
            goal.refuse_stuck()?;
        }
        parked.park(deadline);
    }
}

/// For a body that is given up, nothing is asked: the slot is the next attempt's.
fn take_slot_back(holder: &NodeRef, epoch: u32, parked: &Arc<Parked>) {
    let core = holder.core();
    let _listed = Listed::new(holder, parked);
    while !core.must_stop(epoch) && slot::is_limited(core) && !slot::ask(holder) {
        parked.park_alone();
    }
}

/// A thread among those who wait in the name of a run.
struct Listed<'a>(&'a NodeRef, Arc<Parked>);

impl<'a> Listed<'a> {
    fn new(run: &'a NodeRef, parked: &Arc<Parked>) -> Self {
        run.core().lock().waiting.get_or_insert_default().push(parked.clone());
        Self(run, parked.clone())
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let mut inner = self.0.core().lock();
        if let Some(waiting) = &mut inner.waiting
            && let Some(at) = waiting.iter().position(|parked| Arc::ptr_eq(parked, &self.1))
        {
            waiting.swap_remove(at);
        }
    }
}

/// Has the run begun by a thread that waits for it or for a run around it, and has nothing else to do. Such a thread can't go on
/// before the run has ended, so that nothing is held up by what it does meanwhile.
pub(crate) fn lend_a_thread(node: &NodeRef) -> bool {
    const LEVELS: usize = 64;
    let mut below = node;
    for _ in 0..LEVELS {
        let Some(above) = &below.core().parent else {
            return false;
        };
        let waiter = {
            let inner = above.core().lock();
            Waiting::from(inner.waiting())
        };
        let lent =
            |parked: &Arc<Parked>| below.core().is_listened_to_by(&Waker::from(parked.clone())) && parked.lend(node);
        if waiter.iter().any(lent) {
            return true;
        }
        below = above;
    }
    false
}

/// Blocks until the slot of a run about to begin an attempt on this thread is there.
pub(crate) fn slot_for_attempt(node: &NodeRef, epoch: u32) {
    let core = node.core();
    if slot::is_missing(core) {
        let (parked, _) = Parked::current();
        take_slot_back(node, epoch, &parked);
    }
}

fn stopped(me: Option<&NodeRef>, epoch: u32) -> Result<()> {
    match me {
        Some(me) if me.core().must_stop(epoch) => Err(cancelled("its run was asked to stop while it waited")),
        _ => Ok(()),
    }
}

/// A run waits for its children to its end: who waits for a run around it waits forever.
fn refuse_cycle(me: &Core, awaited: &Core) -> Result<()> {
    let mut above = Some(me);
    while let Some(core) = above {
        if core.depth < awaited.depth {
            return Ok(());
        }
        if core.id == awaited.id {
            let message = format!(
                "it would wait for '{}', which waits for it: a deadlock",
                awaited.definition.name()
            );
            return Err(Error::of_kind(ErrorKind::Runner, message));
        }
        above = core.parent.as_ref().map(|parent| parent.core());
    }
    Ok(())
}

/// The same for an async wait.
pub(crate) fn refuse_async_cycle(awaited: &Core) -> Result<()> {
    match ambient::run().0 {
        Some(me) if me.core().depth >= awaited.depth && !awaited.is_told(RESULT) => refuse_cycle(me.core(), awaited),
        _ => Ok(()),
    }
}

fn flavor() -> Option<RuntimeFlavor> {
    Handle::try_current().ok().map(|handle| handle.runtime_flavor())
}

fn on_current_thread_runtime() -> bool {
    !pool::is_worker() && flavor() == Some(RuntimeFlavor::CurrentThread)
}

/// This thread is a current-thread runtime's: an async run that has begun on it can't go on while the thread waits, and neither can
/// what waits for such a run's result.
pub(crate) fn refuse_stuck(node: &NodeRef) -> Result<()> {
    // Beyond this many the answer isn't worth the search.
    const LOOKS: usize = 10_000;
    let mut rest = vec![node.clone()];
    for _ in 0..LOOKS {
        let Some(node) = rest.pop() else { break };
        let core = node.core();
        let (phase, polled_by) = {
            let inner = core.lock();
            (inner.phase, inner.polled_by)
        };
        match phase {
            Phase::Body | Phase::Delayed if polled_by == Some(thread_id()) => {
                let message = format!(
                    "only this thread could drive '{}', and `.result()` would block it: use `.await`, or a multi-thread runtime",
                    core.definition.name()
                );
                return Err(Error::of_kind(ErrorKind::Runner, message));
            }
            Phase::Waiting => rest.extend(core.dependencies().iter().filter_map(|run| run.run.upgrade())),
            _ => {}
        }
    }
    Ok(())
}

/// Waits for one run.
pub(crate) struct One {
    node: NodeRef,
    mask: u8,
    key: Option<u32>,
}

impl One {
    pub(crate) fn new(node: NodeRef, mask: u8) -> Self {
        Self { node, mask, key: None }
    }
}

impl Goal for One {
    fn reached(&mut self, waker: &Waker) -> bool {
        self.node.core().listen(self.mask, &mut self.key, waker)
    }

    fn runnable(&mut self) -> Option<NodeRef> {
        is_worth_grabbing(self.node.core()).then(|| self.node.clone())
    }

    fn awaited(&self) -> Option<&NodeRef> {
        Some(&self.node)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.node.core().stop_listening(key);
        }
    }
}

/// Blocks the thread on a future of the engine's own, with flowcore's runtime for its timers.
pub(crate) fn on_future<F: Future>(future: F) -> F::Output {
    let _runtime = runtime::own().enter();
    let (parked, waker) = Parked::current();
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => parked.park(None),
        }
    }
}
