//! What a body can learn of its run, and how it follows where users spawn.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;
use uuid::Uuid;

use super::ambient::{self, Ambient, Entered};
use super::core::Core;
use super::life::cancelled;
use super::node::NodeRef;
use super::{cancel, runtime, slot};
use crate::definition::Definition;
use crate::error::Result;
use crate::run::{RunId, RunKind};
use crate::state::State;

/// The run that the current code works for: ids, names, parameters, and whether it should stop.
///
/// [`context`] gives it inside of a body; hooks, conditions and observers are given it.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[task(run_name = "double-{x}")]
/// fn double(x: u32) -> String {
///     let run = flowcore::context().unwrap();
///     format!("{} {} {}", run.run_name(), run.attempt(), run.parameters().unwrap())
/// }
///
/// assert_eq!(double(21).unwrap(), r#"double-21 1 {"x":21}"#);
/// assert!(flowcore::context().is_none());
/// ```
#[derive(Clone)]
pub struct RunContext {
    node: NodeRef,
    epoch: u32,
    attempt: u32,
    /// Whether parameters are told only if they can be told whole.
    for_key: bool,
}

impl RunContext {
    pub(crate) fn of(node: NodeRef, epoch: u32, attempt: u32) -> Self {
        Self {
            node,
            epoch,
            attempt,
            for_key: false,
        }
    }

    /// For a cache key function: parameters that differ never look alike.
    pub(crate) fn for_key(node: NodeRef, epoch: u32, attempt: u32) -> Self {
        Self {
            for_key: true,
            ..Self::of(node, epoch, attempt)
        }
    }

    pub(crate) fn core(&self) -> &Core {
        self.node.core()
    }

    /// The run's id.
    #[must_use]
    pub fn run_id(&self) -> RunId {
        self.node.core().id
    }

    /// The run's name: from `.name(…)`, from `run_name`, or one made for it (`crimson-fox`, `process_node-3f2`).
    #[must_use]
    pub fn run_name(&self) -> String {
        self.node.core().run_name()
    }

    /// Whether it is a flow run or a task run.
    #[must_use]
    pub fn kind(&self) -> RunKind {
        self.node.core().kind()
    }

    /// The flow or task that this is a run of.
    #[must_use]
    pub fn definition(&self) -> &'static Definition {
        self.node.core().definition
    }

    /// The run that made this one.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn child() -> Option<String> { Some(flowcore::context()?.parent()?.run_name()) }
    /// #[flow(run_name = "outer")]
    /// fn outer_flow() -> flowcore::Result<Option<String>> { child() }
    /// assert_eq!(outer_flow().unwrap().as_deref(), Some("outer"));
    /// ```
    #[must_use]
    pub fn parent(&self) -> Option<RunContext> {
        let node = self.node.core().parent.clone()?;
        let (epoch, attempt) = (node.core().epoch(), node.core().attempt());
        Some(Self::of(node, epoch, attempt))
    }

    /// The id of the run that made this one.
    #[must_use]
    pub fn parent_id(&self) -> Option<RunId> {
        self.node.core().parent.as_ref().map(|parent| parent.core().id)
    }

    /// The id of the outermost run.
    #[must_use]
    pub fn root_id(&self) -> RunId {
        let mut core = self.node.core();
        while let Some(parent) = &core.parent {
            core = parent.core();
        }
        core.id
    }

    /// How many runs are around this one.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.node.core().depth
    }

    /// The names from the outermost run to this one, `a › b › c`.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn leaf() -> String { flowcore::context().unwrap().path() }
    /// #[flow]
    /// fn root() -> flowcore::Result<String> { leaf() }
    /// assert_eq!(root().unwrap(), "root › leaf");
    /// ```
    #[must_use]
    pub fn path(&self) -> String {
        self.node.core().path()
    }

    /// Which attempt this is, from 1; 0 before the first.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task(retries = 1)]
    /// fn second_time() -> Result<u32, String> {
    ///     match flowcore::context().unwrap().attempt() { 1 => Err("once more".into()), n => Ok(n) }
    /// }
    /// assert_eq!(second_time().unwrap(), 2);
    /// ```
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The parameters as a JSON object, bounded, with marks for what can't be shown; `None` if there are none.
    ///
    /// In a `cache_key_fn` nothing is cut below 1 MiB, and it is `None` too where something is left out: a key made of what is left
    /// would take different calls for the same.
    #[must_use]
    pub fn parameters(&self) -> Option<&str> {
        let core = self.node.core();
        if self.for_key && !core.has_whole_parameters() {
            return None;
        }
        core.parameters()
    }

    /// The runs whose results are this one's inputs, or that it was told to wait for.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// async fn number() -> u32 { tokio::task::yield_now().await; 7 }
    /// #[task]
    /// fn dependencies_of(_input: u32) -> usize { flowcore::context().unwrap().dependencies().len() }
    /// #[flow]
    /// async fn chain() -> flowcore::Result<usize> { dependencies_of.submit(number.submit()).await }
    /// assert!(chain().run().unwrap() <= 1); // none, if the input was there at once
    /// ```
    #[must_use]
    pub fn dependencies(&self) -> Vec<RunId> {
        self.node.core().dependencies().iter().map(|run| run.id).collect()
    }

    /// The definition's tags and the call's.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        self.node.core().tags()
    }

    /// The run's present state.
    #[must_use]
    pub fn state(&self) -> State {
        self.node.core().state()
    }

    /// All states so far, oldest first.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// #[task]
    /// fn states_so_far() -> usize { flowcore::context().unwrap().states().len() }
    /// assert_eq!(states_so_far().unwrap(), 2); // Pending, Running
    /// ```
    #[must_use]
    pub fn states(&self) -> Vec<State> {
        self.node.core().lock().history.all()
    }

    /// Whether this body should stop: the run was cancelled, or timed out.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.node.core().must_stop(self.epoch)
    }

    /// For a blocking body to call now and then, with `?`.
    ///
    /// # Errors
    /// `Cancelled` if the body should stop.
    ///
    /// ```
    /// use flowcore::prelude::*;
    ///
    /// #[task]
    /// fn count() -> flowcore::Result<u32> {
    ///     let run = flowcore::context().unwrap();
    ///     let mut n = 0;
    ///     while n < 1000 {
    ///         run.check_cancelled()?;
    ///         n += 1;
    ///     }
    ///     Ok(n)
    /// }
    /// assert_eq!(count().unwrap(), 1000);
    /// ```
    pub fn check_cancelled(&self) -> Result<()> {
        if self.is_cancelled() {
            Err(cancelled("it was asked to stop"))
        } else {
            Ok(())
        }
    }

    /// Now, by the clock of the run's states.
    pub(crate) fn now_nanos(&self) -> i64 {
        self.node.core().now()
    }

    /// Asks the run to stop, with everything below it.
    pub fn cancel(&self) {
        cancel::subtree(&self.node, "by its own body or an observer");
    }

    /// A text that is the same in every attempt of this run and in no other run: for services that drop repeated requests.
    ///
    /// A call that was given a `.key(…)` has the same text whenever the same run around it makes the same call under that key, so
    /// that a retried flow repeats no request.
    ///
    /// ```
    /// use flowcore::prelude::*;
    ///
    /// #[task]
    /// fn charge() -> String { flowcore::context().unwrap().idempotency_key() }
    ///
    /// #[flow]
    /// fn bill() -> flowcore::Result<[String; 4]> {
    ///     let keyed = || charge.bind().key("invoice 7").run();
    ///     Ok([charge()?, charge()?, keyed()?, keyed()?])
    /// }
    ///
    /// let [one, other, keyed, again] = bill().unwrap();
    /// assert_ne!(one, other);
    /// assert_eq!(keyed, again);
    /// ```
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        let mut keyed = Vec::new();
        let mut core = self.node.core();
        while let (Some(key), Some(parent)) = (core.key(), &core.parent) {
            keyed.push(format!("{}\n{key}", core.definition.key()));
            core = parent.core();
        }
        let around = *core.id.as_uuid();
        let key = keyed
            .iter()
            .rev()
            .fold(around, |around, call| Uuid::new_v5(&around, call.as_bytes()));
        key.simple().to_string()
    }
}

