//! Things to do later: retries and timeouts.

use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::AbortHandle;

use super::core::Core;
use super::node::NodeRef;
use super::panic::guarded;
use super::runtime;
use super::{life, retry};

/// Calls `then` after `delay`, unless aborted.
pub(crate) fn after(core: &Core, delay: Duration, then: impl FnOnce() + Send + 'static) -> AbortHandle {
    let mut home = home(core);
    let sleep_on = |home: &Handle| {
        let _in = home.enter();
        tokio::time::sleep(delay)
    };
    // A runtime may have been built without timers.
    let sleep = guarded(|| sleep_on(&home)).unwrap_or_else(|_| {
        home = runtime::own().clone();
        sleep_on(&home)
    });
    let timer = async move {
        sleep.await;
        then();
    };
    home.spawn(timer).abort_handle()
}

/// The runtime whose clock a run goes by: its own where that is sure to turn while threads wait for the run.
pub(crate) fn home(core: &Core) -> Handle {
    let ambient = core.scope().runtime();
    let sure = ambient.runtime_flavor() != RuntimeFlavor::CurrentThread;
    let drives_it = core.is_async() && !core.moved.load(std::sync::atomic::Ordering::Relaxed);
    if sure || drives_it {
        ambient.clone()
    } else {
        runtime::own().clone()
    }
}

/// A run that waits for its next attempt, and is lost if the runtime ends before.
pub(crate) struct Waiting(Option<(NodeRef, u32)>);

impl Waiting {
    pub(crate) fn new(node: NodeRef, epoch: u32) -> Self {
        Self(Some((node, epoch)))
    }

    pub(crate) fn over(mut self) {
        if let Some((node, epoch)) = self.0.take() {
            retry::delay_over(&node, epoch);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((node, epoch)) = self.0.take() {
            let core = node.core();
            let waits = core.lock().phase == super::core::Phase::Delayed && core.epoch() == epoch;
            if waits {
                life::crash(&node, "its runtime was shut down before the next attempt");
            }
        }
    }
}
