//! A task run's slot in its runner: held while its body works, given back while that waits for a child.
//!
//! A runner may be the user's: each call of it is guarded, and made with no lock held.

use std::sync::atomic::Ordering;
use std::task::Waker;

use super::core::Core;
use super::node::NodeRef;
use super::panic::guarded;
use crate::runner::{Resume, TaskJob, TaskRunner};

/// Not limited by a runner, or not started.
pub(crate) const NONE: u8 = 0;
/// The runner has let it start.
pub(crate) const HELD: u8 = 1;
/// Given back while the body waits for a child.
pub(crate) const RELEASED: u8 = 2;
/// Asked for again.
pub(crate) const WANTED: u8 = 3;

fn call_runner(core: &Core, call: impl FnOnce(&dyn TaskRunner)) {
    if let Some(runner) = &core.scope().runner
        && let Err(panic) = guarded(|| call(&**runner))
    {
        tracing::error!("the task runner {runner:?} {panic}");
    }
}

/// Hands the run to its runner. If that panics, the job is dropped, and that ends the run.
pub(crate) fn submit(node: &NodeRef) {
    call_runner(node.core(), |runner| runner.submit(TaskJob::new(node.clone())));
}

/// The run has ended: its slot is free.
pub(crate) fn leave(core: &Core) {
    if core.slot.load(Ordering::SeqCst) != NONE && core.slot.swap(NONE, Ordering::SeqCst) == HELD {
        call_runner(core, TaskRunner::release);
    }
}

/// Whether the run is one that a runner has started.
pub(crate) fn is_limited(core: &Core) -> bool {
    core.slot.load(Ordering::SeqCst) != NONE
}

pub(crate) fn is_held(core: &Core) -> bool {
    core.slot.load(Ordering::SeqCst) == HELD
}

/// Whether the run has to ask before its body goes on.
pub(crate) fn is_missing(core: &Core) -> bool {
    matches!(core.slot.load(Ordering::SeqCst), RELEASED | WANTED)
}

/// Whether the run waits for its runner.
pub(crate) fn is_wanted(core: &Core) -> bool {
    core.slot.load(Ordering::SeqCst) == WANTED
}

fn exchange(core: &Core, from: u8, to: u8) -> bool {
    core.slot
        .compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst)
        .is_ok()
}

/// Marks the slot as given back, to be told to the runner with no lock held.
pub(crate) fn free(core: &Core) -> bool {
    // Who waits again needs no slot meanwhile: granted now, it would serve nobody.
    let held = exchange(core, HELD, RELEASED);
    if !held {
        exchange(core, WANTED, RELEASED);
    }
    held
}

/// Tells the runner of a slot that was given back.
pub(crate) fn tell_free(core: &Core) {
    call_runner(core, TaskRunner::release);
}

/// The run waits for a child: its slot may serve another.
pub(crate) fn give_back(core: &Core) {
    if free(core) {
        tell_free(core);
    }
}

/// The run goes on: true if it has its slot again, else its driver is woken when it has.
pub(crate) fn ask(node: &NodeRef) -> bool {
    let core = node.core();
    if exchange(core, RELEASED, WANTED) {
        call_runner(core, |runner| runner.resume(Resume::new(node.clone())));
    }
    is_held(core)
}

/// The runner gives the slot back to the run; false if it has no use for it any more.
pub(crate) fn grant(node: &NodeRef) -> bool {
    let core = node.core();
    if !exchange(core, WANTED, HELD) {
        return false;
    }
    let workers = core.lock().workers();
    workers.into_iter().for_each(Waker::wake);
    true
}