impl fmt::Debug for RunContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunContext")
            .field("id", &self.run_id())
            .field("name", &self.run_name())
            .field("path", &self.path())
            .field("attempt", &self.attempt)
            .finish()
    }
}

/// The run that the current code works for; in a hook, the run it is called for; `None` outside of flows and tasks.
///
/// ```
/// use flowcore::prelude::*;
/// #[task]
/// fn name() -> &'static str { flowcore::context().unwrap().definition().name() }
/// assert_eq!(name().unwrap(), "name");
/// ```
#[must_use]
pub fn context() -> Option<RunContext> {
    let (node, epoch) = match ambient::run() {
        (Some(node), epoch) => (node, epoch),
        (None, _) => {
            let node = ambient::hooked()?;
            let epoch = node.core().epoch();
            (node, epoch)
        }
    };
    let attempt = node.core().attempt();
    Some(RunContext::of(node, epoch, attempt))
}

/// [`tokio::spawn`] that takes the current run along, so that what the future starts and logs belongs to it.
///
/// Without a runtime around, flowcore's own is used.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[flow]
/// async fn outer() -> bool {
///     let inside = flowcore::spawn(async { flowcore::context().is_some() });
///     inside.await.unwrap()
/// }
/// assert!(outer().run().unwrap());
/// ```
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let future = Inside::new(future);
    match tokio::runtime::Handle::try_current() {
        Ok(handle) => handle.spawn(future),
        Err(_) => runtime::own().spawn(future),
    }
}

/// [`tokio::task::spawn_blocking`] that takes the current run along.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[flow]
/// async fn outer() -> bool {
///     flowcore::spawn_blocking(|| flowcore::context().is_some()).await.unwrap()
/// }
/// assert!(outer().run().unwrap());
/// ```
pub fn spawn_blocking<T: Send + 'static>(code: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let (run, epoch) = ambient::run();
    let slot = ambient::slot();
    let code = move || {
        let _in = Entered::new(run, epoch, slot);
        code()
    };
    match tokio::runtime::Handle::try_current() {
        Ok(handle) => handle.spawn_blocking(code),
        Err(_) => runtime::own().spawn_blocking(code),
    }
}

/// A future with a run around it.
struct Inside<F> {
    future: Pin<Box<F>>,
    ambient: Ambient,
}

impl<F> Inside<F> {
    fn new(future: F) -> Self {
        let (run, epoch) = ambient::run();
        Self {
            future: Box::pin(future),
            ambient: Ambient {
                run,
                epoch,
                slot: ambient::slot(),
                ..Ambient::default()
            },
        }
    }
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        this.ambient.waits = false;
        let polled = ambient::Swapped::new(&mut this.ambient).poll(this.future.as_mut(), cx);
        // The body may wait for this future, and the slot is what the child needs. The body asks again when it goes on.
        if let Some((holder, epoch)) = &this.ambient.slot
            && polled.is_pending()
            && this.ambient.waits
            && holder.core().epoch() == *epoch
        {
            slot::give_back(holder.core());
        }
        polled
    }
}
