//! An observer that keeps what it sees.

use std::sync::{Arc, Mutex, PoisonError};

use flowcore::observe::{Observation, Observer, observe};
use flowcore::{RunContext, RunId, State};

/// Records the states of the runs of this process while it lives.
#[derive(Debug)]
pub struct Recorder {
    seen: Arc<Seen>,
    _observation: Observation,
}

#[derive(Debug, Default)]
struct Seen(Mutex<Vec<(RunContext, State)>>);

impl Observer for Seen {
    fn on_state(&self, run: &RunContext, state: &State) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((run.clone(), state.clone()));
    }
}

impl Recorder {
    /// Starts recording.
    #[must_use]
    pub fn start() -> Self {
        let seen = Arc::new(Seen::default());
        Self {
            _observation: observe(seen.clone()),
            seen,
        }
    }

    /// Everything seen so far of the tree of runs under `root`, in order.
    #[must_use]
    pub fn tree(&self, root: RunId) -> Vec<(RunContext, State)> {
        let seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|(run, _)| run.root_id() == root).cloned().collect()
    }

    /// The runs of the function `name` seen so far, each once, in the order of their first state.
    #[must_use]
    pub fn runs_of(&self, name: &str) -> Vec<RunContext> {
        let seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<RunContext> = Vec::new();
        for (run, _) in seen.iter().filter(|(run, _)| run.definition().name() == name) {
            if found.iter().all(|known| known.run_id() != run.run_id()) {
                found.push(run.clone());
            }
        }
        found
    }
}

/// The names of some states.
#[must_use]
pub fn names(states: &[State]) -> Vec<&'static str> {
    states.iter().map(State::name).collect()
}
