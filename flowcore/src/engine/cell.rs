//! A run of one function: its inputs, parameters and output, with their types.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use parking_lot::Mutex;
use serde_json::Value;

use super::core::{Birth, Core, ERROR, Inner, Origin, record_limit};
use super::custom::Custom;
use super::drive::Drive;
use super::durable::{self, Claim};
use super::identity::CallHasher;
use super::input::Upstream;
use super::life::{self, Begun};
use super::node::{Node, NodeRef};
use super::panic::{Panic, drop_guarded, guarded};
use super::stack;
use super::{ambient, cache, hooks, observe, pool, recording, runtime, slot, timeout, upstream, wait};
use crate::error::{Error, ErrorKind, Result};
use crate::private::{Body, CloneFn, Failure, Limited, ParamList, Recorder, Runnable, Sink, read};
use crate::run::RunKind;
use crate::state::StateName;

type Inputs<R> = <<R as Runnable>::Params as ParamList>::Inputs;

enum Stage<R: Runnable> {
    Inputs(Inputs<R>),
    Params(R::Params),
    Gone,
}

enum Output<T> {
    None,
    /// For whoever asks first.
    Value(T),
    /// Somebody asked, and others may: each clones it, under a lock of the value's own.
    Shared(Arc<Mutex<T>>),
    Taken,
}

impl<T> Output<T> {
    /// Drops the user's value, if there is one.
    fn drop_guarded(self) {
        if matches!(self, Output::Value(_) | Output::Shared(_)) {
            drop_guarded(self);
        }
    }
}

/// A run of `R`.
pub(crate) struct RunCell<R: Runnable> {
    core: Core,
    stage: Mutex<Stage<R>>,
    output: Mutex<Output<R::Output>>,
    #[allow(clippy::box_collection, reason = "a run that isn't cached pays for a pointer only")]
    cache_key: OnceLock<Box<String>>,
}

/// A run with an output of type `T`.
pub(crate) trait TypedRun<T>: Node {
    /// The output of a run that has told its result; a copy where `keep` is wanted and `T` can be cloned.
    fn take(&self, keep: bool) -> Result<T>;
}

impl<R: Runnable> RunCell<R> {
    pub(crate) fn new(
        inputs: Inputs<R>,
        custom: Option<Box<Custom>>,
        origin: Origin,
        claim: Option<&Claim>,
    ) -> (Arc<Self>, Birth, Option<Error>) {
        let definition = R::definition();
        let unlimited = definition.kind() == RunKind::Flow || !origin.has_runner();
        let has_inputs = R::Params::ready(&inputs);
        let ready = custom.is_none() && unlimited && has_inputs;
        let mut birth = if ready { Birth::Queued } else { Birth::Waiting };
        let mut identity = durable::identify(definition, &origin, custom.as_deref(), claim, || {
            let mut hasher = CallHasher::new();
            R::Params::identify(&inputs, &R::PARAMS, &mut hasher, &|Upstream(run)| run.core().call_key());
            hasher
        });
        let mut output = Output::None;
        if let Some(value) = durable::answer(&R::OUTPUT, definition, &mut identity) {
            output = Output::Value(value);
            birth = Birth::Recorded;
        }
        let refused = identity.refused.take();
        let cell = Arc::new(Self {
            core: Core::new(definition, origin, custom, birth, identity),
            stage: Mutex::new(Stage::Inputs(inputs)),
            output: Mutex::new(output),
            cache_key: OnceLock::new(),
        });
        if birth == Birth::Recorded {
            cell.discard();
        } else if definition.meta.durable && has_inputs {
            // A kill may come before the first attempt, and the run must be resumed all the same.
            cell.record_early();
        }
        let invalid = refused.or_else(|| cell.invalid());
        (cell, birth, invalid)
    }

    /// What keeps the run from beginning: parameters that can't be recorded whole, or retries of a call whose parameters can't be copied.
    fn invalid(&self) -> Option<Error> {
        if let Some(error) = self.unrecordable() {
            return Some(error);
        }
        if self.core.retries() == 0 {
            return None;
        }
        let name = R::Params::uncopyable(&R::PARAMS)?;
        let message = format!(
            "retries need a copy of each parameter, and '{name}' can't be cloned: derive Clone for it, or wrap it in an Arc"
        );
        Some(Error::of_kind(ErrorKind::InvalidParameters, message))
    }

    /// A durable flow whose parameters are known, and not all in the record, can't be resumed.
    fn unrecordable(&self) -> Option<Error> {
        let known = self.core.has_record();
        known.then(|| durable::unrecordable(&self.core)).flatten()
    }

