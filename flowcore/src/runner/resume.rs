//! A task run that gave its room back and wants it again.

use std::fmt;

use crate::engine::NodeRef;
use crate::engine::{life, slot};
use crate::run::RunId;

/// A run that has waited for a child and goes on when the runner has room: see [`TaskRunner`](super::TaskRunner).
#[must_use = "the run waits until it may go on"]
pub struct Resume(Option<NodeRef>);

impl Resume {
    pub(crate) fn new(node: NodeRef) -> Self {
        Self(Some(node))
    }

    /// Lets the run go on. False if it has ended meanwhile: it takes no room.
    #[must_use = "a run that has ended meanwhile takes no room"]
    pub fn go(mut self) -> bool {
        self.0.take().is_some_and(|node| slot::grant(&node))
    }

    /// The run's id.
    #[must_use]
    pub fn run_id(&self) -> Option<RunId> {
        self.0.as_ref().map(|node| node.core().id)
    }
}

impl Drop for Resume {
    /// The run would wait forever.
    fn drop(&mut self) {
        if let Some(node) = self.0.take() {
            life::crash_wanting(&node, "its task runner dropped its wish to go on");
        }
    }
}

impl fmt::Debug for Resume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resume").field(&self.run_id()).finish()
    }
}
