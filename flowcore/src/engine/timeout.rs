//! An attempt that takes too long.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::core::Phase;
use super::life;
use super::node::NodeRef;
use super::{cancel, observe, timer};
use crate::error::{Error, ErrorKind};

/// Starts the clock of the attempt's timeout.
pub(crate) fn arm(node: &NodeRef, epoch: u32) {
    let core = node.core();
    let Some(timeout) = core.timeout() else { return };
    let weak = Arc::downgrade(node);
    let timer = timer::after(core, timeout, move || {
        if let Some(node) = weak.upgrade() {
            over(&node, epoch, timeout);
        }
    });
    let mut inner = core.lock();
    if inner.phase == Phase::Body && core.epoch() == epoch {
        inner.timer = Some(timer);
    } else {
        drop(inner);
        timer.abort();
    }
}

fn over(node: &NodeRef, epoch: u32, timeout: Duration) {
    let core = node.core();
    let (workers, still_runs, _before);
    {
        let mut inner = core.lock();
        if !matches!(inner.phase, Phase::Body | Phase::Draining) || core.epoch() != epoch {
            return;
        }
        let message = format!("exceeded its timeout of {} second(s)", timeout.as_secs_f64());
        let error = life::placed(core, Error::of_kind(ErrorKind::TimedOut, message));
        // What it replaces is the user's to drop, and so not under the lock.
        _before = inner.error.replace(error);
        inner.timer = None;
        inner.timed_out = true;
        still_runs = inner.phase == Phase::Body && !core.is_async();
        inner.phase = Phase::Draining;
        // The body and its children count no more.
        core.close_epoch();
        workers = inner.workers();
        inner.driver = None;
    }
    if still_runs {
        let text = "the body still runs: a thread can't be stopped from outside, and what it returns will be dropped";
        observe::warn(node, text);
    }
    cancel::children(node, "its parent timed out");
    workers.into_iter().for_each(Waker::wake);
    life::settle(node.clone());
}