    /// The parameters, recorded the first time.
    fn take_params(&self) -> Option<R::Params> {
        let stage = std::mem::replace(&mut *self.stage.lock(), Stage::Gone);
        let params = match stage {
            Stage::Inputs(inputs) => R::Params::take(inputs)?,
            Stage::Params(params) => params,
            Stage::Gone => return None,
        };
        self.record(&params);
        Some(params)
    }

    /// The parameters for an attempt: a copy while more may follow, the last one takes them.
    fn params(&self, attempt: u32) -> std::result::Result<Option<R::Params>, Panic> {
        let Some(params) = self.take_params() else {
            return Ok(None);
        };
        if self.core.is_last(attempt) {
            return Ok(Some(params));
        }
        let copy = guarded(|| params.copy(&R::PARAMS));
        if let Ok(Err(_)) = copy {
            return Ok(Some(params));
        }
        // A Clone that panicked is this attempt's failure; the next has them still.
        *self.stage.lock() = Stage::Params(params);
        copy.map(Result::ok)
    }

    /// Records the parameters before an attempt takes them.
    fn record_early(&self) {
        if let Ok(Some(params)) = guarded(|| self.take_params()) {
            *self.stage.lock() = Stage::Params(params);
        }
    }

    fn record(&self, params: &R::Params) {
        if self.core.has_record() {
            return;
        }
        let definition = self.core.definition;
        let mut recorder = Recorder::new(record_limit(definition)).exactly(definition.meta.durable);
        stack::ensure(|| params.record(&R::PARAMS, &mut recorder));
        if let Ok(Some(name)) = guarded(|| R::run_name(params)) {
            recorder.run_name(name);
        }
        self.core.set_record(recorder.finish());
    }

    /// Begins an attempt.
    pub(crate) fn begin(&self, node: &NodeRef) -> Option<Begun> {
        if self.core.options().cache_key.is_none() {
            return life::begin(&self.core);
        }
        let begun = life::begin_quietly(&self.core)?;
        if begun.attempt == 1
            && let Some(value) = self.cached(node)
        {
            let kept = recording::keep(&self.core, &R::OUTPUT, &value).unwrap_or_default();
            life::end_cached(node, begun, |inner| {
                inner.result = kept;
                *self.output.lock() = Output::Value(value);
            });
            return None;
        }
        life::begin_aloud(&self.core, begun);
        Some(begun)
    }

    /// What an earlier run has left under this run's key, which is noted.
    fn cached(&self, node: &NodeRef) -> Option<R::Output> {
        let params = self.take_params()?;
        *self.stage.lock() = Stage::Params(params);
        let key = cache::key_of(node)?;
        let value = cache::get(node, &key, &R::OUTPUT);
        let _ = self.cache_key.set(Box::new(key));
        value
    }

    /// Keeps a copy of the output, where later runs may want it.
    fn keep_for_later(&self, node: &NodeRef, value: Option<&R::Output>) {
        if let (Some(key), Some(value), Some(clone)) = (self.cache_key.get(), value, R::OUTPUT.clone)
            && let Ok(copy) = guarded(|| clone(value))
        {
            cache::put(node, key, copy);
        }
    }

    /// Whether something must be done before the body of an attempt that has begun: see [`preliminaries`](Self::preliminaries).
    pub(crate) fn has_preliminaries(&self) -> bool {
        self.core.durable.is_some() || hooks::any(&self.core, StateName::Running)
    }

    /// What comes before the body: the record is asked, and a durable task's start is in it.
    /// False if that has ended the attempt.
    pub(crate) async fn preliminaries(&self, node: NodeRef, begun: Begun) -> bool {
        if self.core.durable.is_some() {
            // A kill in the body must leave what it was called with.
            self.record_early();
            observe::emit(&node);
            let prepared = match self.unrecordable() {
                Some(error) => Err(error),
                None => recording::prepare(&node, begun).await,
            };
            if let Err(error) = prepared {
                self.end(&node, begun.epoch, Err(Failure(error)));
                return false;
            }
        }
        if hooks::any(&self.core, StateName::Running) {
            hooks::run(node).await;
        }
        true
    }

