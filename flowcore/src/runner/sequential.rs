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
/// #[flow(task_runner = SequentialTaskRunner::new())]
/// fn steps() -> flowcore::Result<Vec<u32>> { step.map(0..3).result() }
///
/// assert_eq!(steps().unwrap(), [0, 1, 2]);
/// ```
#[derive(Debug)]
pub struct SequentialTaskRunner(ConcurrentTaskRunner);

impl SequentialTaskRunner {
    /// A runner.
    #[must_use]
    pub fn new() -> Self {
        Self(ConcurrentTaskRunner::new().max_workers(1))
    }
}

impl Default for SequentialTaskRunner {
    fn default() -> Self {
        Self::new()
    }
}

impl TaskRunner for SequentialTaskRunner {
    fn submit(&self, job: TaskJob) {
        self.0.submit(job);
    }

    fn release(&self) {
        self.0.release();
    }

    fn resume(&self, resume: Resume) {
        self.0.resume(resume);
    }
}
