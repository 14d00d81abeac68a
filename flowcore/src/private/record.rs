//! The record of a run's parameters: one JSON object, bounded, whatever the values do.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use compact_str::CompactString;

use super::probe::RecordFn;
use super::sink::{Limited, Sink};
use crate::engine::{CallHasher, Canonical, Record};

/// A larger buffer isn't kept for the next record.
const BUFFER_KEPT: usize = 64 * 1024;

thread_local! {
    /// Where records are written, to be kept in their own size.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Collects a run's parameters.
///
/// What can't be shown is a member with a mark: `{"$type": "Socket"}` where the type isn't `Serialize`,
/// `{"$skipped": "String"}`, `{"$cut": "the first characters"}`, `{"$error": "what the serialiser said"}`.
pub struct Recorder {
    out: Vec<u8>,
    limit: usize,
    run_name: Option<String>,
    partial: bool,
    exact: bool,
    identity: Option<CallHasher>,
}

impl Recorder {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            out: BUFFER.take(),
            limit,
            run_name: None,
            partial: false,
            exact: false,
            identity: None,
        }
    }

    /// What JSON would lose of a value without a word is an error as well.
    pub(crate) fn exactly(mut self, exact: bool) -> Self {
        self.exact = exact;
        self
    }

    /// One that takes up what tells the call from others as well.
    pub(crate) fn hashing(limit: usize) -> Self {
        Self {
            identity: Some(CallHasher::new()),
            ..Self::new(limit)
        }
    }

    /// What [`hashing`](Self::hashing) has taken up.
    pub(crate) fn take_identity(&mut self) -> Option<CallHasher> {
        self.identity.take()
    }

    pub fn field<T: ?Sized>(&mut self, name: &str, value: &T, record: Option<RecordFn<T>>) {
        let Some(record) = record else {
            if let Some(identity) = &mut self.identity {
                identity.unknown(name);
            }
            return self.mark(name, "$type", std::any::type_name::<T>());
        };
        self.name(name);
        let start = self.out.len();
        let mut limited = Limited::new(&mut self.out, self.limit);
        // A user's Serialize may fail or panic; the run goes on, and its record says so.
        let written = catch_unwind(AssertUnwindSafe(|| record(value, Sink::Json(&mut limited))));
        let cut = limited.is_cut();
        let lost = match written {
            Ok(Ok(())) if self.exact => loss(value, record),
            _ => None,
        };
        if let Some(identity) = &mut self.identity {
            match written {
                Ok(_) => identity.value(name, value, Some(record)),
                Err(_) => identity.unknown(name),
            }
        }
        match written {
            Ok(Ok(())) => {
                if let Some(lost) = lost {
                    self.out.truncate(start);
                    self.object("$error", &lost);
                }
            }
            Ok(Err(_)) if cut => {
                let head = String::from_utf8_lossy(&self.out[start..]).into_owned();
                self.out.truncate(start);
                self.object("$cut", &head);
            }
            Ok(Err(error)) => {
                self.out.truncate(start);
                self.object("$error", &error.to_string());
            }
            Err(_) => {
                self.out.truncate(start);
                self.object("$error", "its Serialize panicked");
            }
        }
    }

    pub fn skip(&mut self, name: &str, type_name: &str) {
        if let Some(identity) = &mut self.identity {
            identity.skipped(name);
        }
        self.mark(name, "$skipped", type_name);
    }

    pub fn run_name(&mut self, name: String) {
        self.run_name = Some(name);
    }

    fn mark(&mut self, name: &str, mark: &str, text: &str) {
        self.name(name);
        self.object(mark, text);
    }

    fn name(&mut self, name: &str) {
        self.out.push(if self.out.is_empty() { b'{' } else { b',' });
        self.text(name);
        self.out.push(b':');
    }

    fn object(&mut self, mark: &str, text: &str) {
        self.partial = true;
        self.out.push(b'{');
        self.text(mark);
        self.out.push(b':');
        self.text(text);
        self.out.push(b'}');
    }

    fn text(&mut self, text: &str) {
        let plain = !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
        if plain {
            self.out.push(b'"');
            self.out.extend_from_slice(text.as_bytes());
            self.out.push(b'"');
        } else {
            // Writing a &str to a Vec can't fail.
            let _ = serde_json::to_writer(&mut self.out, text);
        }
    }

    pub(crate) fn finish(mut self) -> Record {
        let mut out = std::mem::take(&mut self.out);
        let mut parameters = None;
        if !out.is_empty() {
            out.push(b'}');
            parameters = CompactString::from_utf8(&out).ok();
            out.clear();
        }
        if out.capacity() <= BUFFER_KEPT {
            BUFFER.set(out);
        }
        Record {
            parameters,
            run_name: self.run_name.take().map(String::into_boxed_str),
            partial: self.partial,
        }
    }
}

