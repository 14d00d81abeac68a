//! flowcore's own tokio runtime, for programs that have none.

use std::sync::LazyLock;
use std::sync::atomic::Ordering;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use super::drive::Drive;
use super::{ambient, pool, wait};
use crate::private::Runnable;

static OWN: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .enable_all()
        .thread_name("flowcore-async")
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
    let current = || ambient::is_polled() || (!pool::is_worker() && Handle::try_current().is_ok());
    if !wait::is_runtime_blocked() && current() {
        drop(tokio::spawn(run));
        return;
    }
    let core = run.core();
    let tree = core.scope().runtime();
    // A current-thread runtime may stand still while a thread waits for this run.
    let handle = if tree.runtime_flavor() == RuntimeFlavor::CurrentThread {
        core.moved.store(true, Ordering::SeqCst);
        own().clone()
    } else {
        tree.clone()
    };
    drop(handle.spawn(run));
}
