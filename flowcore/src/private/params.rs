//! The parameters of a run as a tuple: filled from inputs, recorded, cloned for another attempt, read from JSON.

use std::borrow::Cow;
use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::task::{Context, Poll};

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Runnable;
use super::probe::{CloneFn, Param};
use super::record::Recorder;
use crate::engine::{CallHasher, Input, Upstream};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Parameter, Schemas};
use crate::store::CallKey;

/// Parameters as they are given from outside.
pub(crate) enum Given<'a> {
    Value(&'a Value),
    /// As recorded: read part by part, so that numbers of 128 bits come back, and values of any depth.
    Text(&'a str),
}

/// The parameters by name.
pub enum Members<'a> {
    Values(&'a Map<String, Value>),
    Texts(BTreeMap<String, Box<RawValue>>),
}

impl Members<'_> {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::Values(members) => members.contains_key(name),
            Self::Texts(members) => members.contains_key(name),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let (values, texts) = match self {
            Self::Values(members) => (Some(members.keys()), None),
            Self::Texts(members) => (None, Some(members.keys())),
        };
        let texts = texts.into_iter().flatten().map(String::as_str);
        values.into_iter().flatten().map(String::as_str).chain(texts)
    }
}

/// A tuple of parameters.
pub trait ParamList: Sized + Send + 'static {
    type Probes;
    type Inputs: Send + 'static;

    fn describe(probes: &Self::Probes, visit: &mut dyn FnMut(&'static str, &'static str));
    fn schemas(probes: &Self::Probes, schemas: &mut Schemas) -> Vec<Parameter>;
    fn record(&self, probes: &Self::Probes, recorder: &mut Recorder);
    /// A copy, or the name of the parameter that can't be copied.
    fn copy(&self, probes: &Self::Probes) -> Result<Self, &'static str>;
    fn uncopyable(probes: &Self::Probes) -> Option<&'static str>;
    fn decode(probes: &Self::Probes, members: &Members<'_>, problems: &mut Vec<Problem>) -> Option<Self>;
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

            fn schemas(probes: &Self::Probes, schemas: &mut Schemas) -> Vec<Parameter> {
                vec![$(schema_of(&probes.$index, schemas)),*]
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
                members: &Members<'_>,
                problems: &mut Vec<Problem>,
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

/// What is wrong with one parameter.
pub struct Problem {
    pub(crate) parameter: String,
    /// What follows its name.
    text: String,
}

impl Problem {
    fn new(parameter: &str, text: impl Into<String>) -> Self {
        Self {
            parameter: parameter.to_owned(),
            text: text.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'{}", self.parameter, self.text)
    }
}

fn schema_of<P>(probe: &Param<P>, schemas: &mut Schemas) -> Parameter {
    Parameter {
        name: probe.name,
        type_name: probe.type_name(),
        schema: probe.schema.map(|schema| schema(schemas)),
        // An absent member is read as null.
        required: probe.decode.is_none_or(|decode| decode(Value::Null).is_err()),
    }
}

fn decode_member<P>(probe: &Param<P>, members: &Members<'_>, problems: &mut Vec<Problem>) -> Option<P> {
    let name = probe.name;
    let (Some(decode), Some(read)) = (probe.decode, probe.read) else {
        let text = format!(" can't be read from JSON: derive Deserialize for {}", probe.type_name());
        problems.push(Problem::new(name, text));
        return None;
    };
    // An absent member may still be a value: null is for Option.
    let decoded = match members {
        Members::Values(members) => decode(members.get(name).cloned().unwrap_or_default()),
        Members::Texts(members) => read(members.get(name).map_or("null", |text| text.get()).as_bytes()),
    };
    match decoded {
        Ok(decoded) => Some(decoded),
        Err(_) if !members.has(name) => {
            problems.push(Problem::new(name, " is missing"));
            None
        }
        Err(error) => {
            problems.push(Problem::new(name, format!(": {error}")));
            None
        }
    }
}

/// Reads parameters, or tells all that is wrong with them.
fn decode<P: ParamList>(probes: &P::Probes, members: &Members<'_>) -> Result<P, Vec<Problem>> {
    let mut names = Vec::new();
    P::describe(probes, &mut |name, _| names.push(name));
    let unknown = members.names().filter(|name| !names.contains(name));
    let what = match names.is_empty() {
        true => " is no parameter: there are none".to_owned(),
        false => format!(" is no parameter (there are: {})", names.join(", ")),
    };
    let mut problems: Vec<Problem> = unknown.map(|name| Problem::new(name, what.as_str())).collect();
    match P::decode(probes, members, &mut problems) {
        Some(params) if problems.is_empty() => Ok(params),
        _ => Err(problems),
    }
}

/// The parameters as an object; null is one without members.
pub(crate) fn members(parameters: &Value) -> Result<Cow<'_, Map<String, Value>>> {
    match parameters {
        Value::Object(members) => Ok(Cow::Borrowed(members)),
        Value::Null => Ok(Cow::Owned(Map::new())),
        other => {
            let kind = match other {
                Value::Array(_) => "an array",
                Value::String(_) => "a text",
                Value::Number(_) => "a number",
                _ => "a truth value",
            };
            let message = format!("parameters must be a JSON object, not {kind}");
            Err(Error::of_kind(ErrorKind::InvalidParameters, message))
        }
    }
}

/// Reads parameters, telling all problems in one answer.
pub(crate) fn decode_all<P: ParamList>(probes: &P::Probes, parameters: &Given<'_>) -> Result<P> {
    let decoded = match parameters {
        Given::Value(value) => decode(probes, &Members::Values(&*members(value)?)),
        Given::Text(text) => {
            let members = serde_json::from_str(text).map_err(|error| {
                Error::of_kind(
                    ErrorKind::InvalidParameters,
                    format!("parameters are no JSON object: {error}"),
                )
            })?;
            decode(probes, &Members::Texts(members))
        }
    };
    decoded.map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
        Error::of_kind(ErrorKind::InvalidParameters, problems.join("; "))
    })
}

/// All that is wrong with the parameters, by their types' own word.
pub(crate) fn problems<R: Runnable>(members: &Map<String, Value>) -> Vec<Problem> {
    decode::<R::Params>(&R::PARAMS, &Members::Values(members))
        .err()
        .unwrap_or_default()
}

pub(crate) fn schemas<R: Runnable>(schemas: &mut Schemas) -> Vec<Parameter> {
    R::Params::schemas(&R::PARAMS, schemas)
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
