//! A direct call of a sync function: a run on its caller's stack, on its caller's borrows.

use std::sync::Arc;
use std::task::Waker;

use serde_json::Value;

use super::core::{Birth, Core, Kept, Origin, Phase, Record, SETTLED, record_limit};
use super::durable;
use super::hooks;
use super::identity::CallHasher;
use super::life::{self, Begun};
use super::node::{Node, NodeRef};
use super::observe;
use super::panic::{drop_guarded, guarded};
use super::wait::{self, Goal};
use super::{ambient, cache, recording, stack, timeout};
use crate::definition::Definition;
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
    let definition = R::definition();
    let origin = Origin::current();
    let (record, hasher) = make_record(definition, durable::is_below(&origin), record);
    let mut identity = durable::identify(definition, &origin, None, None, || hasher);
    if let Some(value) = durable::answer(&R::OUTPUT, definition, &mut identity) {
        return match origin.parent() {
            Some((parent, epoch)) if parent.core().must_stop(epoch) => {
                drop_guarded(value);
                Err(life::placed(parent.core(), life::cancelled("it was asked to stop")))
            }
            _ => Ok(value),
        };
    }
    let refused = identity.refused.take();
    let node: NodeRef = Arc::new(Plain {
        core: Core::new(definition, origin, None, Birth::Direct, identity),
    });
    let core = node.core();
    if let Some(record) = record {
        core.set_record(record);
    }
    life::launch(&node, Birth::Direct, refused.or_else(|| durable::unrecordable(core)));
    let key = cache::key_of(&node);
    if let Some(key) = &key
        && let Some(value) = cache::get(&node, key, &R::OUTPUT)
        && let Some(begun) = life::begin_quietly(core)
    {
        let kept = recording::keep(core, &R::OUTPUT, &value).unwrap_or_default();
        output = Some(value);
        life::end_cached(&node, begun, |inner| inner.result = kept);
    }
    run(&node, &mut |begun| {
        let value = match body(core.is_last(begun.attempt)) {
            Ok(value) => value,
            Err(Failure(error)) => return Err(error),
        };
        match recording::returned(&node, begun.epoch, &R::OUTPUT, &value, key.as_deref()) {
            Ok(kept) => {
                output = Some(value);
                Ok(kept)
            }
            Err(error) => {
                drop_guarded(value);
                Err(error)
            }
        }
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

/// The record of the parameters, and what tells the call from others where that is needed.
fn make_record(
    definition: &Definition,
    identified: bool,
    record: impl FnOnce(&mut Recorder),
) -> (Option<Record>, CallHasher) {
    let limit = record_limit(definition);
    let recorder = if identified {
        Recorder::hashing(limit)
    } else {
        Recorder::new(limit)
    };
    let mut recorder = recorder.exactly(definition.meta.durable);
    let recorded = guarded(|| {
        stack::ensure(|| record(&mut recorder));
        let hasher = recorder.take_identity();
        (recorder.finish(), hasher)
    });
    match recorded {
        Ok((record, hasher)) => (Some(record), hasher.unwrap_or_else(CallHasher::new)),
        Err(_) => (None, CallHasher::new()),
    }
}

/// Calls the function; gives its result for the store.
type Body<'a> = dyn FnMut(Begun) -> Result<Option<Box<Kept>>> + 'a;

/// The attempts, until the run is over.
fn run(node: &NodeRef, body: &mut Body<'_>) {
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

fn attempt(node: &NodeRef, begun: Begun, body: &mut Body<'_>) {
    let core = node.core();
    let epoch = begun.epoch;
    observe::emit(node);
    if core.durable.is_some()
        && let Err(error) = wait::on_future(recording::prepare(node, begun))
    {
        life::end_body(node, epoch, Some(error), |_| {});
        return;
    }
    if hooks::any(core, StateName::Running) {
        wait::on_future(hooks::run(node.clone()));
    }
    if core.must_stop(epoch) {
        life::end_body(node, epoch, Some(life::cancelled("it was asked to stop")), |_| {});
        return;
    }
    timeout::arm(node, epoch);
    let outcome = {
        let _in = ambient::Entered::in_place(node.clone(), epoch);
        guarded(|| stack::ensure(|| body(begun)))
    };
    let outcome = outcome.unwrap_or_else(|panic| Err(Error::of_kind(ErrorKind::Panicked, panic.to_string())));
    match outcome {
        Ok(kept) => life::end_body(node, epoch, None, |inner| inner.result = kept),
        Err(error) => life::end_body(node, epoch, Some(error), |_| {}),
    };
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
