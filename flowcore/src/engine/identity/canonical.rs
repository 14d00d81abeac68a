//! A value's canonical hash: equal values have equal ones, on every machine and in every run of a program.

use std::any::type_name;
use std::collections::HashSet;
use std::fmt::{self, Display, Write as _};

use serde::ser::{self, Error as _, Serialize, Serializer};

use super::stream::{Digest, Stream};
use super::unfaithful::{Loss, Step, Unfaithful};
use crate::engine::stack;

type Result<T = (), E = serde_json::Error> = std::result::Result<T, E>;

/// What the bytes below mean. They are kept in stores, as hashes: another meaning is another version.
const VERSION: u8 = 1;

// Each value begins with a tag. Text ends with a byte that UTF-8 never has, and so do the parts of a whole: then neither's
// length need be known beforehand.
const UNIT: u8 = 0;
const NONE: u8 = 1;
const SOME: u8 = 2;
const FALSE: u8 = 3;
const TRUE: u8 = 4;
/// An integer from 0 on, of any width: its bits in groups of seven, as LEB128 has them.
const NATURAL: u8 = 5;
/// An integer below 0: as many as it is below -1.
const NEGATIVE: u8 = 6;
const F32: u8 = 7;
const F64: u8 = 8;
const TEXT: u8 = 9;
const BYTES: u8 = 10;
/// Lists, arrays, tuples: what has parts in an order.
const LIST: u8 = 11;
/// A struct: name and value of each field, in their order.
const FIELDS: u8 = 12;
/// A map: its entries' hashes, sorted.
const MAP: u8 = 13;
/// A hash set: its items' hashes, sorted.
const SET: u8 = 14;
/// An enum's variant without content.
const VARIANT: u8 = 15;
/// An enum's variant: its name, then its content.
const VARIANT_WITH: u8 = 16;
const END: u8 = 0xfe;
const TEXT_END: u8 = 0xff;

/// A serialiser that gives a hash, and sees nothing twice.
///
/// Beside equality of values this holds: an integer's width doesn't matter, nor whether text is borrowed or a `char`, nor the
/// order of a map's entries or a hash set's items; a newtype is what it wraps; all NaNs are one; -0.0 is not 0.0; an `f32` is
/// no `f64`. Names of types don't matter, those of fields and variants do. What serde skips isn't there.
pub struct Canonical {
    stream: Stream,
    /// Streams not in use, for their buffers.
    spare: Vec<Stream>,
    /// Whether the next value is a `Some`'s.
    in_some: bool,
    unfaithful: Option<Unfaithful>,
}

impl Canonical {
    pub(crate) fn new() -> Self {
        let mut new = Self {
            stream: Stream::default(),
            spare: Vec::new(),
            in_some: false,
            unfaithful: None,
        };
        new.stream.push(&[VERSION]);
        new
    }

    /// The hash of what was serialised. Then it is as new.
    pub(crate) fn finish(&mut self) -> Digest {
        let digest = self.stream.finish();
        self.stream.push(&[VERSION]);
        self.in_some = false;
        self.unfaithful = None;
        digest
    }

    /// The first part of what was serialised that JSON would lose.
    pub(crate) fn unfaithful(&self) -> Option<&Unfaithful> {
        self.unfaithful.as_ref()
    }

    #[inline]
    fn tag(&mut self, tag: u8) {
        let in_some = std::mem::replace(&mut self.in_some, tag == SOME);
        if in_some && matches!(tag, UNIT | NONE) {
            self.lose(Loss::EmptySome);
        }
        self.stream.push(&[tag]);
    }

    #[inline]
    fn integer(&mut self, tag: u8, mut value: u128) {
        // 128 bits are 19 groups of seven.
        let mut groups = [0; 19];
        let mut last = 0;
        while value >= 0x80 {
            groups[last] = value as u8 | 0x80;
            value >>= 7;
            last += 1;
        }
        groups[last] = value as u8;
        self.tag(tag);
        self.stream.push(&groups[..=last]);
    }

    /// Text without a tag.
    fn name(&mut self, name: &str) {
        self.stream.push(name.as_bytes());
        self.stream.push(&[TEXT_END]);
    }

