//! What is seen of the runs: progress while they run, and a report at the end, be it the planned one or an early one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flowcore::cli::{Progress, RunTree};
use flowcore::observe::{Observation, observe};

use crate::report;

/// The one view of this process. Clones are the same.
#[derive(Clone)]
pub(crate) struct View(Arc<Mutex<Option<Parts>>>);

struct Parts {
    tree: Arc<RunTree>,
    watched: Observation,
    progress: Option<Progress>,
}

impl View {
    pub(crate) fn start(with_progress: bool) -> Self {
        let tree = Arc::new(RunTree::new());
        let watched = observe(tree.clone());
        let progress = with_progress.then(Progress::start);
        Self(Arc::new(Mutex::new(Some(Parts {
            tree,
            watched,
            progress,
        }))))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Parts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the progress, and prints the tree of runs and the `report`. Whoever comes first: to whoever comes later there is
    /// nothing left to print, and by then all is printed.
    pub(crate) fn end(&self, report: impl FnOnce() -> String) {
        let mut parts = self.lock();
        if let Some(Parts {
            tree,
            watched,
            progress,
        }) = parts.take()
        {
            drop(progress);
            drop(watched);
            print!("{tree}{}", report());
        }
    }

    /// Makes the first Ctrl-C end the process with a report of what was done until then.
    pub(crate) fn end_on_signals(&self) -> std::io::Result<()> {
        let view = self.clone();
        flowcore::handle_signals_then(move |left| view.end(|| report::interrupted(left.crashed)))
    }
}
