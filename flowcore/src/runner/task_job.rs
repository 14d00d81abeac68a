//! A task run that waits for its start.

use std::fmt;

use crate::engine::NodeRef;
use crate::engine::life;
use crate::run::RunId;

/// A task run in a runner's hands: see [`TaskRunner`](super::TaskRunner).
#[must_use = "the run waits until its job is started"]
pub struct TaskJob(Option<NodeRef>);

impl TaskJob {
    pub(crate) fn new(node: NodeRef) -> Self {
        Self(Some(node))
    }

    /// Starts the run: hands it to a thread, or to the runtime, and returns at once. False if the run was cancelled meanwhile: it
    /// takes no room, and will not call [`release`](super::TaskRunner::release).
    ///
    /// Call it without any lock held: a short run may end, and call the runner, before this returns.
    #[must_use = "a run that was cancelled meanwhile takes no room"]
    pub fn start(mut self) -> bool {
        self.0.take().is_some_and(|node| life::start_held(&node))
    }

    /// The run's id.
    #[must_use]
    pub fn run_id(&self) -> Option<RunId> {
        self.0.as_ref().map(|node| node.core().id)
    }

    /// The task's name.
    #[must_use]
    pub fn task_name(&self) -> &'static str {
        self.0.as_ref().map_or("", |node| node.core().definition.name())
    }
}

impl Drop for TaskJob {
    fn drop(&mut self) {
        if let Some(node) = self.0.take() {
            life::crash_held(&node, "its task runner dropped it");
        }
    }
}

impl fmt::Debug for TaskJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskJob")
            .field(&self.task_name())
            .field(&self.run_id())
            .finish()
    }
}