/// What JSON would lose of a value, if anything.
pub(crate) fn loss<T: ?Sized>(value: &T, record: RecordFn<T>) -> Option<String> {
    let mut canonical = Canonical::new();
    // It was written as JSON, and so its Serialize works; if now it doesn't, the JSON is all that is known of it.
    let _ = catch_unwind(AssertUnwindSafe(|| record(value, Sink::Hash(&mut canonical))));
    canonical.unfaithful().map(ToString::to_string)
}

#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($recorder:expr, $name:literal : $type:ty, $value:expr) => {{
        #[allow(unused_imports)]
        use $crate::__private::ProbeFallback as _;
        $recorder.field::<$type>($name, $value, <$crate::__private::Probe<$type>>::RECORD)
    }};
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Serialize, Serializer};

    struct Opaque;
    struct Refuses;
    struct Panics;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("in Serialize")
        }
    }
    /// A list that can't be serialised to its end.
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(0_u64..)
        }
    }

    #[test]
    fn whatever_a_value_does_the_record_is_json() {
        let mut recorder = Recorder::new(16);
        crate::__record!(recorder, "n": i32, &7);
        crate::__record!(recorder, "text": str, "a \"b\"");
        crate::__record!(recorder, "nan": f64, &f64::NAN);
        crate::__record!(recorder, "opaque": Opaque, &Opaque);
        crate::__record!(recorder, "refuses": Refuses, &Refuses);
        crate::__record!(recorder, "panics": Panics, &Panics);
        crate::__record!(recorder, "endless": Endless, &Endless);
        recorder.skip("password", "String");
        let record = recorder.finish();
        assert!(record.partial);
        let value: serde_json::Value = serde_json::from_str(&record.parameters.unwrap()).unwrap();
        assert_eq!(value["n"], 7);
        assert_eq!(value["text"], "a \"b\"");
        assert_eq!(value["nan"], serde_json::Value::Null);
        assert!(value["opaque"]["$type"].as_str().unwrap().ends_with("Opaque"));
        assert_eq!(value["refuses"]["$error"], "no");
        assert_eq!(value["panics"]["$error"], "its Serialize panicked");
        assert_eq!(value["endless"]["$cut"], "[0,1,2,3,4,5,6,7");
        assert_eq!(value["password"]["$skipped"], "String");
    }

    #[test]
    fn a_deep_value_needs_no_deep_stack() {
        struct Deep(Cell<u32>);
        impl Serialize for Deep {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.0.get().checked_sub(1) {
                    Some(less) => {
                        self.0.set(less);
                        serializer.collect_seq([self])
                    }
                    None => serializer.serialize_unit(),
                }
            }
        }
        let record = || {
            let mut recorder = Recorder::new(1 << 20);
            crate::__record!(recorder, "deep": Deep, &Deep(Cell::new(100_000)));
            let record = recorder.finish();
            assert!(!record.partial);
            let brackets = 2 * 100_000;
            assert_eq!(record.parameters.unwrap().len(), "{\"deep\":null}".len() + brackets);
        };
        let small = std::thread::Builder::new().stack_size(256 * 1024);
        small.spawn(record).unwrap().join().unwrap();
    }
}
