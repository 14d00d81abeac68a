//! Waiting for a run: slots given back and taken again, and threads that block without ever blocking the run they wait for.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread, ThreadId};
use std::time::Instant;

use tokio::runtime::{Handle, RuntimeFlavor};

use super::core::{Core, ERROR, Phase};
use super::life::cancelled;
use super::node::NodeRef;
use super::{ambient, pool, runtime, slot};
use crate::error::{Error, ErrorKind, Result};

struct Parked {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::SeqCst) {
            self.thread.unpark();
        }
    }
}

thread_local! {
    // Asking the thread itself counts its users up and down.
    static ID: ThreadId = thread::current().id();
    static RUNTIME_BLOCKED: Cell<bool> = const { Cell::new(false) };
}

/// The current thread's id.
pub(crate) fn thread_id() -> ThreadId {
    ID.try_with(|id| *id).unwrap_or_else(|_| thread::current().id())
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

fn park(parked: &Parked, deadline: Option<Instant>) {
    pool::blocked(|| {
        while !parked.woken.swap(false, Ordering::SeqCst) {
            match deadline {
                None => thread::park(),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    thread::park_timeout(left);
                }
            }
        }
    });
}

/// What a thread waits for.
pub(crate) trait Goal {
    /// Whether it is reached; if not, `waker` is called when it may be.
    fn reached(&mut self, waker: &Waker) -> bool;
    /// A run that the thread may run itself to get nearer.
    fn runnable(&mut self) -> Option<NodeRef>;
    /// The run it waits for at present.
    fn awaited(&self) -> Option<&NodeRef>;
}

/// Whether a run waits for any thread to begin it.
pub(crate) fn is_up_for_grabs(core: &Core) -> bool {
    core.lock().phase == Phase::Queued
}

/// Blocks the thread until the goal is reached: true; or the deadline: false.
///
/// # Errors
/// `Cancelled` if the waiting run must stop; `Runner` if the wait could never end.
pub(crate) fn block(goal: &mut dyn Goal, deadline: Option<Instant>) -> Result<bool> {
    let (me, epoch) = ambient::run();
    if let (Some(me), Some(awaited)) = (&me, goal.awaited()) {
        refuse_cycle(me.core(), awaited.core())?;
    }
    let parked = Arc::new(Parked {
        thread: thread::current(),
        woken: AtomicBool::new(false),
    });
    let waker = Waker::from(parked.clone());
    if goal.reached(&waker) {
        return stopped(me.as_ref(), epoch).map(|()| true);
    }
    let mut wait = || {
        let _blocked = on_current_thread_runtime().then(BlockedRuntime::new);
        let before = me.as_ref().map(|me| me.core().lock().driver.replace(waker.clone()));
        let holder = ambient::slot();
        if let Some(holder) = &holder {
            slot::give_back(holder.core());
        }
        let outcome = block_without_slot(goal, deadline, me.as_ref(), epoch, &parked, &waker);
        if let Some(holder) = &holder {
            take_slot_back(holder, &parked, &waker, me.as_ref(), epoch);
        }
        if let (Some(me), Some(before)) = (&me, before) {
            me.core().lock().driver = before;
        }
        outcome
    };
    if !pool::is_worker() && !is_runtime_blocked() && flavor() == Some(RuntimeFlavor::MultiThread) {
        tokio::task::block_in_place(wait)
    } else {
        wait()
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
        // With a deadline the thread can't lend itself: it must be back in time.
        if deadline.is_none()
            && let Some(node) = goal.runnable()
        {
            node.execute();
            continue;
        }
        if let Some(awaited) = goal.awaited()
            && is_runtime_blocked()
        {
            unblock(awaited)?;
        }
        park(parked, deadline);
    }
}

fn take_slot_back(holder: &NodeRef, parked: &Parked, waker: &Waker, me: Option<&NodeRef>, epoch: u32) {
    let core = holder.core();
    // The grant wakes the holder's driver: the thread it is the body of, which is this one.
    let before = core.lock().driver.replace(waker.clone());
    while !slot::ask(holder) && slot::is_limited(core) && stopped(me, epoch).is_ok() {
        park(parked, None);
    }
    core.lock().driver = before;
}

/// Blocks until the slot of a run about to begin an attempt on this thread is there.
pub(crate) fn slot_for_attempt(node: &NodeRef, epoch: u32) {
    let core = node.core();
    if slot::is_missing(core) {
        let parked = Arc::new(Parked {
            thread: thread::current(),
            woken: AtomicBool::new(false),
        });
        let waker = Waker::from(parked.clone());
        take_slot_back(node, &parked, &waker, Some(node), epoch);
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
        Some(me) if me.core().depth >= awaited.depth && awaited.is_told(0xff).eq(&false) => {
            refuse_cycle(me.core(), awaited)
        }
        _ => Ok(()),
    }
}

