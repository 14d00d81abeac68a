//! A serialiser that makes room on the stack before each value inside of another: a list that is linked by `Option<Box<Node>>` may be as long
//! as a vector.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::engine::stack;

/// A serialiser, or what it gives for a compound value, whose parts find room on the stack.
pub(crate) struct Deep<S>(pub(crate) S);

/// A part of a value.
struct Part<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Serialize for Part<'_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        stack::ensure(|| self.0.serialize(Deep(serializer)))
    }
}

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method(self, $($argument: $type),*) -> Result<S::Ok, S::Error> {
            self.0.$method($($argument),*)
        }
    )*};
}

macro_rules! compound {
    ($($method:ident($($argument:ident: $type:ty),*) -> $compound:ident;)*) => {$(
        #[inline]
        fn $method(self, $($argument: $type),*) -> Result<Deep<S::$compound>, S::Error> {
            self.0.$method($($argument),*).map(Deep)
        }
    )*};
}

impl<S: Serializer> Serializer for Deep<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Deep<S::SerializeSeq>;
    type SerializeTuple = Deep<S::SerializeTuple>;
    type SerializeTupleStruct = Deep<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Deep<S::SerializeTupleVariant>;
    type SerializeMap = Deep<S::SerializeMap>;
    type SerializeStruct = Deep<S::SerializeStruct>;
    type SerializeStructVariant = Deep<S::SerializeStructVariant>;

    forward! {
        serialize_bool(v: bool);
        serialize_i8(v: i8);
        serialize_i16(v: i16);
        serialize_i32(v: i32);
        serialize_i64(v: i64);
        serialize_i128(v: i128);
        serialize_u8(v: u8);
        serialize_u16(v: u16);
        serialize_u32(v: u32);
        serialize_u64(v: u64);
        serialize_u128(v: u128);
        serialize_f32(v: f32);
        serialize_f64(v: f64);
        serialize_char(v: char);
        serialize_str(v: &str);
        serialize_bytes(v: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    compound! {
        serialize_seq(len: Option<usize>) -> SerializeSeq;
        serialize_tuple(len: usize) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> SerializeTupleVariant;
        serialize_map(len: Option<usize>) -> SerializeMap;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> SerializeStructVariant;
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Part(value))
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Part(value))
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, index, variant, &Part(value))
    }

    #[inline]
    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.collect_str(value)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! parts {
    ($($trait:ident: $method:ident($($name:ident: $type:ty)?);)*) => {$(
        impl<C: $trait> $trait for Deep<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, $($name: $type,)? value: &T) -> Result<(), C::Error> {
                self.0.$method($($name,)? &Part(value))
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.0.end()
            }
        }
    )*};
}

parts! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeStruct: serialize_field(key: &'static str);
    SerializeStructVariant: serialize_field(key: &'static str);
}

impl<C: SerializeMap> SerializeMap for Deep<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.0.serialize_key(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.0.serialize_value(&Part(value))
    }

    #[inline]
    fn end(self) -> Result<C::Ok, C::Error> {
        self.0.end()
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use crate::private::{Probe, Sink};

    #[derive(Serialize, Deserialize, Default)]
    struct List {
        value: u32,
        next: Option<Box<List>>,
    }

    impl Drop for List {
        fn drop(&mut self) {
            let mut next = self.next.take();
            while let Some(mut list) = next {
                next = list.next.take();
            }
        }
    }

    #[derive(Serialize, Deserialize)]
    enum Nested {
        Leaf,
        Inner(Box<Nested>),
    }

    fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new().stack_size(256 * 1024);
        thread.spawn(test).unwrap().join().unwrap();
    }

    fn json<T: Serialize>(value: &T) -> Vec<u8> {
        let mut out = Vec::new();
        let mut limited = crate::private::Limited::new(&mut out, usize::MAX);
        (Probe::<T>::RECORD.unwrap())(value, Sink::Json(&mut limited)).unwrap();
        out
    }

    #[test]
    fn a_linked_list_of_20_000_goes_to_json_and_back() {
        on_a_small_stack(|| {
            let list = (0..20_000).fold(List::default(), |next, value| List {
                value,
                next: Some(Box::new(next)),
            });
            let written = json(&list);
            let read = (Probe::<List>::READ.unwrap())(&written).unwrap();
            assert_eq!(json(&read), written);
        });
    }

    #[test]
    fn variants_and_their_values_are_those_of_plain_json() {
        let value = (0..100).fold(Nested::Leaf, |inner, _| Nested::Inner(Box::new(inner)));
        assert_eq!(json(&value), serde_json::to_vec(&value).unwrap());
        let mixed = (
            1_u128 << 100,
            'x',
            [Some(1.5), None],
            std::collections::BTreeMap::from([(3, "k")]),
        );
        assert_eq!(json(&mixed), serde_json::to_vec(&mixed).unwrap());
    }
}
