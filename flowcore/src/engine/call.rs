//! A call prepared but not started, and the ways to start one.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::cell::RunCell;
use super::core::Origin;
use super::custom::Custom;
use super::future::{CancelOnDrop, RunFuture};
use super::futures::RunFutures;
use super::input::IntoInputs;
use super::life;
use super::node::NodeRef;
use crate::error::Result;
use crate::options::{IntoRetryDelay, Seconds};
use crate::private::{ParamList, Runnable};

type Launch<T> = Box<dyn FnOnce(Option<Box<Custom>>) -> RunFuture<T> + Send>;

/// A call of a flow or task that is not started yet: an async function called directly gives one, and so does `bind`.
///
/// Set what this call has of its own, then start it: `.await` (or [`run`](Call::run), which blocks) for the result, or
/// [`submit`](Call::submit) for a future. Dropped unstarted, nothing ever happened. Dropped while it is awaited, its run is
/// cancelled, as the future of any other async function would be.
///
/// ```
/// use flowcore::prelude::*;
/// use std::time::Duration;
///
/// #[task]
/// fn fetch(url: &str) -> String { format!("page of {url}") }
///
/// let page = fetch
///     .bind("example.org")
///     .name("home page")
///     .retries(3)
///     .retry_delay(exponential_backoff(0.5))
///     .timeout(Duration::from_secs(30))
///     .tags(["crawl"])
///     .submit();
/// assert_eq!(page.run_name(), "home page");
/// assert_eq!(page.result().unwrap(), "page of example.org");
/// ```
#[must_use = "a call does nothing until it is awaited, run or submitted"]
pub struct Call<T: 'static> {
    stage: Stage<T>,
}

enum Stage<T: 'static> {
    Prepared {
        launch: Launch<T>,
        custom: Option<Box<Custom>>,
    },
    Running(RunFuture<T>, CancelOnDrop),
    Gone,
}

impl<T: Send + 'static> Call<T> {
    fn customised(mut self, set: impl FnOnce(&mut Custom)) -> Self {
        // A call that runs can't be had by value: it is pinned.
        if let Stage::Prepared { custom, .. } = &mut self.stage {
            set(custom.get_or_insert_default());
        }
        self
    }

    /// The run's name.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn fetch(url: &str) -> usize { url.len() }
    /// let run = fetch.bind("example.org").name("home page").submit();
    /// assert_eq!(run.run_name(), "home page");
    /// ```
    pub fn name(self, name: impl Into<String>) -> Self {
        self.customised(|custom| custom.name = Some(name.into()))
    }

    /// How many attempts may follow a failed first one. The parameters must be `Clone`, or the run fails at once.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// static TRIES: AtomicU32 = AtomicU32::new(0);
    /// #[task]
    /// fn third_time() -> Result<u32, String> {
    ///     match TRIES.fetch_add(1, Ordering::SeqCst) { 2 => Ok(3), _ => Err("not yet".into()) }
    /// }
    /// assert_eq!(third_time.bind().retries(2).run().unwrap(), 3);
    /// ```
    pub fn retries(self, retries: u32) -> Self {
        self.customised(|custom| custom.retries = Some(retries))
    }

    /// The wait before each retry: seconds, a `Duration`, a list, `exponential_backoff(factor)`, or any `Fn(u32) -> Duration`.
    pub fn retry_delay<M>(self, delay: impl IntoRetryDelay<M>) -> Self {
        self.customised(|custom| custom.retry_delay = Some(delay.into_delay_fn().0))
    }

    /// How long an attempt may take: a `Duration`, or a number of seconds.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// use std::time::Duration;
    /// #[task]
    /// async fn slow() { std::future::pending().await }
    /// let error = slow.bind().timeout(Duration::from_millis(5)).run().unwrap_err();
    /// assert_eq!(error.kind(), flowcore::ErrorKind::TimedOut);
    /// ```
    pub fn timeout(self, timeout: impl Seconds) -> Self {
        self.customised(|custom| custom.timeout = Some(timeout.duration()))
    }

    /// Tags for this run, beside the definition's.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn tagged() -> Vec<String> { flowcore::context().unwrap().tags() }
    /// assert_eq!(tagged.bind().tags(["nightly", "etl"]).run().unwrap(), ["nightly", "etl"]);
    /// ```
    pub fn tags<S: Into<String>>(self, tags: impl IntoIterator<Item = S>) -> Self {
        self.customised(|custom| custom.tags.extend(tags.into_iter().map(Into::into)))
    }

    /// What tells this call from others of the same function, in place of its parameters.
    pub fn key(self, key: impl Into<String>) -> Self {
        self.customised(|custom| custom.key = Some(key.into()))
    }

    /// Starts only when that run has completed, without taking its result. May be called several times.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn load() -> Result<(), String> { Err("no rows".into()) }
    /// #[task]
    /// fn report() -> &'static str { "done" }
    /// let loaded = load.submit();
    /// let reported = report.bind().wait_for(&loaded).submit();
    /// assert_eq!(reported.wait().name(), "NotReady"); // what it waits for has failed
    /// ```
    pub fn wait_for<U: 'static>(self, run: &RunFuture<U>) -> Self {
        let node = run.node();
        self.customised(|custom| custom.wait_for.get_mut().push((node, None)))
    }

    /// Starts the run and gives its future at once.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn double(x: u32) -> u32 { x * 2 }
    /// assert_eq!(double.bind(21).submit().result().unwrap(), 42);
    /// ```
    pub fn submit(mut self) -> RunFuture<T> {
        match mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Prepared { launch, custom } => launch(custom),
            Stage::Running(run, mut guard) => {
                guard.0 = None;
                run
            }
            Stage::Gone => unreachable!("a call is consumed by what starts it"),
        }
    }

    /// Starts the run and blocks the thread until it has its result.
    ///
    /// # Errors
    /// As [`RunFuture::result`].
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[flow]
    /// async fn answer() -> u32 { 42 }
    /// assert_eq!(answer().run().unwrap(), 42); // in a plain `fn main`
    /// ```
    pub fn run(self) -> Result<T> {
        self.submit().into_result()
    }
}

