//! What a type can do, found where the macro's output names it: serialise, be read back, be cloned.

use std::any::type_name;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sink::Sink;
use crate::engine::stack;
use crate::schema::SchemaFn;

/// Serialises a value into a sink.
pub type RecordFn<T> = fn(&T, Sink<'_, '_>) -> Result<(), serde_json::Error>;
/// Makes a value of JSON.
pub type DecodeFn<T> = fn(Value) -> Result<T, serde_json::Error>;
/// Makes a value of JSON text.
pub type ReadFn<T> = fn(&[u8]) -> Result<T, serde_json::Error>;
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
    const DECODE: Option<DecodeFn<Self::Type>> = None;
    const READ: Option<ReadFn<Self::Type>> = None;
    const CLONE: Option<CloneFn<Self::Type>> = None;
    const SCHEMA: Option<SchemaFn> = None;
}
impl<T> SizedFallback for Probe<T> {
    type Type = T;
}

impl<T: Serialize + ?Sized> Probe<T> {
    pub const RECORD: Option<RecordFn<T>> = Some(|value, sink| sink.take(value));
}
// Not `DeserializeOwned`: the compiler chooses by the type alone, and finds out only later that a type with `&'static str`
// inside can't be read for any lifetime. For this one it can, and fails at run time if what it needs isn't there.
impl<T: Deserialize<'static>> Probe<T> {
    pub const DECODE: Option<DecodeFn<T>> = Some(|value| {
        T::deserialize(serde_stacker::Deserializer {
            de: value,
            red_zone: stack::RED_ZONE,
            stack_size: stack::PIECE,
        })
    });
    pub const READ: Option<ReadFn<T>> = Some(read);
}
impl<T: Clone> Probe<T> {
    pub const CLONE: Option<CloneFn<T>> = Some(T::clone);
}
#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> Probe<T> {
    pub const SCHEMA: Option<SchemaFn> = Some(|schemas| schemas.of::<T>());
}

/// Not by way of a JSON value, which has no numbers of 128 bits; and however deep it is.
pub(crate) fn read<T: Deserialize<'static>>(json: &[u8]) -> Result<T, serde_json::Error> {
    // A reader, as nothing can be lent for so long.
    let mut json = serde_json::Deserializer::from_reader(json);
    json.disable_recursion_limit();
    let value = T::deserialize(serde_stacker::Deserializer {
        de: &mut json,
        red_zone: stack::RED_ZONE,
        stack_size: stack::PIECE,
    })?;
    json.end()?;
    Ok(value)
}

/// A parameter: its name and what its type can do.
pub struct Param<P> {
    pub name: &'static str,
    pub skip: bool,
    pub record: Option<RecordFn<P>>,
    pub decode: Option<DecodeFn<P>>,
    pub read: Option<ReadFn<P>>,
    pub clone: Option<CloneFn<P>>,
    pub schema: Option<SchemaFn>,
}

impl<P> Param<P> {
    pub(crate) fn type_name(&self) -> &'static str {
        type_name::<P>()
    }
}

