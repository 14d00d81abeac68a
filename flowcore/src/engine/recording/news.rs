//! What a run has to tell its store.

use smallvec::SmallVec;

use super::super::life;
use super::super::node::NodeRef;
use crate::state::{StateName, StateType};
use crate::store::writer::Change;
use crate::store::{ResultWrite, RunWrite, StoreResult};

impl Change for NodeRef {
    fn news(&self) -> Option<RunWrite> {
        let core = self.core();
        core.clear_noted();
        // Before the states: they may be written while the parameters are still to come, and then those are news of their own.
        let is_recorded = core.has_new_record();
        let (number, root) = (core.number.get()?, core.root_number.get()?);
        let written = core.written();
        let life = core.before();
        let inner = core.lock();
        let states = inner.history.since::<SmallVec<[_; 3]>>(written as usize);
        let state_before = match written.checked_sub(1) {
            Some(before) => Some(inner.history.at(before as usize)),
            None => life.map(|life| life.state.clone()),
        };
        if states.is_empty() && !is_recorded {
            return None;
        }
        let last = states.last().or(state_before.as_ref())?;
        let (is_final, is_waiting) = (last.is_final(), last.name == StateName::AwaitingRetry);
        let kept = inner.result.as_ref().filter(|_| is_final);
        let result = kept.map(|kept| ResultWrite {
            json: kept.json.as_bytes().into(),
            whole: kept.whole,
        });
        let cache = kept.and_then(|kept| kept.cache.clone());
        // A run that completed and whose record was lost for a time has an error for its caller only.
        let error = inner.error.clone().filter(|_| is_final && !last.is_completed());
        let attempt = inner.attempt;
        let crashed_in_body = last.name == StateName::Crashed
            && inner
                .history
                .len()
                .checked_sub(2)
                .is_some_and(|before| inner.history.at(before).kind() == StateType::Running);
        drop(inner);
        // Without the lock, as it asks the user's Display.
        let error = error.map(|error| error.chain()).unwrap_or_default();
        Some(RunWrite {
            number,
            id: core.id,
            parent: core.parent.as_ref().and_then(|parent| parent.core().number.get()),
            root,
            definition: core.definition.row().clone(),
            depth: core.depth,
            name: core.run_name(),
            parameters: core.parameters().map(ToOwned::to_owned),
            tags: core.tags(),
            durable: core.durable.is_some(),
            call_key: core.call_key(),
            attempt,
            // As where the store finds the process dead: no crash ends anybody's retries.
            forgiven: life
                .map_or(0, |life| life.forgiven)
                .saturating_add(crashed_in_body.into()),
            crashes: life.map_or(0, |life| life.crashes),
            retry_at: match life {
                // It still waits for what it waited for when its process died.
                Some(life) if life.attempt == attempt && !is_final => life.retry_at,
                _ => core
                    .durable
                    .as_ref()
                    .and_then(|durable| durable.retry_at())
                    .filter(|_| is_waiting),
            },
            first_state: life.map_or(0, |life| life.states) + written,
            states,
            state_before,
            result,
            error,
            upstream: core.dependencies().iter().filter_map(|run| run.number.get()).collect(),
            cache,
            replay: core
                .durable
                .as_ref()
                .and_then(|durable| durable.replay(core))
                .filter(|_| is_final),
        })
    }

    fn has_news(&self) -> bool {
        let core = self.core();
        core.has_unwritten_record() || core.lock().history.len() > core.written() as usize
    }

    fn written(&self, write: &RunWrite) {
        let core = self.core();
        let before = core.before().map_or(0, |life| life.states);
        // A run sees fewer than 2^32 states.
        core.set_written(write.first_state - before + write.states.len() as u32);
    }

    fn acknowledged(&self, outcome: StoreResult<()>) {
        life::is_written(self, outcome);
    }
}
