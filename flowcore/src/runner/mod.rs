//! Task runners: who starts task runs, and how many at once.

mod concurrent;
mod resume;
mod sequential;
mod task_job;

use std::fmt;

pub use self::concurrent::ConcurrentTaskRunner;
pub use self::resume::Resume;
pub use self::sequential::SequentialTaskRunner;
pub use self::task_job::TaskJob;

/// Decides when the task runs of a flow start.
///
/// A flow names one with `#[flow(task_runner = …)]`. It is made once per outermost run of that flow, and the flow's recursion and its
/// other subflows share it unless they name their own. It limits tasks that are submitted or awaited, not flows, and not a sync
/// task's direct call, which is a plain call on the caller's thread.
///
/// A runner has *room* for a number of runs. A run takes room when it starts, and gives it back with [`release`](TaskRunner::release)
/// when it ends, and also while it waits for a child: so a tree of tasks never deadlocks, at any limit. When the wait is over the run asks
/// for room again with [`resume`](TaskRunner::resume). Serve those before new runs, or many runs will be half done.
///
/// ```
/// use std::sync::Mutex;
/// use flowcore::prelude::*;
/// use flowcore::{Resume, TaskJob};
///
/// /// Starts the newest first, one at a time.
/// #[derive(Debug, Default)]
/// struct LastInFirstOut(Mutex<State>);
/// #[derive(Debug, Default)]
/// struct State { busy: bool, jobs: Vec<TaskJob>, resumed: Vec<Resume> }
///
/// impl LastInFirstOut {
///     fn next(&self) {
///         loop {
///             let mut state = self.0.lock().unwrap();
///             if state.busy { return }
///             let (resume, job) = match state.resumed.pop() {
///                 Some(resume) => (Some(resume), None),
///                 None => (None, state.jobs.pop()),
///             };
///             if resume.is_none() && job.is_none() { return }
///             state.busy = true;
///             drop(state); // never start a run with a lock held
///             let started = resume.is_some_and(Resume::go) || job.is_some_and(TaskJob::start);
///             if started { return }
///             self.0.lock().unwrap().busy = false;
///         }
///     }
/// }
///
/// impl TaskRunner for LastInFirstOut {
///     fn submit(&self, job: TaskJob) {
///         self.0.lock().unwrap().jobs.push(job);
///         self.next();
///     }
///     fn release(&self) {
///         self.0.lock().unwrap().busy = false;
///         self.next();
///     }
///     fn resume(&self, resume: Resume) {
///         self.0.lock().unwrap().resumed.push(resume);
///         self.next();
///     }
/// }
///
/// #[task]
/// fn double(x: u32) -> u32 { x * 2 }
///
/// #[flow(task_runner = LastInFirstOut::default())]
/// fn all() -> flowcore::Result<Vec<u32>> { double.map([1, 2, 3]).result() }
///
/// assert_eq!(all().unwrap(), [2, 4, 6]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no task runner",
    label = "write `SequentialTaskRunner`, `ConcurrentTaskRunner::new()`, or a type that implements `TaskRunner`"
)]
pub trait TaskRunner: fmt::Debug + Send + Sync + 'static {
    /// A task run has its inputs: start it, now or later. Keep the job until then; a dropped job's run would wait forever, so it is
    /// marked `Crashed`.
    fn submit(&self, job: TaskJob);

    /// A run that was started has ended, or waits for a child: there is room for another.
    fn release(&self);

    /// A run that gave its room back wants it again.
    fn resume(&self, resume: Resume);
}
