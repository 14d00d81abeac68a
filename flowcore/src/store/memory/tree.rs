//! One tree of runs.

use std::sync::Arc;

use super::super::batch::DefinitionRow;
use super::super::number::RunNumber;
use super::super::row::Count;
use super::in_order::InOrder;
use super::log::Line;
use crate::state::StateType;

/// What is known of a root run with everything below it.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) runs: InOrder,
    /// How many of them are not over.
    pub(super) open: usize,
    /// When the root was over.
    pub(super) root_ended_at: Option<i64>,
    /// Under what time the tree stands among those that have ended.
    pub(super) ended: Option<i64>,
    /// Its runs that have a cache key.
    pub(super) cached: Vec<RunNumber>,
    tallies: Vec<Tally>,
    pub(super) lines: Vec<Line>,
}

/// How many runs of one definition are in each state.
struct Tally {
    definition: Arc<DefinitionRow>,
    states: [u64; StateType::ALL.len()],
}

impl Tree {
    /// The place of the tally for runs of that definition.
    pub(super) fn tally_of(&mut self, definition: &Arc<DefinitionRow>) -> usize {
        // Runs of one definition mostly share it, so that names need not be compared.
        let same = |tally: &Tally| Arc::ptr_eq(&tally.definition, definition);
        let equal =
            |tally: &Tally| (tally.definition.kind, &tally.definition.name) == (definition.kind, &definition.name);
        let found = self.tallies.iter().position(same);
        found
            .or_else(|| self.tallies.iter().position(equal))
            .unwrap_or_else(|| {
                self.tallies.push(Tally {
                    definition: definition.clone(),
                    states: [0; StateType::ALL.len()],
                });
                self.tallies.len() - 1
            })
    }

    /// Counts a run that was in the one state, if in any, and is in the other.
    pub(super) fn count(&mut self, tally: usize, before: Option<StateType>, after: StateType) {
        let states = &mut self.tallies[tally].states;
        if let Some(before) = before {
            states[before as usize] -= 1;
        }
        states[after as usize] += 1;
    }

    /// The time under which the tree may stand among those that have ended.
    pub(super) fn end(&self) -> Option<i64> {
        // A tree whose root was never written is the first to go.
        (self.open == 0).then(|| self.root_ended_at.unwrap_or(i64::MIN))
    }

    pub(super) fn counts(&self) -> Vec<Count> {
        let of_tally = |tally: &Tally| {
            let Tally { definition, states } = tally;
            let count = |(state, count): (StateType, u64)| Count {
                kind: definition.kind,
                definition: definition.name.clone(),
                state,
                count,
            };
            let counts = StateType::ALL.into_iter().zip(*states).filter(|(_, count)| *count > 0);
            counts.map(count).collect::<Vec<_>>()
        };
        self.tallies.iter().flat_map(of_tally).collect()
    }
}