    /// Calls the function. For a sync one that is all; an async one gives its future.
    pub(crate) fn call(&self, node: &NodeRef, begun: Begun) -> Option<Body<R::Output>> {
        let epoch = begun.epoch;
        let prepared = guarded(|| self.params(begun.attempt)).flatten();
        observe::emit(node);
        timeout::arm(node, epoch);
        let outcome = match prepared {
            Ok(Some(params)) => guarded(|| stack::ensure(|| R::call(params))),
            Ok(None) => {
                let lost = Error::of_kind(ErrorKind::Runner, "its parameters are gone");
                Ok(Body::Ready(Err(Failure(lost))))
            }
            Err(panic) => Err(panic),
        };
        match outcome {
            Ok(Body::Ready(outcome)) => {
                self.end(node, epoch, outcome);
                None
            }
            Ok(body) => Some(body),
            Err(panic) => {
                self.end(
                    node,
                    epoch,
                    Err(Failure(Error::of_kind(ErrorKind::Panicked, panic.to_string()))),
                );
                None
            }
        }
    }

    /// The body has ended.
    pub(crate) fn end(&self, node: &NodeRef, epoch: u32, outcome: Result<R::Output, Failure>) {
        let (mut value, mut error) = match outcome {
            Ok(value) => (Some(value), None),
            Err(Failure(error)) => (None, Some(error)),
        };
        let mut kept = None;
        if let Some(returned) = &value
            && !self.core.must_stop(epoch)
        {
            let key = self.cache_key.get().map(|key| key.as_str());
            match recording::returned(node, epoch, &R::OUTPUT, returned, key) {
                Ok(json) => kept = json,
                Err(lost) => {
                    error = Some(lost);
                    value.take().into_iter().for_each(drop_guarded);
                }
            }
        }
        if !self.core.must_stop(epoch) {
            // Before anybody is told: who calls again must find it.
            self.keep_for_later(node, value.as_ref());
        }
        let mut before = Output::None;
        let store = |inner: &mut Inner| {
            inner.result = kept.take();
            if let Some(value) = value.take() {
                before = std::mem::replace(&mut *self.output.lock(), Output::Value(value));
            }
        };
        if !life::end_body(node, epoch, error, store) {
            tracing::debug!(target: "flowcore::run", "a body given up before has ended; its outcome is dropped");
        }
        if let Some(late) = value {
            drop_guarded(late);
        }
        before.drop_guarded();
    }
}

impl<R: Runnable> Node for RunCell<R> {
    fn core(&self) -> &Core {
        &self.core
    }

    fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    fn enqueue(self: Arc<Self>) {
        if self.core.is_async() {
            runtime::spawn_run(Drive::new(self));
        } else {
            pool::push(self);
        }
    }

    fn execute(self: Arc<Self>) {
        if self.core.is_async() {
            return runtime::poll_here(Drive::new(self));
        }
        let node: NodeRef = self.clone();
        let Some(begun) = self.begin(&node) else { return };
        let epoch = begun.epoch;
        let limited = slot::is_limited(&self.core);
        if limited {
            wait::slot_for_attempt(&node, epoch);
        }
        let _runtime = self.core.scope().entered();
        if self.has_preliminaries() && !wait::on_future(self.preliminaries(node.clone(), begun)) {
            return;
        }
        if self.core.must_stop(epoch) {
            let stopped = life::cancelled("it was asked to stop");
            return self.end(&node, epoch, Err(Failure(stopped)));
        }
        let _in = ambient::Entered::on_thread(node.clone(), epoch, limited.then(|| (node.clone(), epoch)));
        self.call(&node, begun);
    }