/// What an output's type can do.
pub struct Probed<T> {
    pub skip: bool,
    pub record: Option<RecordFn<T>>,
    pub read: Option<ReadFn<T>>,
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
            read: <$crate::__private::Probe<$type>>::READ,
            clone: <$crate::__private::Probe<$type>>::CLONE,
            schema: <$crate::__private::Probe<$type>>::SCHEMA,
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
        use $crate::__private::{ProbeFallback as _, SizedFallback as _};
        $crate::__private::Probed::<$type> {
            skip: $skip,
            record: <$crate::__private::Probe<$type>>::RECORD,
            read: <$crate::__private::Probe<$type>>::READ,
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::super::sink::Limited;
    use super::*;

    fn write<T>(probed: &Probed<T>, value: &T) -> Vec<u8> {
        let mut json = Vec::new();
        let mut limited = Limited::new(&mut json, usize::MAX);
        probed.record.unwrap()(value, Sink::Json(&mut limited)).unwrap();
        json
    }

    fn probed<T: Serialize + DeserializeOwned>() -> Probed<T> {
        Probed {
            skip: false,
            record: Probe::<T>::RECORD,
            read: Probe::<T>::READ,
            clone: None,
        }
    }

    fn kept<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
        let probed = probed::<T>();
        let json = write(&probed, &value);
        assert_eq!(
            probed.read.unwrap()(&json).unwrap(),
            value,
            "{}",
            String::from_utf8_lossy(&json)
        );
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "kind")]
    enum Tagged {
        Empty,
        Sized { size: u64 },
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Flat {
        id: u32,
        #[serde(flatten)]
        more: BTreeMap<String, f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }

    #[test]
    fn results_are_read_back_as_they_were() {
        kept(());
        kept((u128::MAX, i128::MIN, u64::MAX, i64::MIN));
        kept((0.1 + 0.2, f64::MIN_POSITIVE, f64::MAX, 5e-324, 1e23));
        kept((0.1_f32 + 0.2, f32::MAX, f32::MIN_POSITIVE));
        kept(("größe \0 \u{1f600}".to_owned(), 'x', true));
        kept(HashMap::from([(u128::MAX, Some(1)), (0, None)]));
        kept(vec![Tagged::Empty, Tagged::Sized { size: u64::MAX }]);
        kept(Flat {
            id: 1,
            more: BTreeMap::from([("a".to_owned(), 1.5)]),
            note: None,
        });
        let zero = probed::<f64>();
        let read = zero.read.unwrap()(&write(&zero, &-0.0)).unwrap();
        assert_eq!(read.to_bits(), (-0.0_f64).to_bits());
    }

    proptest::proptest! {
        #[test]
        fn floats_are_read_back_to_the_bit(double: f64, single: f32) {
            proptest::prop_assume!(double.is_finite() && single.is_finite());
            kept((double, single));
        }
    }

    #[test]
    fn what_is_not_json_of_the_type_is_an_error() {
        let read = probed::<Vec<u8>>().read.unwrap();
        assert_eq!(read(b"[1, 2] ").unwrap(), [1, 2]);
        for wrong in ["", "[1, 2", "[1, 2] 3", "[1, 2]]", "[1, 300]", "{}", "\u{feff}[1]"] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(probed::<String>().read.unwrap()(b"\"\xff\"").is_err());
        let deep = "[".repeat(100_000);
        assert!(probed::<Value>().read.unwrap()(deep.as_bytes()).is_err());
    }

    #[derive(Serialize, Deserialize)]
    struct Tree {
        value: u32,
        children: Vec<Tree>,
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let mut open = std::mem::take(&mut self.children);
            while let Some(mut tree) = open.pop() {
                open.append(&mut tree.children);
            }
        }
    }

    #[test]
    fn results_are_kept_however_deep() {
        let deep = || {
            let tree = (0..10_000).fold(
                Tree {
                    value: 0,
                    children: Vec::new(),
                },
                |tree, value| Tree {
                    value,
                    children: vec![tree],
                },
            );
            let probed = probed::<Tree>();
            let json = write(&probed, &tree);
            let read = probed.read.unwrap()(&json).unwrap();
            assert_eq!(write(&probed, &read), json);
        };
        let small = std::thread::Builder::new().stack_size(256 * 1024);
        small.spawn(deep).unwrap().join().unwrap();
    }

    #[test]
    fn what_a_type_cannot_do_is_not_there() {
        struct Opaque;
        #[derive(Serialize)]
        struct WriteOnly;
        let opaque: Probed<Opaque> = crate::__probed!(Opaque);
        assert!(opaque.record.is_none() && opaque.read.is_none());
        let write_only: Probed<WriteOnly> = crate::__probed!(WriteOnly);
        assert!(write_only.record.is_some() && write_only.read.is_none());
        let both: Probed<u8> = crate::__probed!(u8, skip);
        assert!(both.record.is_some() && both.read.is_some() && both.skip);
        let lent: Probed<&'static str> = crate::__probed!(&'static str);
        let error = lent.read.unwrap()(b"\"x\"").unwrap_err();
        assert!(error.to_string().contains("borrowed"), "{error}");
    }
}
