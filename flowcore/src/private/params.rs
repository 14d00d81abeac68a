//! The parameters of a run as a tuple: filled from inputs, recorded, cloned for another attempt, read from JSON.

use std::cell::{Ref, RefCell};
use std::task::{Context, Poll};

use serde_json::{Map, Value};

use super::probe::{CloneFn, Param};
use super::record::Recorder;
use crate::engine::{CallHasher, Input, Upstream};
use crate::error::{Error, Result};
use crate::store::CallKey;

/// A tuple of parameters.
pub trait ParamList: Sized + Send + 'static {
    type Probes;
    type Inputs: Send + 'static;

    fn describe(probes: &Self::Probes, visit: &mut dyn FnMut(&'static str, &'static str));
    fn record(&self, probes: &Self::Probes, recorder: &mut Recorder);
    /// A copy, or the name of the parameter that can't be copied.
    fn copy(&self, probes: &Self::Probes) -> Result<Self, &'static str>;
    fn uncopyable(probes: &Self::Probes) -> Option<&'static str>;
    fn decode(probes: &Self::Probes, members: &Map<String, Value>, problems: &mut Vec<String>) -> Option<Self>;
    fn into_input_list(self) -> Self::Inputs;

    /// Whether all inputs are there already.
    fn ready(inputs: &Self::Inputs) -> bool;
    /// Fetches what is not there yet; the error of the first input that failed.
    fn poll(inputs: &mut Self::Inputs, cx: &mut Context<'_>) -> Poll<Result<()>>;
    /// The parameters, once all inputs are there.
    fn take(inputs: Self::Inputs) -> Option<Self>;
    /// The runs the inputs come from.
    fn upstream(inputs: &Self::Inputs, visit: &mut dyn FnMut(Upstream));
    /// Tells what the inputs are to be, without waiting for them.
    fn identify(
        inputs: &Self::Inputs,
        probes: &Self::Probes,
        hasher: &mut CallHasher,
        key_of: &dyn Fn(Upstream) -> Option<CallKey>,
    );
}

macro_rules! params {
    ($($type:ident $index:tt),*) => {
        #[allow(unused_variables, unused_mut, clippy::unused_unit)]
        impl<$($type: Send + 'static),*> ParamList for ($($type,)*) {
            type Probes = ($(Param<$type>,)*);
            type Inputs = ($(Input<$type>,)*);

            fn describe(probes: &Self::Probes, visit: &mut dyn FnMut(&'static str, &'static str)) {
                $(visit(probes.$index.name, probes.$index.type_name());)*
            }

            fn record(&self, probes: &Self::Probes, recorder: &mut Recorder) {
                $(
                    let probe = &probes.$index;
                    if probe.skip {
                        recorder.skip(probe.name, probe.type_name());
                    } else {
                        recorder.field(probe.name, &self.$index, probe.record);
                    }
                )*
            }

            fn copy(&self, probes: &Self::Probes) -> Result<Self, &'static str> {
                Ok(($(probes.$index.clone.ok_or(probes.$index.name)?(&self.$index),)*))
            }

            fn uncopyable(probes: &Self::Probes) -> Option<&'static str> {
                $(if probes.$index.clone.is_none() { return Some(probes.$index.name); })*
                None
            }

            #[allow(non_snake_case)]
            fn decode(
                probes: &Self::Probes,
                members: &Map<String, Value>,
                problems: &mut Vec<String>,
            ) -> Option<Self> {
                $(let $type = decode_member(&probes.$index, members, problems);)*
                Some(($($type?,)*))
            }

            fn into_input_list(self) -> Self::Inputs {
                ($(Input::value(self.$index),)*)
            }

            fn ready(inputs: &Self::Inputs) -> bool {
                true $(&& inputs.$index.is_ready())*
            }

            fn poll(inputs: &mut Self::Inputs, cx: &mut Context<'_>) -> Poll<Result<()>> {
                let mut pending = false;
                $(
                    match inputs.$index.poll(cx) {
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Pending => pending = true,
                    }
                )*
                if pending { Poll::Pending } else { Poll::Ready(Ok(())) }
            }

            fn take(inputs: Self::Inputs) -> Option<Self> {
                Some(($(inputs.$index.take()?,)*))
            }

            fn upstream(inputs: &Self::Inputs, visit: &mut dyn FnMut(Upstream)) {
                $(inputs.$index.upstream(visit);)*
            }

            fn identify(
                inputs: &Self::Inputs,
                probes: &Self::Probes,
                hasher: &mut CallHasher,
                key_of: &dyn Fn(Upstream) -> Option<CallKey>,
            ) {
                $(inputs.$index.identify(&probes.$index, hasher, key_of);)*
            }
        }
    };
}

