//! Views of runs for a terminal: [`Progress`] while they run, [`RunTree`] when they are over.
//!
//! ```
//! use std::sync::Arc;
//! use flowcore::cli::{Progress, RunTree};
//! use flowcore::observe::observe;
//! use flowcore::prelude::*;
//!
//! #[task]
//! fn square(x: u64) -> u64 { x * x }
//!
//! #[flow]
//! fn squares() -> flowcore::Result<Vec<u64>> { square.map(0..100).result() }
//!
//! let tree = Arc::new(RunTree::new());
//! let watched = observe(tree.clone());
//! let progress = Progress::start();
//! squares().unwrap();
//! progress.finish();
//! drop(watched);
//! print!("{tree}");
//! ```

mod args;
mod commands;
mod counts;
mod escaped;
mod failure;
mod fold;
mod json;
mod lines;
mod main;
mod names;
mod pick;
mod progress;
mod render;
mod run_tree;
mod shell;
#[allow(dead_code, reason = "the command line and the stored views paint with it")]
mod style;
mod table;
mod text;
mod times;
mod types;
mod units;
pub mod views;

pub use self::escaped::{Escaped, escaped};
pub use self::main::main;
pub use self::progress::Progress;
pub use self::run_tree::RunTree;

use crate::state::{State, StateName};

/// Whether nothing follows this state: the terminal ones, and `NotReady`.
fn is_over(state: &State) -> bool {
    state.is_terminal() || state.name == StateName::NotReady
}

/// What the views' tests share.
#[cfg(test)]
mod testing {
    use std::sync::Arc;

    use crate::RunContext;
    use crate::observe::{Observation, Observer, observe};
    use crate::state::State;

    struct Below<O> {
        root: &'static str,
        observer: Arc<O>,
    }

    impl<O: Observer> Observer for Below<O> {
        fn on_state(&self, run: &RunContext, state: &State) {
            if run.path().split(" › ").next() == Some(self.root) {
                self.observer.on_state(run, state);
            }
        }
    }

    /// Shows the observer only the runs below `root`: other tests run in this process too.
    pub(super) fn observe_below<O: Observer>(root: &'static str, observer: &Arc<O>) -> Observation {
        let observer = observer.clone();
        observe(Arc::new(Below { root, observer }))
    }
}
