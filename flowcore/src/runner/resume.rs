//! A task run that gave its room back and wants it again.

use std::fmt;

use crate::engine::NodeRef;
use crate::engine::slot;
use crate::run::RunId;

/// A run that has waited for a child and goes on when the runner has room: see [`TaskRunner`](super::TaskRunner).
#[must_use = "the run waits until it may go on"]
pub struct Resume(NodeRef);

impl Resume {
    pub(crate) fn new(node: NodeRef) -> Self {
        Self(node)
    }

    /// Lets the run go on. False if it has ended meanwhile: it takes no room.
    #[must_use = "a run that has ended meanwhile takes no room"]
    pub fn go(self) -> bool {
        slot::grant(&self.0)
    }

    /// The run's id.
    #[must_use]
    pub fn run_id(&self) -> RunId {
        self.0.core().id
    }
}

impl fmt::Debug for Resume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resume").field(&self.run_id()).finish()
    }
}
