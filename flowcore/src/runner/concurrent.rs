//! As many task runs at once as allowed.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::{Resume, TaskJob, TaskRunner};

/// Runs tasks concurrently, all at once unless [`max_workers`](ConcurrentTaskRunner::max_workers) says otherwise. They start in the
/// order of their submission.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[task]
/// fn double(x: u32) -> u32 { x * 2 }
///
/// #[flow(task_runner = ConcurrentTaskRunner::new().max_workers(4))]
/// fn ten() -> flowcore::Result<Vec<u32>> { double.map(0..10).result() }
///
/// assert_eq!(ten().unwrap().len(), 10);
/// ```
#[derive(Debug, Default)]
pub struct ConcurrentTaskRunner {
    max_workers: Option<usize>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    resumes: VecDeque<Resume>,
    jobs: VecDeque<TaskJob>,
}

enum Next {
    Resume(Resume),
    Job(TaskJob),
}

impl ConcurrentTaskRunner {
    /// A runner without a limit.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_workers: None,
            state: Mutex::new(State {
                running: 0,
                resumes: VecDeque::new(),
                jobs: VecDeque::new(),
            }),
        }
    }

    /// Lets at most `max_workers` task runs run at once; 0 counts as 1. A run that waits for a child doesn't count.
    #[must_use]
    pub const fn max_workers(mut self, max_workers: usize) -> Self {
        self.max_workers = Some(if max_workers == 0 { 1 } else { max_workers });
        self
    }

    fn next(&self, freed: usize) -> Option<Next> {
        let mut state = self.state.lock();
        state.running -= freed;
        if self.max_workers.is_some_and(|most| state.running >= most) {
            return None;
        }
        let resume = state.resumes.pop_front().map(Next::Resume);
        let next = resume.or_else(|| state.jobs.pop_front().map(Next::Job))?;
        state.running += 1;
        Some(next)
    }

    /// Starts what there is room for.
    fn fill(&self, freed: usize) {
        let mut freed = freed;
        while let Some(next) = self.next(freed) {
            let started = match next {
                Next::Resume(resume) => resume.go(),
                Next::Job(job) => job.start(),
            };
            freed = usize::from(!started);
        }
    }
}

impl TaskRunner for ConcurrentTaskRunner {
    fn submit(&self, job: TaskJob) {
        self.state.lock().jobs.push_back(job);
        self.fill(0);
    }

    fn release(&self) {
        self.fill(1);
    }

    fn resume(&self, resume: Resume) {
        self.state.lock().resumes.push_back(resume);
        self.fill(0);
    }
}
