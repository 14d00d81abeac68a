//! flowcore's own tokio runtime, for programs that have none.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Weak};
use std::task::{Context, Waker};

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use super::ambient::Turned;
use super::core::Core;
use super::drive::Drive;
use super::node::{Node, NodeRef};
use super::{ambient, park, stack, wait};
use crate::private::Runnable;

/// How many bodies may block workers at once, far above tokio's own limit of 512.
const MOST_BLOCKED: usize = 65_536;

static OWN: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .enable_all()
        .thread_name("flowcore-async")
        // A worker that a body blocks is replaced by a thread of these; idle ones end after a while.
        .max_blocking_threads(MOST_BLOCKED)
        .build()
        .unwrap_or_else(|error| {
            // Without threads or an event queue nothing async can run, and there is no caller to tell.
            panic!("flowcore could not start its tokio runtime: {error}")
        })
});

/// The runtime made on first use.
pub(crate) fn own() -> &'static Handle {
    OWN.handle()
}

/// Spawns an async run: on the runtime of this thread, if that is sure to turn; else on the one its tree began on.
pub(crate) fn spawn_run<R: Runnable>(run: Drive<R>) {
    let here = if wait::is_runtime_blocked() || park::is_crowded() {
        Turned::No
    } else {
        turned_here()
    };
    if here == Turned::No {
        drop(elsewhere(run.core()).spawn(run.on(Turned::MultiThread)));
        return;
    }
    if here == Turned::CurrentThread {
        note_spawned_here(run.node());
    }
    drop(tokio::spawn(run.on(here)));
}

/// The runtime that this thread works for.
fn turned_here() -> Turned {
    let known = ambient::turned();
    if known != Turned::No || ambient::is_only_entered() {
        return known;
    }
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::CurrentThread) => Turned::CurrentThread,
        Ok(_) => Turned::MultiThread,
        Err(_) => Turned::No,
    }
}

/// The runtime for a run begun on a thread that may have none, or stands still.
fn elsewhere(core: &Core) -> Handle {
    let tree = core.scope().runtime();
    // A current-thread runtime may stand still while a thread waits for this run, and any other runtime has few threads to put in
    // the place of blocked ones.
    if tree.runtime_flavor() == RuntimeFlavor::CurrentThread || park::is_crowded() {
        core.moved.store(true, Ordering::SeqCst);
        own().clone()
    } else {
        tree.clone()
    }
}

/// Begins an async run on a thread that waits for it. What ends at once has ended without another thread; what has to wait goes
/// on on a runtime.
pub(crate) fn poll_here<R: Runnable>(run: Drive<R>) {
    let runtime = elsewhere(run.core());
    let _in = runtime.enter();
    let mut run = run.on(Turned::MultiThread);
    let mut cx = Context::from_waker(Waker::noop());
    // A stop that comes between this poll and the next is seen by the next.
    if stack::ensure(|| Pin::new(&mut run).poll(&mut cx)).is_pending() {
        // It goes on elsewhere, whatever runtime this thread may be.
        run.core().lock().polled_by = None;
        drop(runtime.spawn(run));
    }
}

thread_local! {
    /// Async runs spawned on this thread's own runtime, that may not have begun. Empty but on a current-thread runtime.
    static SPAWNED_HERE: RefCell<Vec<Weak<dyn Node>>> = const { RefCell::new(Vec::new()) };
}

fn has_not_begun(node: &Weak<dyn Node>) -> bool {
    node.upgrade().is_some_and(|node| wait::is_up_for_grabs(node.core()))
}

fn note_spawned_here(node: &NodeRef) {
    let _ = SPAWNED_HERE.try_with(|spawned| {
        let mut spawned = spawned.borrow_mut();
        if spawned.len() == spawned.capacity() {
            spawned.retain(has_not_begun);
        }
        spawned.push(Arc::downgrade(node));
    });
}

/// This thread is about to wait, and its runtime stands still: what it was to begin goes to flowcore's own.
pub(crate) fn begin_spawned_here() {
    let spawned = SPAWNED_HERE.try_with(RefCell::take).unwrap_or_default();
    for node in spawned.iter().filter_map(Weak::upgrade) {
        node.execute();
    }
}
