//! The future of a run.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::cell::TypedRun;
use super::core::{Core, RESULT, SETTLED};
use super::node::NodeRef;
use super::wait::{self, One};
use super::{ambient, cancel};
use crate::error::{Error, ErrorKind, Result};
use crate::run::RunId;
use crate::state::State;

/// A run that was started: its result to come, and what it is doing.
///
/// `.await` gives the result and moves it out; [`result`](RunFuture::result) blocks for it, from any thread. Dropping the future
/// detaches the run: it goes on, and the flow around waits for it at its end.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[task]
/// fn double(x: u32) -> u32 { x * 2 }
///
/// let run = double.submit(21);
/// assert_eq!(run.result().unwrap(), 42);
/// assert_eq!(run.state().name(), "Completed");
/// ```
#[must_use = "the run goes on, but its result and its failure are lost; `drop` it, or `.await` it"]
pub struct RunFuture<T: 'static> {
    run: Arc<dyn TypedRun<T>>,
    key: Option<u32>,
}

impl<T: Send + 'static> RunFuture<T> {
    pub(crate) fn new(run: Arc<dyn TypedRun<T>>) -> Self {
        run.core().handles.fetch_add(1, Ordering::Relaxed);
        Self { run, key: None }
    }

    pub(crate) fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<Result<T>> {
        match self.poll_told(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(cycle)) => Poll::Ready(Err(cycle)),
            Poll::Ready(Ok(())) => Poll::Ready(self.take()),
        }
    }

    pub(crate) fn take(&self) -> Result<T> {
        self.run.take(self.is_shared())
    }

    /// Waits for the result, and leaves it where it is.
    pub(crate) fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let core = self.run.core();
        if !core.listen(RESULT, &mut self.key, cx.waker()) {
            if let Err(cycle) = wait::refuse_async_cycle(core) {
                return Poll::Ready(Err(cycle));
            }
            ambient::note_wait();
            return Poll::Pending;
        }
        self.key = None;
        Poll::Ready(Ok(()))
    }

    /// Blocks the thread until the run has its result. It never blocks the run: a sync run that no thread has begun is run right
    /// here, a slot of the task runner is given back meanwhile, and an async worker is replaced.
    ///
    /// The result can be asked for again if it is `Clone`; otherwise the first to ask has it.
    ///
    /// # Errors
    /// The run's. `Cancelled` if the run that waits is cancelled meanwhile. `Runner` if the wait could never end: a run that waits
    /// for a run around it, or a current-thread runtime whose only thread would be blocked.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn shout(text: &str) -> String { text.to_uppercase() }
    /// assert_eq!(shout.submit("hello").result().unwrap(), "HELLO");
    /// ```
    pub fn result(&self) -> Result<T> {
        if !self.core().is_told(RESULT) {
            wait::block(&mut One::new(self.node(), RESULT), None)?;
        }
        self.run.take(true)
    }

    /// [`result`](RunFuture::result) that moves the result out instead of cloning it, if this is the run's only future.
    ///
    /// # Errors
    /// As `result`.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn big() -> Vec<u8> { vec![0; 1 << 20] }
    /// assert_eq!(big.submit().into_result().unwrap().len(), 1 << 20);
    /// ```
    pub fn into_result(self) -> Result<T> {
        if !self.core().is_told(RESULT) {
            wait::block(&mut One::new(self.node(), RESULT), None)?;
        }
        self.run.take(self.is_shared())
    }

    /// [`result`](RunFuture::result) that waits no longer than `timeout`.
    ///
    /// # Errors
    /// As `result`; and `TimedOut`, without a run path, if there is no result yet. The run goes on.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[task]
    /// fn slow() { std::thread::sleep(Duration::from_millis(200)); }
    ///
    /// let run = slow.submit();
    /// let error = run.result_timeout(Duration::from_millis(1)).unwrap_err();
    /// assert_eq!(error.kind(), flowcore::ErrorKind::TimedOut);
    /// run.result().unwrap();
    /// ```
    pub fn result_timeout(&self, timeout: Duration) -> Result<T> {
        if !self.core().is_told(RESULT) {
            let deadline = Instant::now().checked_add(timeout);
            if !wait::block(&mut One::new(self.node(), RESULT), deadline)? {
                let message = format!(
                    "'{}' has no result after {timeout:?}; it goes on",
                    self.core().definition.name()
                );
                return Err(Error::of_kind(ErrorKind::TimedOut, message));
            }
        }
        self.run.take(true)
    }

    fn is_shared(&self) -> bool {
        self.core().handles.load(Ordering::Relaxed) > 1
    }
}