fn flavor() -> Option<RuntimeFlavor> {
    Handle::try_current().ok().map(|handle| handle.runtime_flavor())
}

fn on_current_thread_runtime() -> bool {
    !pool::is_worker() && flavor() == Some(RuntimeFlavor::CurrentThread)
}

/// This thread is a current-thread runtime's: an async run that has not begun moves elsewhere, one that has is stuck.
fn unblock(awaited: &NodeRef) -> Result<()> {
    let core = awaited.core();
    if !core.is_async() {
        return Ok(());
    }
    let (phase, polled_by) = {
        let inner = core.lock();
        (inner.phase, inner.polled_by)
    };
    match phase {
        Phase::Queued if !core.moved.load(Ordering::SeqCst) => awaited.clone().move_to_own_runtime(),
        Phase::Body | Phase::Delayed if polled_by == Some(thread_id()) => {
            let message = format!(
                "only this thread could drive '{}', and `.result()` would block it: use `.await`, or a multi-thread runtime",
                core.definition.name()
            );
            return Err(Error::of_kind(ErrorKind::Runner, message));
        }
        _ => {}
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
        is_up_for_grabs(self.node.core()).then(|| self.node.clone())
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

/// Waits for many runs, or for the first that fails.
pub(crate) struct Many {
    nodes: Vec<NodeRef>,
    keys: Vec<Option<u32>>,
    through: usize,
    grabbed: usize,
    listens_for_errors: bool,
}

impl Many {
    pub(crate) fn new(nodes: Vec<NodeRef>) -> Self {
        Self {
            keys: vec![None; nodes.len()],
            nodes,
            through: 0,
            grabbed: 0,
            listens_for_errors: false,
        }
    }
}

impl Goal for Many {
    fn reached(&mut self, waker: &Waker) -> bool {
        while let Some(node) = self.nodes.get(self.through) {
            let core = node.core();
            if !core.listen(super::core::RESULT, &mut self.keys[self.through], waker) {
                break;
            }
            if core.is_told(ERROR) {
                return true;
            }
            self.through += 1;
        }
        let rest = self.through + 1..self.nodes.len();
        if rest.is_empty() {
            return self.through >= self.nodes.len();
        }
        if self.listens_for_errors {
            // Woken by the present one or by an error: only then is the rest worth a look.
            return self.nodes[rest].iter().any(|node| node.core().is_told(ERROR));
        }
        self.listens_for_errors = true;
        let mut failed = false;
        for at in rest {
            failed |= self.nodes[at].core().listen(ERROR, &mut self.keys[at], waker);
        }
        failed
    }

    fn runnable(&mut self) -> Option<NodeRef> {
        self.grabbed = self.grabbed.max(self.through);
        while let Some(node) = self.nodes.get(self.grabbed) {
            if is_up_for_grabs(node.core()) {
                return Some(node.clone());
            }
            self.grabbed += 1;
        }
        // What was not up for grabs when it was passed may be now.
        self.nodes
            .get(self.through)
            .filter(|node| is_up_for_grabs(node.core()))
            .cloned()
    }

    fn awaited(&self) -> Option<&NodeRef> {
        self.nodes.get(self.through)
    }
}

impl Drop for Many {
    fn drop(&mut self) {
        for (node, key) in self.nodes.iter().zip(&self.keys) {
            if let Some(key) = *key {
                node.core().stop_listening(key);
            }
        }
    }
}

/// Blocks the thread on a future of the engine's own, with flowcore's runtime for its timers.
pub(crate) fn on_future<F: Future>(future: F) -> F::Output {
    let _runtime = runtime::own().enter();
    let parked = Arc::new(Parked {
        thread: thread::current(),
        woken: AtomicBool::new(false),
    });
    let waker = Waker::from(parked.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => park(&parked, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::sync::oneshot;

    use crate::prelude::*;

    #[task]
    async fn until_told(gate: oneshot::Receiver<u32>) -> u32 {
        gate.await.unwrap()
    }

    /// One run after the other is listened to for errors alone first, and for its value when its turn comes.
    #[test]
    fn each_of_many_runs_wakes_who_waits_for_all() {
        for _ in 0..50 {
            let (gates, inputs): (Vec<_>, Vec<_>) = (0..4).map(|_| oneshot::channel()).unzip();
            let runs = until_told.map(inputs);
            let (done, is_done) = mpsc::channel();
            std::thread::spawn(move || done.send(runs.result()));
            for (n, gate) in (0..).zip(gates) {
                std::thread::yield_now();
                gate.send(n).unwrap();
            }
            let sums = is_done
                .recv_timeout(Duration::from_secs(60))
                .expect("the waiter was woken");
            assert_eq!(sums.unwrap(), [0, 1, 2, 3]);
        }
    }
}
