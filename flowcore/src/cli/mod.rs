//! The command line of a program with flows, and views of runs for a terminal.
//!
//! [`main`] makes a program a tool with commands: `flows` and `tasks` (what it has), `run FLOW`, `runs`, `show RUN`, `logs RUN`,
//! `graph RUN`, `timeline RUN`, `cancel RUN`, `resume RUN`, `retry RUN`, `delete RUN`, `prune`, `export`, `doctor`, `completions SHELL`;
//! `--help` tells all about each. `cargo install flowcore` gives `flow`, the same without flows of its own.
//!
//! A run is named by its id, or by the beginning of one that is long enough to tell it from all others; `-` reads ids from standard input.
//!
//! # Exit codes
//!
//! | code | |
//! |---|---|
//! | 0 | done; of `run`, `resume` and `retry`: the run completed |
//! | 1 | the run did not complete, or something else failed |
//! | 2 | wrong usage, or invalid parameters |
//! | 3 | no run or flow like that, or several |
//! | 4 | trouble with the store, or the doctor found some |
//! | 5 | refused: it can't be done with the run as it is |
//! | 130, 143 | interrupted by Ctrl-C, by SIGTERM |
//!
//! A reader of the output that leaves early (`| head`) is no failure.
//!
//! # What `--json` prints
//!
//! One document on one line; the commands marked with * print one for each item. Members may be added, none is renamed or removed. Times are
//! RFC 3339 in UTC. What can't be known is null.
//!
//! | command | shape |
//! |---|---|
//! | `flows`, `tasks` | `[{kind, name, description, version, tags, key, location, durable, parameters: [{name, type}], schema}]` |
//! | `run`, `retry`, `resume` | `{id, name, flow, state, message, result, error: [..]}` |
//! | `runs` | `[run]`; with `--watch`* `run` at each change |
//! | `show` | `run` with `counts: [{kind, definition, state, count}]`; asked for, `states: [state]` and `result: {value}` |
//! | `logs`* | `{timestamp, level, run_id, run_name, target, message}` |
//! | `graph` | `{format, graph}` |
//! | `timeline` | `{timeline}` |
//! | `cancel` | `[{id, requested, state}]` |
//! | `delete` | `[{id, deleted}]`, the number of runs that are gone |
//! | `prune` | `{before, dry_run, deleted}` |
//! | `export`* | `run` with `states`, `result` and `logs` |
//! | `doctor` | `{healthy, problems, version, store: {location, facts}, flows, tasks, processes, settings, listens}` |
//!
//! A `run` is `{id, name, kind, definition, version, state, parent_id, root_id, depth, attempt, crashes, durable, tags, parameters,
//! created_at, started_at, ended_at, duration_seconds, error: [..], replay, process}`, a `state` is `{type, name, message, timestamp}`. Of a
//! result that was too large to keep there is `{head}`, a text, in place of `{value}`. Failures are
//! `{"error": {code, message}}` on standard error.
//!
//! # Views
//!
//! [`Progress`] shows what runs do while they do it, [`RunTree`] what they have done:
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
