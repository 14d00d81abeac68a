//! What the macros' output refers to. No part of the public contract.
#![allow(missing_docs)]

mod call;
mod check;
mod deep;
mod define;
mod params;
mod probe;
mod record;
mod shape;
mod sink;

pub use std::string::String;
pub use std::vec::Vec;

pub use inventory;

pub use crate::definition::{Definition, Meta};
pub use crate::engine::RunContext;
pub use crate::engine::{Call, Input, IntoInput, IntoInputs, RunFuture, RunFutures, Upstream, bind, map, submit};
pub use crate::error::{Error, Result};
pub use crate::options::Options;
pub use crate::run::RunKind as Kind;
pub use crate::schema::{Parameter, SchemaFn, Schemas};
pub use crate::state::State;

pub use self::call::{Items, direct, in_place, own, prepare, runner};
pub use self::check::{
    Check, Checked, assert_lendable, assert_parameter, assert_replayable, assert_retryable, returned,
};
pub use self::define::META;
pub use self::params::{Held, ParamList, Problem};
pub use self::probe::{
    CloneFn, DecodeFn, Own, Owned, Param, Probe, ProbeFallback, Probed, ReadFn, RecordFn, SizedFallback, Unsized,
};
pub use self::record::Recorder;
pub use self::shape::{Body, Failure, Parts, PlainShape, Returns, Shape, outcome, ready};
pub(crate) use self::sink::Limited;
pub use self::sink::Sink;

pub use crate::{
    __param as param, __probed as probed, __record as record, __register as register, __registration as registration,
    __shape as shape, __sized as sized, __types as types,
};

pub(crate) use self::params::{Given, decode_all, members, problems, schemas};
pub(crate) use self::probe::read;
pub(crate) use crate::engine::launch_json;

/// A definition's entry in the inventory.
pub struct Registration(pub fn() -> &'static Definition);

inventory::collect!(Registration);

/// What the types of the parameters can do.
pub type Probes<R> = <<R as Runnable>::Params as ParamList>::Probes;

/// What the attribute implements for the run object.
pub trait Runnable: Copy + Send + Sync + 'static {
    type Params: ParamList;
    type Output: Send + 'static;
    const PARAMS: Probes<Self>;
    const OUTPUT: Probed<Self::Output>;

    fn definition() -> &'static Definition;
    fn options(_options: &mut Options) {}
    fn run_name(_params: &Self::Params) -> Option<String> {
        None
    }
    fn call(params: Self::Params) -> Body<Self::Output>;
}

pub(crate) fn describe<R: Runnable>(visit: &mut dyn FnMut(&'static str, &'static str)) {
    R::Params::describe(&R::PARAMS, visit);
}
