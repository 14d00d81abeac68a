//! An attempt that takes too long.

use std::sync::Arc;
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
    let driver;
    {
        let mut inner = core.lock();
        if !matches!(inner.phase, Phase::Body | Phase::Draining) || core.epoch() != epoch {
            return;
        }
        let message = format!("exceeded its timeout of {} second(s)", timeout.as_secs_f64());
        inner.error = Some(life::placed(core, Error::of_kind(ErrorKind::TimedOut, message)));
        inner.timer = None;
        inner.timed_out = true;
        if inner.phase == Phase::Body && !core.is_async() {
            let text =
                "the body still runs: a thread can't be stopped from outside, and what it returns will be dropped";
            observe::warn(node, text);
        }
        inner.phase = Phase::Draining;
        // The body and its children count no more.
        core.close_epoch();
        driver = inner.driver.take();
    }
    cancel::children(node, "its parent timed out");
    if let Some(driver) = driver {
        driver.wake();
    }
    life::settle(node.clone());
}
