//! A direct call of a sync function: a run on its caller's stack, on its caller's borrows.

use std::sync::Arc;
use std::task::Waker;

use serde_json::Value;

use super::core::{Birth, Core, Origin, Phase, SETTLED};
use super::hooks;
use super::life::{self, Begun};
use super::node::{Node, NodeRef};
use super::observe;
use super::panic::{drop_guarded, guarded};
use super::wait::{self, Goal};
use super::{ambient, cache, stack, timeout};
use crate::error::{Error, ErrorKind, Result};
use crate::private::{Failure, Recorder, Runnable};
use crate::state::StateName;

/// A run whose output stays on the stack.
struct Plain {
    core: Core,
}

impl Node for Plain {
    fn core(&self) -> &Core {
        &self.core
    }

    fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    /// Another attempt is due: the calling thread sees to it.
    fn enqueue(self: Arc<Self>) {
        let mut inner = self.core.lock();
        let wakeup = self.core.tell(&mut inner, 0);
        drop(inner);
        wakeup.wake();
    }

    fn execute(self: Arc<Self>) {}

    fn poll_inputs(self: Arc<Self>) {}

    fn discard(&self) {}

    fn output_json(&self) -> Result<Value> {
        Err(Error::of_kind(ErrorKind::Runner, "a direct call keeps no output"))
    }
}

/// Runs a sync function in place: every attempt, its children, its retries.
pub(crate) fn direct<R: Runnable>(
    record: impl FnOnce(&mut Recorder),
    mut body: impl FnMut(bool) -> Result<R::Output, Failure>,
) -> Result<R::Output> {
    let mut output = None;
    let node: NodeRef = Arc::new(Plain {
        core: Core::new(R::definition(), Origin::current(), None, Birth::Direct),
    });
    let core = node.core();
    make_record(core, record);
    life::launch(&node, Birth::Direct, None);
    let key = cache::key_of(&node);
    if let Some(key) = &key
        && let Some(value) = cache::get(&node, key, R::OUTPUT.clone)
        && let Some(begun) = life::begin_quietly(core)
    {
        output = Some(value);
        life::end_cached(&node, begun, || {});
    }
    run(&node, &mut |last| match body(last) {
        Ok(value) => {
            output = Some(value);
            None
        }
        Err(Failure(error)) => Some(error),
    });
    let error = core.lock().error.clone();
    match (error, output) {
        (None, Some(value)) => {
            if let Some(key) = key
                && core.state().name == StateName::Completed
                && let Some(clone) = R::OUTPUT.clone
                && let Ok(copy) = guarded(|| clone(&value))
            {
                cache::put(&node, &key, copy);
            }
            Ok(value)
        }
        (Some(error), late) => {
            drop_guarded(late);
            Err(error)
        }
        (None, None) => Err(Error::of_kind(ErrorKind::Runner, "the body left no output")),
    }
}

fn make_record(core: &Core, record: impl FnOnce(&mut Recorder)) {
    let mut recorder = Recorder::new(core.record_limit());
    let recorded = guarded(|| {
        stack::ensure(|| record(&mut recorder));
        recorder.finish()
    });
    if let Ok(record) = recorded {
        core.set_record(record);
    }
}

/// The attempts, until the run is over.
fn run(node: &NodeRef, body: &mut dyn FnMut(bool) -> Option<Error>) {
    let core = node.core();
    loop {
        if let Some(begun) = life::begin(core) {
            attempt(node, begun, body);
        }
        if core.is_told(SETTLED) {
            return;
        }
        if core.lock().phase == Phase::Queued {
            continue;
        }
        // Children, hooks, or the wait for the next attempt: never refused, as no wait is left that could be.
        let waited = wait::block(&mut NextOrOver { node, key: None }, None);
        if waited.is_err() {
            // The caller was stopped meanwhile; this run is below it and stops as well, only later.
            let _without_run = ambient::Entered::new(None, 0, ambient::slot());
            let _ = wait::block(&mut NextOrOver { node, key: None }, None);
        }
    }
}

fn attempt(node: &NodeRef, begun: Begun, body: &mut dyn FnMut(bool) -> Option<Error>) {
    let core = node.core();
    let epoch = begun.epoch;
    observe::emit(node);
    if hooks::any(core, StateName::Running) {
        wait::on_future(hooks::run(node.clone()));
    }
    if core.must_stop(epoch) {
        life::end_body(node, epoch, Some(life::cancelled("it was asked to stop")), || {});
        return;
    }
    timeout::arm(node, epoch);
    let last = begun.attempt > core.retries();
    let outcome = {
        let _in = ambient::Entered::in_place(node.clone(), epoch);
        guarded(|| stack::ensure(|| body(last)))
    };
    let error = outcome.unwrap_or_else(|panic| Some(Error::of_kind(ErrorKind::Panicked, panic.to_string())));
    life::end_body(node, epoch, error, || {});
}

struct NextOrOver<'a> {
    node: &'a NodeRef,
    key: Option<u32>,
}

impl Goal for NextOrOver<'_> {
    fn reached(&mut self, waker: &Waker) -> bool {
        let core = self.node.core();
        core.listen(SETTLED, &mut self.key, waker) || core.lock().phase == Phase::Queued
    }

    fn runnable(&mut self) -> Option<NodeRef> {
        None
    }

    fn awaited(&self) -> Option<&NodeRef> {
        None
    }
}

impl Drop for NextOrOver<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.node.core().stop_listening(key);
        }
    }
}
