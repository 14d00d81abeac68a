//! Stopping a run and everything below it.

use std::task::Waker;

use super::core::Phase;
use super::life::{self, cancelled, placed};
use super::node::NodeRef;
use super::observe;
use crate::state::StateName;

/// Cancels a run with its subtree, whatever its depth.
pub(crate) fn subtree(node: &NodeRef, why: &str) {
    let mut rest = vec![node.clone()];
    while let Some(node) = rest.pop() {
        if node.core().mark_cancelled() {
            // Whoever marked it goes through its children, and new ones look at the mark.
            continue;
        }
        one(&node, why);
        rest.extend(node.core().children.live());
    }
}

/// Cancels the subtrees below a run.
pub(crate) fn children(node: &NodeRef, why: &str) {
    for child in node.core().children.live() {
        subtree(&child, why);
    }
}

fn one(node: &NodeRef, why: &str) {
    let core = node.core();
    let mut inner = core.lock();
    match inner.phase {
        Phase::Waiting | Phase::Held | Phase::Queued | Phase::Delayed => {
            // On its caller's stack there is somebody to end it, who has to see the mark.
            drop(inner);
            life::end_before_start(node, StateName::Cancelled, cancelled(why));
        }
        Phase::Body | Phase::Draining => {
            let at = core.now();
            inner.history.push(StateName::Cancelling, at, Some(why.into()));
            let before = inner.error.replace(placed(core, cancelled(why)));
            let workers = inner.workers();
            drop(inner);
            drop(before);
            observe::emit(node);
            if !core.is_async() {
                life::tell_cancelled(node);
            }
            workers.into_iter().for_each(Waker::wake);
        }
        Phase::Ending | Phase::Settled => {}
    }
}