params!();
params!(A 0);
params!(A 0, B 1);
params!(A 0, B 1, C 2);
params!(A 0, B 1, C 2, D 3);
params!(A 0, B 1, C 2, D 3, E 4);
params!(A 0, B 1, C 2, D 3, E 4, F 5);
params!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
params!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
params!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
params!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
params!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
params!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

fn decode_member<P>(probe: &Param<P>, members: &Map<String, Value>, problems: &mut Vec<String>) -> Option<P> {
    let name = probe.name;
    let Some(decode) = probe.decode else {
        problems.push(format!(
            "'{name}' can't be read from JSON: derive Deserialize for {}",
            probe.type_name()
        ));
        return None;
    };
    // An absent member may still be a value: null is for Option.
    let value = members.get(name).cloned().unwrap_or_default();
    match decode(value) {
        Ok(decoded) => Some(decoded),
        Err(_) if !members.contains_key(name) => {
            problems.push(format!("'{name}' is missing"));
            None
        }
        Err(error) => {
            problems.push(format!("'{name}': {error}"));
            None
        }
    }
}

/// Reads parameters, telling all problems in one answer.
pub(crate) fn decode_all<P: ParamList>(probes: &P::Probes, parameters: &Value) -> Result<P> {
    let empty = Map::new();
    let members = match parameters {
        Value::Object(members) => members,
        Value::Null => &empty,
        other => {
            return Err(invalid(&[format!("parameters must be a JSON object, not {other}")]));
        }
    };
    let mut names = Vec::new();
    P::describe(probes, &mut |name, _| names.push(name));
    let mut problems: Vec<String> = members
        .keys()
        .filter(|key| !names.contains(&key.as_str()))
        .map(|key| format!("'{key}' is no parameter; there are: {}", names.join(", ")))
        .collect();
    match P::decode(probes, members, &mut problems) {
        Some(params) if problems.is_empty() => Ok(params),
        _ => Err(invalid(&problems)),
    }
}

fn invalid(problems: &[String]) -> Error {
    Error::of_kind(crate::error::ErrorKind::InvalidParameters, problems.join("; "))
}

/// An owned argument of a direct call, handed to each attempt: a copy while more may follow, else itself.
pub struct Held<P> {
    value: RefCell<Option<P>>,
    clone: Option<CloneFn<P>>,
}

impl<P> Held<P> {
    pub fn new(value: P, clone: Option<CloneFn<P>>) -> Self {
        Self {
            value: RefCell::new(Some(value)),
            clone,
        }
    }

    /// The value, before the last attempt has taken it.
    ///
    /// # Panics
    /// After that; the engine records before the first attempt.
    pub fn get(&self) -> Ref<'_, P> {
        Ref::map(self.value.borrow(), |value| {
            value.as_ref().unwrap_or_else(|| unreachable!("taken"))
        })
    }

    /// The value for one attempt. Without `Clone` the first attempt takes it; the engine makes no second one then.
    ///
    /// # Panics
    /// If it was taken.
    pub fn take(&self, last: bool) -> P {
        let mut slot = self.value.borrow_mut();
        match (last, self.clone, slot.as_ref()) {
            (false, Some(clone), Some(value)) => clone(value),
            _ => slot.take().unwrap_or_else(|| unreachable!("taken twice")),
        }
    }
}
