//! The states a run went through, kept small: most runs see three.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::state::{State, StateName};

#[derive(Clone, Copy)]
struct Stamp {
    at: i64,
    name: StateName,
}

type Messages = Vec<(usize, Arc<str>)>;

/// All states of one run, oldest first. Never empty.
pub(crate) struct History {
    stamps: SmallVec<[Stamp; 3]>,
    /// Few states have a message: the index of the state, and its message.
    #[allow(clippy::box_collection, reason = "a run without messages pays for a pointer only")]
    messages: Option<Box<Messages>>,
}

impl History {
    pub(crate) fn new(name: StateName, at: i64) -> Self {
        let mut stamps = SmallVec::new();
        stamps.push(Stamp { at, name });
        Self { stamps, messages: None }
    }

    /// Of a run that is over.
    pub(crate) fn restored(state: &State) -> Self {
        let mut history = Self::new(state.name, state.at);
        if let Some(message) = &state.message {
            history.messages = Some(Box::new(vec![(0, message.clone())]));
        }
        history
    }

    fn last(&self) -> Stamp {
        self.stamps[self.stamps.len() - 1]
    }

    pub(crate) fn name(&self) -> StateName {
        self.last().name
    }

    /// Appends a state if the table of transitions allows it; its time is strictly later than the one before.
    pub(crate) fn push(&mut self, name: StateName, at: i64, message: Option<Arc<str>>) -> bool {
        let last = self.last();
        if !last.name.may_become(name) {
            return false;
        }
        if let Some(message) = message {
            let index = self.stamps.len();
            self.messages.get_or_insert_default().push((index, message));
        }
        self.stamps.push(Stamp {
            at: at.max(last.at + 1),
            name,
        });
        true
    }

    /// The state of that index; the last, if there is none.
    pub(crate) fn at(&self, index: usize) -> State {
        self.state(index.min(self.stamps.len() - 1))
    }

    fn state(&self, index: usize) -> State {
        let Stamp { at, name } = self.stamps[index];
        let message = self.messages.iter().flat_map(|messages| messages.iter());
        State {
            name,
            at,
            message: message
                .filter(|(of, _)| *of == index)
                .map(|(_, message)| message.clone())
                .next(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.stamps.len()
    }

    pub(crate) fn since<C: FromIterator<State>>(&self, seen: usize) -> C {
        (seen..self.stamps.len()).map(|index| self.state(index)).collect()
    }

    pub(crate) fn current(&self) -> State {
        self.state(self.stamps.len() - 1)
    }

    pub(crate) fn all(&self) -> Vec<State> {
        self.since(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_strictly_increase_even_if_the_clock_stands_or_jumps_back() {
        let mut history = History::new(StateName::Pending, 100);
        assert!(history.push(StateName::Running, 100, None));
        assert!(history.push(StateName::Retrying, 50, Some("again".into())));
        assert!(history.push(StateName::Completed, 1000, None));
        let states = history.all();
        assert_eq!(states.iter().map(|s| s.at).collect::<Vec<_>>(), [100, 101, 102, 1000]);
        assert_eq!(states[2].message(), Some("again"));
        assert_eq!(states[3].message(), None);
    }

    #[test]
    fn an_illegal_transition_changes_nothing() {
        let mut history = History::new(StateName::Pending, 1);
        assert!(history.push(StateName::Cancelled, 2, None));
        assert!(!history.push(StateName::Completed, 3, None));
        assert_eq!(history.current().name(), "Cancelled");
    }
}
