//! Runs in the order of their completion.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;
use parking_lot::Mutex;

use super::core::RESULT;
use super::future::RunFuture;
use super::node::NodeRef;
use super::park::is_crowded;
use super::wait::{self, Goal};
use crate::error::Result;

/// Gives the futures of `runs` as they complete: a `Stream` where one can await, an iterator that blocks where not.
///
/// Each is handed out with its result there, so that `.await` and `.result()` on it return at once.
///
/// ```
/// use flowcore::prelude::*;
/// use std::time::Duration;
///
/// #[task]
/// fn sleep(millis: u64) -> u64 {
///     std::thread::sleep(Duration::from_millis(millis));
///     millis
/// }
///
/// let order: Vec<u64> = as_completed(sleep.map([300, 1])).map(|run| run.result().unwrap()).collect();
/// assert_eq!(order, [1, 300]);
/// ```
pub fn as_completed<T: Send + 'static>(runs: impl IntoIterator<Item = RunFuture<T>>) -> AsCompleted<T> {
    let done = Arc::new(Done::default());
    let mut waiting: Vec<Option<RunFuture<T>>> = Vec::new();
    for (index, run) in runs.into_iter().enumerate() {
        let waker = Waker::from(Arc::new(Entry {
            index,
            done: done.clone(),
        }));
        if run.node().core().listen(RESULT, &mut None, &waker) {
            waker.wake();
        }
        waiting.push(Some(run));
    }
    AsCompleted {
        left: waiting.len(),
        waiting,
        done,
    }
}

/// The futures of runs in the order of their completion: made by [`as_completed`].
///
/// ```
/// use flowcore::prelude::*;
/// #[task]
/// fn double(x: u32) -> u32 { x * 2 }
/// let done: flowcore::AsCompleted<u32> = as_completed(double.map([1, 2]));
/// assert_eq!(done.count(), 2);
/// ```
#[must_use = "nothing is waited for until this is iterated or polled"]
#[derive(Debug)]
pub struct AsCompleted<T: 'static> {
    waiting: Vec<Option<RunFuture<T>>>,
    left: usize,
    done: Arc<Done>,
}

#[derive(Debug, Default)]
struct Done(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    indices: VecDeque<usize>,
    waker: Option<Waker>,
}

struct Entry {
    index: usize,
    done: Arc<Done>,
}

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        let mut queue = self.done.0.lock();
        queue.indices.push_back(self.index);
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T: 'static> AsCompleted<T> {
    fn poll_run(&mut self, waker: &Waker) -> Poll<Option<RunFuture<T>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        loop {
            let mut queue = self.done.0.lock();
            let Some(index) = queue.indices.pop_front() else {
                queue.waker = Some(waker.clone());
                return Poll::Pending;
            };
            drop(queue);
            if let Some(run) = self.waiting[index].take() {
                self.left -= 1;
                return Poll::Ready(Some(run));
            }
        }
    }
}

impl<T: Send + 'static> AsCompleted<T> {
    fn take_any(&mut self) -> Option<RunFuture<T>> {
        let next = self.waiting.iter_mut().find(|run| run.is_some())?.take();
        self.left -= 1;
        next
    }
}

impl<T: 'static> Unpin for AsCompleted<T> {}

impl<T: Send + 'static> Stream for AsCompleted<T> {
    type Item = RunFuture<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RunFuture<T>>> {
        let polled = self.poll_run(cx.waker());
        if polled.is_pending() {
            super::ambient::note_wait();
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// Blocks for each. Where that can't go on (the run that iterates is cancelled), it gives the rest as they are: their
/// `.result()` says why.
impl<T: Send + 'static> Iterator for AsCompleted<T> {
    type Item = RunFuture<T>;

    fn next(&mut self) -> Option<RunFuture<T>> {
        let mut next = NextDone {
            runs: self,
            found: None,
            looked: 0,
        };
        match wait::block(&mut next, None) {
            Ok(_) => next.found.flatten(),
            // Whoever asks this one for its result learns why the wait has no end.
            Err(_) => next.runs.take_any(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

struct NextDone<'a, T: 'static> {
    runs: &'a mut AsCompleted<T>,
    found: Option<Option<RunFuture<T>>>,
    looked: usize,
}

impl<T: Send + 'static> Goal for NextDone<'_, T> {
    fn reached(&mut self, waker: &Waker) -> bool {
        if self.found.is_none()
            && let Poll::Ready(run) = self.runs.poll_run(waker)
        {
            self.found = Some(run);
        }
        self.found.is_some()
    }

    /// None, as long as there are threads: one slow run in the place of the waiter would hide that another is done.
    fn runnable(&mut self) -> Option<NodeRef> {
        if !is_crowded() {
            return None;
        }
        while let Some(run) = self.runs.waiting.get(self.looked) {
            if let Some(run) = run
                && wait::is_up_for_grabs(run.node().core())
            {
                return Some(run.node());
            }
            self.looked += 1;
        }
        None
    }

    fn awaited(&self) -> Option<&NodeRef> {
        None
    }

    /// Only if all are stuck: one that isn't may come first.
    fn refuse_stuck(&self) -> Result<()> {
        let mut pending = self.runs.waiting.iter().flatten().map(RunFuture::node);
        match pending.next().map(|first| wait::refuse_stuck(&first)) {
            Some(Err(stuck)) if pending.all(|node| wait::refuse_stuck(&node).is_err()) => Err(stuck),
            _ => Ok(()),
        }
    }
}
