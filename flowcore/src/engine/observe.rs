//! Whoever wants to see every state of every run, while it happens.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use parking_lot::RwLock;
use tracing::level_filters::LevelFilter;

use super::context::RunContext;
use super::life;
use super::node::NodeRef;
use super::panic::guarded;
use super::recording;
use crate::run::RunKind;
use crate::state::{State, StateType};

/// Sees runs change state and log.
///
/// It is called on the thread that made the change, with no lock of the engine's held: what it does costs the run time.
/// The states of one run come in order and each once; waiters learn of its end after its last state was shown.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use flowcore::prelude::*;
/// use flowcore::observe::{Observer, observe};
///
/// #[derive(Default)]
/// struct Names(Mutex<Vec<String>>);
/// impl Observer for Names {
///     fn on_state(&self, _run: &RunContext, state: &State) {
///         self.0.lock().unwrap().push(state.name().to_owned());
///     }
/// }
///
/// #[task]
/// fn noop() {}
///
/// let names = Arc::new(Names::default());
/// let seen = observe(names.clone());
/// noop().unwrap();
/// drop(seen);
/// assert_eq!(*names.0.lock().unwrap(), ["Pending", "Running", "Completed"]);
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A run has entered a state.
    fn on_state(&self, run: &RunContext, state: &State);

    /// A run has logged something, if the program installed [`logging`](crate::logging).
    fn on_log(&self, run: &RunContext, record: &LogRecord<'_>) {
        let _ = (run, record);
    }
}

/// One line of a run's log, as [`Observer::on_log`] is given it. See [`RunLayer`](crate::logging::RunLayer) for an example.
#[derive(Debug)]
#[non_exhaustive]
pub struct LogRecord<'a> {
    /// How bad it is.
    pub level: tracing::Level,
    /// Where it comes from, a module path unless told otherwise.
    pub target: &'a str,
    /// The text, fields included.
    pub message: &'a str,
    /// Nanoseconds since the Unix epoch.
    pub unix_nanos: i64,
}

impl<'a> LogRecord<'a> {
    /// A line of `run`'s, dated by the clock of its states.
    pub(crate) fn new(run: &RunContext, level: tracing::Level, target: &'a str, message: &'a str) -> Self {
        Self {
            level,
            target,
            message,
            unix_nanos: run.now_nanos(),
        }
    }
}

type Entry = (usize, Arc<dyn Observer>);

static COUNT: AtomicUsize = AtomicUsize::new(0);
static OBSERVERS: LazyLock<RwLock<Arc<[Entry]>>> = LazyLock::new(|| RwLock::new(Arc::new([])));

/// Ends the observation when dropped.
#[must_use = "the observation ends when this is dropped"]
#[derive(Debug)]
pub struct Observation(usize);

/// Has `observer` called for every run of this process, until the [`Observation`] is dropped. See [`Observer`] for an example.
pub fn observe(observer: Arc<dyn Observer>) -> Observation {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut observers = OBSERVERS.write();
    *observers = observers.iter().cloned().chain([(id, observer)]).collect();
    COUNT.store(observers.len(), Ordering::SeqCst);
    Observation(id)
}

impl Drop for Observation {
    fn drop(&mut self) {
        let gone;
        {
            let mut observers = OBSERVERS.write();
            let rest = observers.iter().filter(|(id, _)| *id != self.0).cloned().collect();
            gone = std::mem::replace(&mut *observers, rest);
            COUNT.store(observers.len(), Ordering::SeqCst);
        }
        drop(gone);
    }
}

/// Whether anybody looks.
#[inline]
pub(crate) fn is_observed() -> bool {
    COUNT.load(Ordering::Relaxed) > 0
}

fn each(call: impl Fn(&dyn Observer)) {
    let observers = OBSERVERS.read().clone();
    for (_, observer) in observers.iter() {
        if let Err(panic) = guarded(|| call(&**observer)) {
            tracing::error!("an observer {panic}");
        }
    }
}

/// Whether a change of state is to be told to anybody.
#[inline]
pub(crate) fn is_wanted() -> bool {
    is_observed() || LevelFilter::current() != LevelFilter::OFF
}

/// Shows the run's new states, in order and each once, whichever threads they come from.
#[inline]
pub(crate) fn emit(node: &NodeRef) {
    recording::note(node);
    if is_wanted()
        && let Some(parent) = show(node)
    {
        life::settle(parent);
    }
}

/// Shows the last state, then ends the run; if another thread is still showing earlier ones, that thread does both.
/// Returns the parent if the run was the last that it waited for.
pub(crate) fn emit_last(node: &NodeRef) -> Option<NodeRef> {
    recording::note(node);
    if !is_wanted() {
        return life::last_state_is_out(node);
    }
    node.core().lock().ends_observed = true;
    show(node)
}

fn show(node: &NodeRef) -> Option<NodeRef> {
    let core = node.core();
    loop {
        let (states, attempt) = {
            let mut inner = core.lock();
            if inner.observing {
                return None;
            }
            let seen = inner.observed as usize;
            if seen == inner.history.len() {
                let ends = std::mem::take(&mut inner.ends_observed);
                drop(inner);
                return if ends { life::last_state_is_out(node) } else { None };
            }
            inner.observing = true;
            let states: Vec<State> = inner.history.since(seen);
            // Retries beyond 2^32 states end nowhere sooner.
            inner.observed = inner.history.len() as u32;
            (states, inner.attempt)
        };
        for state in &states {
            tell(node, state, attempt);
        }
        core.lock().observing = false;
    }
}

fn tell(node: &NodeRef, state: &State, attempt: u32) {
    let core = node.core();
    log(node, state);
    if is_observed() {
        let context = RunContext::of(node.clone(), core.epoch(), attempt);
        each(|observer| observer.on_state(&context, state));
    }
}

/// A root's beginning and end are news, a failure is, the rest is for who looks closely.
fn log(node: &NodeRef, state: &State) {
    let core = node.core();
    let root_flow = core.depth == 0 && core.kind() == RunKind::Flow;
    let told = || {
        let _in = super::ambient::Entered::new(Some(node.clone()), core.epoch(), None);
        match state.kind() {
            StateType::Running if root_flow => {
                tracing::info!(target: "flowcore::run", "Beginning flow run of '{}'", core.definition.name());
            }
            StateType::Failed | StateType::Crashed => {
                tracing::error!(target: "flowcore::run", "Finished in state {state}")
            }
            kind if root_flow && kind.is_terminal() => {
                tracing::info!(target: "flowcore::run", "Finished in state {state}")
            }
            _ => tracing::debug!(target: "flowcore::run", "{state}"),
        }
    };
    if let Err(panic) = guarded(told) {
        // The subscriber is the user's; it can't be told through itself. Nor may this panic, where nobody reads it any more.
        let _ = writeln!(io::stderr(), "flowcore: the log subscriber {panic}");
    }
}

/// A line of the engine's own in the run's log.
pub(crate) fn warn(node: &NodeRef, text: &str) {
    let _ = guarded(|| {
        let _in = super::ambient::Entered::new(Some(node.clone()), node.core().epoch(), None);
        tracing::warn!(target: "flowcore::run", "{text}");
    });
}

/// A line of the user's, found by the logging layer.
pub(crate) fn log_line(run: &RunContext, record: &LogRecord<'_>) {
    recording::log(
        run.core(),
        record.level,
        record.target,
        record.message,
        record.unix_nanos,
    );
    if is_observed() {
        each(|observer| observer.on_log(run, record));
    }
}
