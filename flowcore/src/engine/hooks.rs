//! State hooks: user code told of a run's states, that can neither change nor hold up the run.

use std::fmt::Display;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::ambient::Entered;
use super::context::RunContext;
use super::core::Core;
use super::life;
use super::node::NodeRef;
use super::observe;
use super::panic::guarded;
use super::runtime;
use crate::settings::settings;
use crate::state::{State, StateName, StateType};

type HookFn = dyn Fn(&RunContext, &State, &Handle) -> Result<(), String> + Send + Sync;

/// A hook, ready to be called.
#[derive(Clone)]
pub struct Hook(Arc<HookFn>);

/// What a hook returns: nothing, or a `Result` whose error is logged.
pub trait HookOutcome {
    #[doc(hidden)]
    fn into_outcome(self) -> Result<(), String>;
}

impl HookOutcome for () {
    fn into_outcome(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display> HookOutcome for Result<(), E> {
    fn into_outcome(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}

#[doc(hidden)]
pub struct Sync_;
#[doc(hidden)]
pub struct Async_;

/// What `on_completion` and its like take: a `fn(&RunContext, &State)`, or an async one; it may return a `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no state hook",
    label = "write a `fn(&RunContext, &State)` or an `async fn` of these",
    note = "a hook returns nothing, or a `Result<(), E>` whose error is logged"
)]
pub trait IntoHook<Marker> {
    #[doc(hidden)]
    fn into_hook(self) -> Hook;
}

impl<F, O> IntoHook<(Sync_, O)> for F
where
    F: Fn(&RunContext, &State) -> O + Send + Sync + 'static,
    O: HookOutcome,
{
    fn into_hook(self) -> Hook {
        Hook(Arc::new(move |run, state, _| self(run, state).into_outcome()))
    }
}

impl<F, O> IntoHook<(Async_, O)> for F
where
    F: AsyncFn(&RunContext, &State) -> O + Send + Sync + 'static,
    O: HookOutcome,
{
    fn into_hook(self) -> Hook {
        // A hook has a thread of its own, so that its future needs no `Send`.
        Hook(Arc::new(move |run, state, runtime| {
            // Its thread must not outlive the limit by much: an async hook can be dropped.
            let limited =
                runtime.block_on(async { tokio::time::timeout(settings().hook_timeout, self(run, state)).await });
            match limited {
                Ok(outcome) => outcome.into_outcome(),
                Err(_) => Err("it took too long".to_owned()),
            }
        }))
    }
}

fn hooks_of(core: &Core, kind: StateType) -> &'static [Hook] {
    let options = core.options();
    match kind {
        StateType::Running => &options.on_running,
        StateType::Completed => &options.on_completion,
        StateType::Failed => &options.on_failure,
        StateType::Cancelled => &options.on_cancellation,
        StateType::Crashed => &options.on_crashed,
        _ => &[],
    }
}

/// Whether the run has hooks for that state.
pub(crate) fn any(core: &Core, name: StateName) -> bool {
    !hooks_of(core, name.kind()).is_empty()
}

/// Calls the hooks of the run's current state, one after the other. One that fails or takes too long is logged.
pub(crate) async fn run(node: NodeRef) {
    let core = node.core();
    let state = core.state();
    let limit = settings().hook_timeout;
    for hook in hooks_of(core, state.kind()) {
        let context = RunContext::of(node.clone(), core.epoch(), core.attempt());
        let (hook, state_of_call, of) = (hook.clone(), state.clone(), node.clone());
        // Not on the user's runtime: its end would wait for a hook that doesn't end.
        let called = runtime::own().spawn_blocking(move || {
            let _in = Entered::for_hook(of);
            guarded(|| (hook.0)(&context, &state_of_call, runtime::own()))
        });
        let trouble = match tokio::time::timeout(limit, called).await {
            Ok(Ok(Ok(Ok(())))) => continue,
            Ok(Ok(Ok(Err(error)))) => format!("failed: {error}"),
            Ok(Ok(Err(panic))) => panic.to_string(),
            Ok(Err(lost)) => format!("was lost: {lost}"),
            Err(_) => format!("took longer than {limit:?}; the run goes on without it"),
        };
        observe::warn(&node, &format!("a hook for {} {trouble}", state.name()));
    }
}

/// Calls the hooks of the last state, then lets the waiters know.
pub(crate) fn run_at_end(node: &NodeRef) {
    let mut last = Last(Some(node.clone()));
    drop(runtime::own().spawn(async move {
        if let Some(node) = last.0.clone() {
            run(node).await;
        }
        last.done();
    }));
}

/// Lets the waiters know even if the runtime ends under the hooks.
struct Last(Option<NodeRef>);

impl Last {
    fn done(&mut self) {
        if let Some(node) = self.0.take() {
            life::hooks_are_done(&node);
        }
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        self.done();
    }
}