impl<T: 'static> Unpin for Call<T> {}

impl<T: Send + 'static> Future for Call<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        if let Stage::Prepared { .. } = this.stage
            && let Stage::Prepared { launch, custom } = mem::replace(&mut this.stage, Stage::Gone)
        {
            let run = launch(custom);
            let guard = CancelOnDrop(Some(run.node()));
            this.stage = Stage::Running(run, guard);
        }
        match &mut this.stage {
            Stage::Running(run, guard) => {
                let polled = run.poll_result(cx);
                if polled.is_ready() {
                    guard.0 = None;
                    this.stage = Stage::Gone;
                }
                polled
            }
            _ => panic!("a call was polled after it had given its result"),
        }
    }
}

impl<T: 'static> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stage {
            Stage::Running(run, _) => write!(f, "Call({run:?})"),
            _ => f.write_str("Call(not started)"),
        }
    }
}

type Inputs<R> = <<R as Runnable>::Params as ParamList>::Inputs;

fn launch<R: Runnable>(inputs: Inputs<R>, custom: Option<Box<Custom>>, origin: Origin) -> RunFuture<R::Output> {
    let (cell, birth, invalid) = RunCell::<R>::new(inputs, custom, origin, None);
    let future = RunFuture::new(cell.clone());
    let node: NodeRef = cell;
    life::launch(&node, birth, invalid);
    future
}

/// `NAME.submit(…)`
pub fn submit<R: Runnable>(inputs: Inputs<R>) -> RunFuture<R::Output> {
    launch::<R>(inputs, None, Origin::current())
}

/// `NAME.bind(…)`
pub fn bind<R: Runnable>(inputs: Inputs<R>) -> Call<R::Output> {
    let origin = Origin::current();
    Call {
        stage: Stage::Prepared {
            launch: Box::new(move |custom| launch::<R>(inputs, custom, origin.or_current())),
            custom: None,
        },
    }
}

/// `NAME.map(…)`
pub fn map<R, I>(items: I) -> RunFutures<R::Output>
where
    R: Runnable,
    I: IntoIterator,
    I::Item: IntoInputs<R::Params>,
{
    items.into_iter().map(|item| submit::<R>(item.into_inputs())).collect()
}
