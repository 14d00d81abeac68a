//! The futures of several runs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::vec;

use parking_lot::Mutex;

use super::core::{ERROR, SETTLED};
use super::future::RunFuture;
use super::many::Many;
use super::node::NodeRef;
use super::wait::{self, One};
use crate::error::Result;
use crate::state::State;

/// The futures of several runs, in the order in which they were submitted: what `map` returns, or collected.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[task]
/// fn square(x: u64) -> u64 { x * x }
///
/// assert_eq!(square.map(1..=4).result().unwrap(), [1, 4, 9, 16]);
/// let picked: RunFutures<u64> = [3, 5].into_iter().map(|x| square.submit(x)).collect();
/// assert_eq!(picked.result().unwrap(), [9, 25]);
/// ```
#[must_use = "the runs go on, but their results and failures are lost; `drop` it, or `.await` it"]
pub struct RunFutures<T: 'static> {
    runs: Vec<RunFuture<T>>,
    /// How many of the first are known to have their result.
    through: usize,
    alarm: Option<Arc<Alarm>>,
}

/// Wakes the task that waits for all when one has failed.
struct Alarm {
    failed: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.failed.store(true, Ordering::SeqCst);
        let task = self.task.lock().take();
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl<T: 'static> RunFutures<T> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Looks at them without consuming.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn double(x: u32) -> u32 { x * 2 }
    /// let runs = double.map([1, 2, 3]);
    /// assert_eq!((runs.len(), runs.iter().count()), (3, 3));
    /// drop(runs);
    /// ```
    pub fn iter(&self) -> std::slice::Iter<'_, RunFuture<T>> {
        self.runs.iter()
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeRef> {
        self.runs.iter().map(RunFuture::node)
    }
}