impl<T: 'static> RunFuture<T> {
    fn core(&self) -> &Core {
        self.run.core()
    }

    pub(crate) fn node(&self) -> NodeRef {
        self.run.clone()
    }

    /// Blocks the thread until the run is over, however it ends, and gives its last state.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn fail() -> Result<(), String> { Err("no".into()) }
    /// assert_eq!(fail.submit().wait().name(), "Failed");
    /// ```
    pub fn wait(&self) -> State {
        // Who must stop, or waits for itself, gets the present state.
        let _ = wait::block(&mut One::new(self.node(), SETTLED), None);
        self.state()
    }

    /// [`wait`](RunFuture::wait) for no longer than `timeout`; the present state if the run is not over by then.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// use std::time::Duration;
    /// #[task]
    /// fn quick() {}
    /// assert!(quick.submit().wait_timeout(Duration::from_secs(60)).is_completed());
    /// ```
    pub fn wait_timeout(&self, timeout: Duration) -> State {
        let deadline = Instant::now().checked_add(timeout);
        let _ = wait::block(&mut One::new(self.node(), SETTLED), deadline);
        self.state()
    }

    /// The run's present state.
    #[must_use]
    pub fn state(&self) -> State {
        self.core().state()
    }

    /// Every state of the run so far, oldest first, with strictly increasing times.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn noop() {}
    /// let run = noop.submit();
    /// run.wait();
    /// let names: Vec<_> = run.states().iter().map(|state| state.name()).collect();
    /// assert_eq!(names, ["Pending", "Running", "Completed"]);
    /// ```
    #[must_use]
    pub fn states(&self) -> Vec<State> {
        self.core().lock().history.all()
    }

    /// The run's id.
    #[must_use]
    pub fn run_id(&self) -> RunId {
        self.core().id
    }

    /// The run's name.
    #[must_use]
    pub fn run_name(&self) -> String {
        self.core().run_name()
    }

    /// Cancels the run and everything below it. A run that has not begun never will; an async body is dropped at its next await;
    /// a blocking one is `Cancelling` until it looks, or returns. Waiters have their `Cancelled` error at once.
    ///
    /// ```
    /// use flowcore::prelude::*;
    ///
    /// #[flow]
    /// async fn forever() { std::future::pending::<()>().await }
    ///
    /// let run = forever.submit();
    /// run.cancel();
    /// assert_eq!(run.wait().name(), "Cancelled");
    /// ```
    pub fn cancel(&self) {
        cancel::subtree(&self.node(), "it was asked to stop");
    }
}

impl<T: Send + 'static> Future for RunFuture<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        self.poll_result(cx)
    }
}

/// Another future of the same run: each gives the result.
impl<T: Clone + 'static> Clone for RunFuture<T> {
    fn clone(&self) -> Self {
        self.core().handles.fetch_add(1, Ordering::Relaxed);
        Self {
            run: self.run.clone(),
            key: None,
        }
    }
}

impl<T: 'static> Drop for RunFuture<T> {
    fn drop(&mut self) {
        self.core().handles.fetch_sub(1, Ordering::Relaxed);
        if let Some(key) = self.key
            && !self.core().is_told(RESULT)
        {
            self.core().stop_listening(key);
        }
    }
}

impl<T: 'static> fmt::Debug for RunFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunFuture")
            .field("run", &self.run_name())
            .field("id", &self.run_id())
            .field("state", &self.state().name())
            .finish()
    }
}

/// Cancels a run when dropped before its end.
pub(crate) struct CancelOnDrop(pub(crate) Option<NodeRef>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(node) = self.0.take()
            && !node.core().is_told(RESULT)
        {
            cancel::subtree(&node, "its caller stopped waiting");
        }
    }
}