    fn variant(&mut self, tag: u8, name: &str) {
        self.tag(tag);
        self.name(name);
    }

    #[cold]
    fn lose(&mut self, loss: Loss) {
        let path = Vec::new();
        self.unfaithful.get_or_insert(Unfaithful { loss, path });
    }

    /// A value inside of another.
    #[inline]
    fn part<T: Serialize + ?Sized>(&mut self, value: &T, step: impl FnOnce() -> Option<Step>) -> Result {
        let lost_before = self.unfaithful.is_some();
        stack::ensure(|| value.serialize(&mut *self))?;
        if !lost_before && let Some(unfaithful) = &mut self.unfaithful {
            unfaithful.path.extend(step());
        }
        Ok(())
    }

    /// Puts a stream in the place of the one that was: what follows is hashed on its own.
    fn apart(&mut self) -> Stream {
        let own = self.spare.pop().unwrap_or_default();
        std::mem::replace(&mut self.stream, own)
    }

    /// Ends what [`apart`](Self::apart) began.
    fn together(&mut self, whole: Stream) -> Digest {
        let mut own = std::mem::replace(&mut self.stream, whole);
        let digest = own.finish();
        self.spare.push(own);
        digest
    }

    fn unordered(&mut self, tag: u8, mut digests: Vec<Digest>) {
        digests.sort_unstable();
        self.integer(tag, digests.len() as u128);
        for digest in &digests {
            self.stream.push(digest);
        }
    }
}

/// Whether items of that type come in an order that chance has made.
fn is_hash_set<I>() -> bool {
    // serde's implementations show the set itself.
    let name = type_name::<I>();
    let of_std = type_name::<&HashSet<()>>().trim_end_matches("()>");
    name.starts_with(of_std) || name.starts_with("&hashbrown::set::HashSet<")
}