impl<T: Send + 'static> RunFutures<T> {
    /// Blocks the thread for all results, in order; gives up as soon as one run has failed, even if an earlier one is slow.
    ///
    /// # Errors
    /// The first failure; the other runs go on. And as [`RunFuture::result`].
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn halve(x: u32) -> Result<u32, String> {
    ///     if x % 2 == 0 { Ok(x / 2) } else { Err(format!("{x} is odd")) }
    /// }
    /// assert_eq!(halve.map([2, 4]).result().unwrap(), [1, 2]);
    /// assert!(halve.map([2, 3]).result().unwrap_err().to_string().contains("3 is odd"));
    /// ```
    pub fn result(&self) -> Result<Vec<T>> {
        self.block()?;
        self.runs.iter().map(RunFuture::result).collect()
    }

    /// [`result`](RunFutures::result) that moves the results out instead of cloning them.
    ///
    /// # Errors
    /// As `result`.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn line(n: usize) -> String { "x".repeat(n) }
    /// assert_eq!(line.map([1, 2]).into_result().unwrap(), ["x", "xx"]);
    /// ```
    pub fn into_result(self) -> Result<Vec<T>> {
        self.block()?;
        self.runs.into_iter().map(RunFuture::into_result).collect()
    }

    fn block(&self) -> Result<()> {
        wait::block(&mut Many::new(self.nodes().collect()), None)?;
        let failed = self.runs.iter().find(|run| run.node().core().is_told(ERROR));
        match failed.and_then(|run| run.node().core().lock().error.clone()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Waits for all of them, and gives what became of each, in order. `.await` it; or call
    /// [`settle_blocking`](RunFutures::settle_blocking) where nothing can be awaited.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// async fn halve(x: u32) -> Result<u32, String> {
    ///     if x % 2 == 0 { Ok(x / 2) } else { Err(format!("{x} is odd")) }
    /// }
    /// #[flow]
    /// async fn count_failures() -> usize {
    ///     halve.map([1, 2, 3]).settle().await.iter().filter(|result| result.is_err()).count()
    /// }
    /// assert_eq!(count_failures().run().unwrap(), 2);
    /// ```
    pub fn settle(self) -> Settle<T> {
        Settle {
            results: Vec::with_capacity(self.runs.len()),
            runs: self.runs.into_iter(),
            next: None,
        }
    }

    /// Blocks the thread until all have a result, and gives what became of each, in order.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn even(x: u32) -> Result<u32, String> { if x % 2 == 0 { Ok(x) } else { Err(format!("{x} is odd")) } }
    /// let ended = even.map([1, 2]).settle_blocking();
    /// assert!(ended[0].is_err() && ended[1].is_ok());
    /// ```
    pub fn settle_blocking(self) -> Vec<Result<T>> {
        self.runs.into_iter().map(RunFuture::into_result).collect()
    }

    /// Blocks the thread until all are over, and gives their last states, in order.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn quick(_n: u32) {}
    /// assert!(quick.map([1, 2]).wait().iter().all(State::is_completed));
    /// ```
    pub fn wait(&self) -> Vec<State> {
        self.runs
            .iter()
            .map(|run| {
                let _ = wait::block(&mut One::new(run.node(), SETTLED), None);
                run.state()
            })
            .collect()
    }

    /// Cancels all of them.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// async fn endless(_n: u32) { std::future::pending().await }
    /// let runs = endless.map([1, 2]);
    /// runs.cancel();
    /// assert!(runs.wait().iter().all(|state| state.name() == "Cancelled"));
    /// ```
    pub fn cancel(&self) {
        self.runs.iter().for_each(RunFuture::cancel);
    }

    pub(crate) fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<T>>> {
        loop {
            if self.through == self.runs.len() {
                self.through = 0;
                return Poll::Ready(std::mem::take(&mut self.runs).iter().map(RunFuture::take).collect());
            }
            match self.runs[self.through].poll_told(cx) {
                Poll::Ready(Ok(())) if self.runs[self.through].node().core().is_told(ERROR) => {
                    return Poll::Ready(self.runs[self.through].take().map(|_| Vec::new()));
                }
                // Taken when all are there: who gives up waiting finds each result in its place.
                Poll::Ready(Ok(())) => self.through += 1,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.poll_alarm(cx),
            }
        }
    }

    /// One is pending: has a later one failed?
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<T>>> {
        let rest = &self.runs[self.through + 1..];
        if rest.is_empty() {
            return Poll::Pending;
        }
        let mut failed = false;
        let alarm = match &self.alarm {
            Some(alarm) => {
                *alarm.task.lock() = Some(cx.waker().clone());
                alarm.clone()
            }
            None => {
                let alarm = Arc::new(Alarm {
                    failed: AtomicBool::new(false),
                    task: Mutex::new(Some(cx.waker().clone())),
                });
                let waker = Waker::from(alarm.clone());
                for run in rest {
                    failed |= run.node().core().listen(ERROR, &mut None, &waker);
                }
                self.alarm = Some(alarm.clone());
                alarm
            }
        };
        if !failed && !alarm.failed.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        for run in &mut self.runs[self.through + 1..] {
            if run.node().core().is_told(ERROR)
                && let Poll::Ready(Err(error)) = run.poll_result(cx)
            {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Pending
    }
}

impl<T: Send + 'static> Future for RunFutures<T> {
    type Output = Result<Vec<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Vec<T>>> {
        self.poll_all(cx)
    }
}

impl<T: 'static> Unpin for RunFutures<T> {}

impl<T: 'static> FromIterator<RunFuture<T>> for RunFutures<T> {
    fn from_iter<I: IntoIterator<Item = RunFuture<T>>>(runs: I) -> Self {
        Self {
            runs: runs.into_iter().collect(),
            through: 0,
            alarm: None,
        }
    }
}

impl<T: 'static> From<Vec<RunFuture<T>>> for RunFutures<T> {
    fn from(runs: Vec<RunFuture<T>>) -> Self {
        runs.into_iter().collect()
    }
}

impl<T: 'static> IntoIterator for RunFutures<T> {
    type Item = RunFuture<T>;
    type IntoIter = vec::IntoIter<RunFuture<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.runs.into_iter()
    }
}

impl<'a, T: 'static> IntoIterator for &'a RunFutures<T> {
    type Item = &'a RunFuture<T>;
    type IntoIter = std::slice::Iter<'a, RunFuture<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Clone + 'static> Clone for RunFutures<T> {
    fn clone(&self) -> Self {
        self.runs.iter().cloned().collect()
    }
}

impl<T: 'static> fmt::Debug for RunFutures<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.runs).finish()
    }
}

/// What became of each of several runs, in order: made by [`RunFutures::settle`].
#[must_use = "nothing waits until this is awaited"]
#[derive(Debug)]
pub struct Settle<T: 'static> {
    runs: vec::IntoIter<RunFuture<T>>,
    next: Option<RunFuture<T>>,
    results: Vec<Result<T>>,
}

impl<T: 'static> Unpin for Settle<T> {}

impl<T: Send + 'static> Future for Settle<T> {
    type Output = Vec<Result<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<Result<T>>> {
        let this = &mut *self;
        loop {
            let Some(run) = &mut this.next else {
                this.next = this.runs.next();
                if this.next.is_none() {
                    return Poll::Ready(std::mem::take(&mut this.results));
                }
                continue;
            };
            match run.poll_result(cx) {
                Poll::Ready(result) => {
                    this.results.push(result);
                    this.next = None;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
