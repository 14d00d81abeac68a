//! One task run at a time.

use super::{ConcurrentTaskRunner, Resume, TaskJob, TaskRunner};

/// Runs tasks one at a time, in the order of their submission.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[task]
/// fn step(n: u32) -> u32 { n }
///
/// #[flow(task_runner = SequentialTaskRunner)]
/// fn steps() -> flowcore::Result<Vec<u32>> { step.map(0..3).result() }
///
/// assert_eq!(steps().unwrap(), [0, 1, 2]);
/// ```
#[derive(Debug)]
pub struct SequentialTaskRunner {
    one: ConcurrentTaskRunner,
}

/// A new [`SequentialTaskRunner`](struct@SequentialTaskRunner): the type has no options, so its name alone makes one.
#[allow(
    non_upper_case_globals,
    clippy::declare_interior_mutable_const,
    reason = "each use makes a runner of its own"
)]
pub const SequentialTaskRunner: SequentialTaskRunner = SequentialTaskRunner::new();

impl SequentialTaskRunner {
    /// A runner.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            one: ConcurrentTaskRunner::new().max_workers(1),
        }
    }
}

impl Default for SequentialTaskRunner {
    fn default() -> Self {
        Self::new()
    }
}

impl TaskRunner for SequentialTaskRunner {
    fn submit(&self, job: TaskJob) {
        self.one.submit(job);
    }

    fn release(&self) {
        self.one.release();
    }

    fn resume(&self, resume: Resume) {
        self.one.resume(resume);
    }
}