impl<'a> Serializer for &'a mut Canonical {
    type Ok = ();
    type Error = serde_json::Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    fn serialize_bool(self, value: bool) -> Result {
        self.tag(if value { TRUE } else { FALSE });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result {
        self.serialize_i128(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result {
        self.serialize_i128(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result {
        self.serialize_i128(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result {
        self.serialize_i128(value.into())
    }

    fn serialize_i128(self, value: i128) -> Result {
        if value < 0 {
            self.integer(NEGATIVE, !value as u128);
        } else {
            self.integer(NATURAL, value as u128);
        }
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result {
        self.serialize_u128(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result {
        self.serialize_u128(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result {
        self.serialize_u128(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result {
        self.serialize_u128(value.into())
    }

    fn serialize_u128(self, value: u128) -> Result {
        self.integer(NATURAL, value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result {
        self.tag(F32);
        let bits = if value.is_nan() { f32::NAN } else { value }.to_bits();
        self.stream.push(&bits.to_le_bytes());
        if !value.is_finite() {
            self.lose(Loss::NotFinite(value.into()));
        }
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result {
        self.tag(F64);
        let bits = if value.is_nan() { f64::NAN } else { value }.to_bits();
        self.stream.push(&bits.to_le_bytes());
        if !value.is_finite() {
            self.lose(Loss::NotFinite(value));
        }
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result {
        self.tag(TEXT);
        self.name(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        self.integer(BYTES, value.len() as u128);
        self.stream.push(value);
        Ok(())
    }

    fn serialize_none(self) -> Result {
        self.tag(NONE);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        self.tag(SOME);
        self.part(value, || None)
    }

    fn serialize_unit(self) -> Result {
        self.tag(UNIT);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        self.variant(VARIANT, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        self.part(value, || None)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        self.variant(VARIANT_WITH, variant);
        self.part(value, || Some(Step::Field(variant)))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>> {
        Ok(Parts::new(self, LIST, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>> {
        Ok(Parts::new(self, LIST, None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>> {
        Ok(Parts::new(self, LIST, None))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Parts<'a>> {
        self.variant(VARIANT_WITH, variant);
        Ok(Parts::new(self, LIST, Some(variant)))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Entries<'a>> {
        // A length is only a hint.
        const MOST: usize = 1024;
        self.in_some = false;
        Ok(Entries {
            digests: Vec::with_capacity(length.unwrap_or_default().min(MOST)),
            whole: None,
            canonical: self,
        })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>> {
        Ok(Parts::new(self, FIELDS, None))
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Parts<'a>> {
        self.variant(VARIANT_WITH, variant);
        Ok(Parts::new(self, FIELDS, Some(variant)))
    }

    fn collect_seq<I>(self, items: I) -> Result
    where
        I: IntoIterator<Item: Serialize>,
    {
        if !is_hash_set::<I>() {
            let mut parts = Parts::new(self, LIST, None);
            return items
                .into_iter()
                .try_for_each(|item| parts.item(&item))
                .map(|()| parts.end_of_all());
        }
        self.in_some = false;
        let mut digests = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let whole = self.apart();
            let hashed = self.part(&item, || Some(Step::Index(index)));
            digests.push(self.together(whole));
            hashed?;
        }
        self.unordered(SET, digests);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result {
        struct Text<'a>(&'a mut Stream);
        impl fmt::Write for Text<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.push(text.as_bytes());
                Ok(())
            }
        }
        self.tag(TEXT);
        write!(Text(&mut self.stream), "{value}").map_err(|_| serde_json::Error::custom("its Display failed"))?;
        self.stream.push(&[TEXT_END]);
        Ok(())
    }
}

/// What has parts in an order.
pub struct Parts<'a> {
    canonical: &'a mut Canonical,
    index: usize,
    variant: Option<&'static str>,
}

impl<'a> Parts<'a> {
    fn new(canonical: &'a mut Canonical, tag: u8, variant: Option<&'static str>) -> Self {
        canonical.tag(tag);
        Self {
            canonical,
            index: 0,
            variant,
        }
    }

    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        let index = self.index;
        self.index += 1;
        self.inside(value, || Step::Index(index))
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result {
        self.canonical.name(name);
        self.inside(value, || Step::Field(name))
    }

    #[inline]
    fn inside<T: Serialize + ?Sized>(&mut self, value: &T, step: impl FnOnce() -> Step) -> Result {
        let variant = self.variant;
        let lost_before = self.canonical.unfaithful.is_some();
        self.canonical.part(value, || Some(step()))?;
        if !lost_before && let (Some(variant), Some(unfaithful)) = (variant, &mut self.canonical.unfaithful) {
            unfaithful.path.push(Step::Field(variant));
        }
        Ok(())
    }

    fn end_of_all(self) {
        self.canonical.stream.push(&[END]);
    }
}

macro_rules! parts {
    ($($trait:ident $method:ident),*) => {$(
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = serde_json::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
                self.item(value)
            }

            fn end(self) -> Result {
                self.end_of_all();
                Ok(())
            }
        }
    )*};
}

parts!(SerializeSeq serialize_element, SerializeTuple serialize_element);
parts!(SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field);

macro_rules! fields {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = serde_json::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result {
                self.field(name, value)
            }

            fn end(self) -> Result {
                self.end_of_all();
                Ok(())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

/// A map's entries, each hashed on its own.
pub struct Entries<'a> {
    canonical: &'a mut Canonical,
    digests: Vec<Digest>,
    /// What the map is a part of, while a value is awaited.
    whole: Option<Stream>,
}

impl Entries<'_> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T, step: impl FnOnce() -> Step) -> Result {
        let hashed = self.canonical.part(value, || Some(step()));
        self.close();
        hashed
    }

    fn close(&mut self) {
        if let Some(whole) = self.whole.take() {
            self.digests.push(self.canonical.together(whole));
        }
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = serde_json::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.close();
        self.whole = Some(self.canonical.apart());
        let index = self.digests.len();
        self.canonical.part(key, || Some(Step::Index(index)))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        let index = self.digests.len();
        self.value(value, || Step::Index(index))
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Result {
        self.serialize_key(key)?;
        self.value(value, || Step::key(key))
    }

    fn end(mut self) -> Result {
        self.close();
        self.canonical.unordered(MAP, self.digests);
        Ok(())
    }
}
