//! What a type can do, found where the macro's output names it: serialise, be read back, be cloned.

use std::any::type_name;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sink::Sink;

/// Serialises a value into a sink.
pub type RecordFn<T> = fn(&T, Sink<'_, '_>) -> Result<(), serde_json::Error>;
/// Makes a value of JSON.
pub type DecodeFn<T> = fn(Value) -> Result<T, serde_json::Error>;
/// Writes a value as a JSON value.
pub type EncodeFn<T> = fn(&T) -> Result<Value, serde_json::Error>;
/// Clones a value.
pub type CloneFn<T> = fn(&T) -> T;

/// Carrier of the inherent constants that shadow [`ProbeFallback`]'s.
pub struct Probe<T: ?Sized>(PhantomData<T>);

/// What holds of a type that can do nothing.
pub trait ProbeFallback {
    type Type: ?Sized;
    const RECORD: Option<RecordFn<Self::Type>> = None;
}
impl<T: ?Sized> ProbeFallback for Probe<T> {
    type Type = T;
}

/// What holds of a type with a size that can do nothing.
pub trait SizedFallback {
    type Type;
    const ENCODE: Option<EncodeFn<Self::Type>> = None;
    const DECODE: Option<DecodeFn<Self::Type>> = None;
    const CLONE: Option<CloneFn<Self::Type>> = None;
}
impl<T> SizedFallback for Probe<T> {
    type Type = T;
}

impl<T: Serialize + ?Sized> Probe<T> {
    pub const RECORD: Option<RecordFn<T>> = Some(|value, sink| sink.take(value));
}
impl<T: Serialize> Probe<T> {
    pub const ENCODE: Option<EncodeFn<T>> = Some(|value| serde_json::to_value(value));
}
// Not `DeserializeOwned`: the compiler chooses by the type alone, and finds out only later that a type with `&'static str`
// inside can't be read for any lifetime. For this one it can, and fails at run time if what it needs isn't there.
impl<T: Deserialize<'static>> Probe<T> {
    pub const DECODE: Option<DecodeFn<T>> = Some(|value| T::deserialize(value));
}
impl<T: Clone> Probe<T> {
    pub const CLONE: Option<CloneFn<T>> = Some(T::clone);
}

/// A parameter: its name and what its type can do.
pub struct Param<P> {
    pub name: &'static str,
    pub skip: bool,
    pub record: Option<RecordFn<P>>,
    pub decode: Option<DecodeFn<P>>,
    pub clone: Option<CloneFn<P>>,
}

impl<P> Param<P> {
    pub(crate) fn type_name(&self) -> &'static str {
        type_name::<P>()
    }
}

/// What an output's type can do.
pub struct Probed<T> {
    pub skip: bool,
    pub encode: Option<EncodeFn<T>>,
    pub decode: Option<DecodeFn<T>>,
    pub clone: Option<CloneFn<T>>,
}

#[doc(hidden)]
#[macro_export]
macro_rules! __param {
    ($name:literal : $type:ty) => {
        $crate::__private::param!(@ $name, $type, false)
    };
    ($name:literal : $type:ty, skip) => {
        $crate::__private::param!(@ $name, $type, true)
    };
    (@ $name:literal, $type:ty, $skip:literal) => {{
        #[allow(unused_imports)]
        use $crate::__private::{ProbeFallback as _, SizedFallback as _};
        $crate::__private::Param::<$type> {
            name: $name,
            skip: $skip,
            record: <$crate::__private::Probe<$type>>::RECORD,
            decode: <$crate::__private::Probe<$type>>::DECODE,
            clone: <$crate::__private::Probe<$type>>::CLONE,
        }
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __probed {
    ($type:ty) => {
        $crate::__private::probed!(@ $type, false)
    };
    ($type:ty, skip) => {
        $crate::__private::probed!(@ $type, true)
    };
    (@ $type:ty, $skip:literal) => {{
        #[allow(unused_imports)]
        use $crate::__private::SizedFallback as _;
        $crate::__private::Probed::<$type> {
            skip: $skip,
            encode: <$crate::__private::Probe<$type>>::ENCODE,
            decode: <$crate::__private::Probe<$type>>::DECODE,
            clone: <$crate::__private::Probe<$type>>::CLONE,
        }
    }};
}

/// Carrier of the inherent constant that shadows [`Unsized`]'s.
pub struct Own<T: ?Sized>(PhantomData<T>);

/// What holds of a type without a size: `str`, `[T]`, `Path`.
pub trait Unsized {
    const SIZED: bool = false;
}
impl<T: ?Sized> Unsized for Own<T> {}
impl<T> Own<T> {
    pub const SIZED: bool = true;
}

/// The owned form of a borrowed parameter's type.
pub trait Owned<const SIZED: bool> {
    type Owned;
}
impl<T> Owned<true> for T {
    type Owned = T;
}
impl<T: ToOwned + ?Sized> Owned<false> for T {
    type Owned = T::Owned;
}

#[doc(hidden)]
#[macro_export]
macro_rules! __sized {
    ($type:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::Unsized as _;
        <$crate::__private::Own<$type>>::SIZED
    }};
}