    fn poll_inputs(self: Arc<Self>) {
        let node: NodeRef = self.clone();
        let waker;
        let ready = {
            let mut stage = self.stage.lock();
            let others = self.core.custom.as_ref().map(|custom| &custom.wait_for);
            let has_inputs = match &*stage {
                Stage::Inputs(inputs) => R::Params::ready(inputs),
                // They were there from the first, and are recorded.
                Stage::Params(_) => true,
                Stage::Gone => return,
            };
            if has_inputs && others.is_none_or(|others| others.lock().is_empty()) {
                Poll::Ready(Ok(()))
            } else {
                self.core.set_dependencies(|| {
                    let mut runs = Vec::new();
                    if let Stage::Inputs(inputs) = &*stage {
                        R::Params::upstream(inputs, &mut |Upstream(run)| runs.push(run));
                    }
                    let waited = others.iter().flat_map(|others| others.lock().clone());
                    runs.extend(waited.map(|(node, _)| node));
                    runs
                });
                waker = upstream::waker(node.clone());
                let mut cx = Context::from_waker(&waker);
                let others = others.map_or(Poll::Ready(Ok(())), |others| {
                    upstream::poll_all(&mut others.lock(), &mut cx)
                });
                let inputs = match &mut *stage {
                    Stage::Inputs(inputs) => R::Params::poll(inputs, &mut cx),
                    Stage::Params(_) | Stage::Gone => Poll::Ready(Ok(())),
                };
                match (inputs, others) {
                    (Poll::Ready(Err(error)), _) | (_, Poll::Ready(Err(error))) => Poll::Ready(Err(error)),
                    (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(Ok(())),
                    _ => Poll::Pending,
                }
            }
        };
        match ready {
            Poll::Ready(Ok(())) => life::inputs_are_there(&node),
            Poll::Ready(Err(error)) => life::input_failed(&node, &error),
            Poll::Pending => {}
        }
    }

    fn discard(&self) {
        if let Some(custom) = &self.core.custom {
            for (run, key) in std::mem::take(&mut *custom.wait_for.lock()) {
                if let Some(key) = key {
                    run.core().stop_listening(key);
                }
            }
        }
        let stage = std::mem::replace(&mut *self.stage.lock(), Stage::Gone);
        if !matches!(stage, Stage::Gone) {
            drop_guarded(stage);
        }
        if self.core.is_told(ERROR) {
            let output = std::mem::replace(&mut *self.output.lock(), Output::Taken);
            output.drop_guarded();
        }
    }

    fn output_json(&self) -> Result<Value> {
        let Some(record) = R::OUTPUT.record else {
            return Err(unreadable(&format!(
                "its output can't be shown as JSON: derive Serialize for {}",
                std::any::type_name::<R::Output>()
            )));
        };
        let value = self.share()?;
        let encode = |value: &R::Output| {
            let mut json = Vec::new();
            record(value, Sink::Json(&mut Limited::new(&mut json, usize::MAX)))?;
            read(&json)
        };
        match guarded(|| encode(&value.lock())) {
            Ok(Ok(json)) => Ok(json),
            Ok(Err(error)) => Err(unreadable(&format!("its output can't be shown as JSON: {error}"))),
            Err(panic) => Err(unreadable(&format!("its output's Serialize {panic}"))),
        }
    }
}

impl<R: Runnable> Drop for RunCell<R> {
    /// A result nobody asked for is dropped wherever the last one lets go of the run.
    fn drop(&mut self) {
        let output = std::mem::replace(self.output.get_mut(), Output::Taken);
        output.drop_guarded();
    }
}

const TAKEN: &str = "its result was taken before: ask once, or clone the future first";

fn unreadable(message: &str) -> Error {
    Error::of_kind(ErrorKind::Runner, message)
}

impl<R: Runnable> RunCell<R> {
    fn share(&self) -> Result<Arc<Mutex<R::Output>>> {
        if let Some(error) = self.error() {
            return Err(error);
        }
        let mut output = self.output.lock();
        match std::mem::replace(&mut *output, Output::Taken) {
            Output::Value(value) => {
                let value = Arc::new(Mutex::new(value));
                *output = Output::Shared(value.clone());
                Ok(value)
            }
            Output::Shared(value) => {
                *output = Output::Shared(value.clone());
                Ok(value)
            }
            Output::None | Output::Taken => Err(unreadable(TAKEN)),
        }
    }

    fn copy(&self, clone: CloneFn<R::Output>, value: &Mutex<R::Output>) -> Result<R::Output> {
        guarded(|| clone(&value.lock())).map_err(|panic| {
            let message = format!("the Clone of its result {panic}");
            life::placed(&self.core, Error::of_kind(ErrorKind::Panicked, message))
        })
    }

    fn error(&self) -> Option<Error> {
        if self.core.is_told(ERROR) {
            self.core.lock().error.clone()
        } else {
            None
        }
    }
}

impl<R: Runnable> TypedRun<R::Output> for RunCell<R> {
    fn take(&self, keep: bool) -> Result<R::Output> {
        if let Some(error) = self.error() {
            return Err(error);
        }
        if let Some(clone) = R::OUTPUT.clone
            && keep
        {
            let shared = self.share()?;
            return self.copy(clone, &shared);
        }
        let output = std::mem::replace(&mut *self.output.lock(), Output::Taken);
        match output {
            Output::Value(value) => Ok(value),
            Output::Shared(shared) => match (Arc::try_unwrap(shared), R::OUTPUT.clone) {
                (Ok(value), _) => Ok(value.into_inner()),
                (Err(shared), Some(clone)) => self.copy(clone, &shared),
                (Err(_), None) => Err(unreadable("its result is being read elsewhere")),
            },
            Output::None | Output::Taken => Err(life::placed(&self.core, unreadable(TAKEN))),
        }
    }
}
