//! Calls as the macros' output makes them: many at once, and direct ones.

use std::cell::RefCell;
use std::sync::Arc;

use super::{Body, Call, Failure, IntoInputs, ParamList, Recorder, Runnable};
use crate::engine;
use crate::error::Result;
use crate::runner::TaskRunner;

/// What `map` takes: one run's parameters per item.
pub trait Items<R: Runnable>: IntoIterator<Item: IntoInputs<R::Params>> {}
impl<R: Runnable, I: IntoIterator<Item: IntoInputs<R::Params>>> Items<R> for I {}

/// A direct call of an async function: nothing happens until it is awaited.
pub fn prepare<R: Runnable>(_: R, params: R::Params) -> Call<R::Output> {
    engine::bind::<R>(params.into_input_list())
}

/// What an async function owns of a borrowed argument. `Checked` makes no second error of a type that can't be copied.
pub fn own<T: ToOwned + ?Sized>(lent: &T) -> T::Owned {
    lent.to_owned()
}

/// A runner, of whatever type.
pub fn runner(runner: impl TaskRunner) -> Arc<dyn TaskRunner> {
    Arc::new(runner)
}

/// A direct call of a sync function whose parameters are all owned.
pub fn direct<R: Runnable>(_: R, params: R::Params) -> Result<R::Output> {
    let params = RefCell::new(Some(params));
    let record = |recorder: &mut Recorder| {
        if let Some(params) = &*params.borrow() {
            params.record(&R::PARAMS, recorder);
            if let Some(name) = R::run_name(params) {
                recorder.run_name(name);
            }
        }
    };
    engine::direct::<R>(record, |last| {
        let copy = match (last, &*params.borrow()) {
            (false, Some(params)) => params.copy(&R::PARAMS).ok(),
            _ => None,
        };
        // Without `Clone` the first attempt takes them; the engine makes no second one then.
        let params = copy.or_else(|| params.borrow_mut().take());
        match params.map(R::call) {
            Some(Body::Ready(outcome)) => outcome,
            _ => unreachable!("a sync body, called no more often than its parameters last"),
        }
    })
}

/// A direct call of a sync function on the caller's own borrows: a closure records them, another calls the body with them.
pub fn in_place<R: Runnable>(
    _: R,
    record: impl FnOnce(&mut Recorder),
    body: impl FnMut(bool) -> std::result::Result<R::Output, Failure>,
) -> Result<R::Output> {
    engine::direct::<R>(record, body)
}
