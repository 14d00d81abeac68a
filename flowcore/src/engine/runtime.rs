//! flowcore's own tokio runtime, for programs that have none.

use std::future::Future;
use std::sync::LazyLock;
use std::sync::atomic::Ordering;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use super::core::Core;
use super::{pool, wait};

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
pub(crate) fn spawn_run<F>(core: &Core, run: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    if !wait::is_runtime_blocked() && !pool::is_worker() && Handle::try_current().is_ok() {
        drop(tokio::spawn(run));
        return;
    }
    let tree = core.scope.runtime();
    // A current-thread runtime may stand still while a thread waits for this run.
    let handle = if tree.runtime_flavor() == RuntimeFlavor::CurrentThread {
        core.moved.store(true, Ordering::SeqCst);
        own()
    } else {
        tree
    };
    drop(handle.spawn(run));
}
