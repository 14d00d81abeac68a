//! What a call is given, on the way into its key.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::call_key::{self, BaseKey};
use super::canonical::Canonical;
use crate::private::{RecordFn, Sink};
use crate::store::CallKey;

// What is known of a parameter.
const VALUE: u8 = 0;
const RUN: u8 = 1;
const RUNS: u8 = 2;
const SKIPPED: u8 = 3;
const UNKNOWN: u8 = 4;

/// Gathers what tells a call from others of its parent: the parameters, in their order, each with its name.
///
/// A run whose result is a parameter stands in by its own key, which is known before its result.
pub struct CallHasher {
    canonical: Canonical,
    parameters: Vec<u8>,
    ordinal: bool,
}

impl CallHasher {
    pub(crate) fn new() -> Self {
        Self {
            canonical: Canonical::new(),
            parameters: Vec::new(),
            ordinal: false,
        }
    }

    pub(crate) fn value<T: ?Sized>(&mut self, name: &str, value: &T, record: Option<RecordFn<T>>) {
        let Some(record) = record else {
            return self.unknown(name);
        };
        let canonical = &mut self.canonical;
        // A user's Serialize may fail or panic.
        match catch_unwind(AssertUnwindSafe(|| record(value, Sink::Hash(canonical)))) {
            Ok(Ok(())) => {
                let digest = self.canonical.finish();
                self.parameter(name, VALUE, &digest);
            }
            Ok(Err(_)) | Err(_) => {
                self.canonical = Canonical::new();
                self.unknown(name);
            }
        }
    }

    /// The result of a run; `None` if it has no key.
    pub(crate) fn run(&mut self, name: &str, key: Option<CallKey>) {
        match key {
            Some(CallKey(key)) => self.parameter(name, RUN, &key),
            None => self.unknown(name),
        }
    }

    /// The results of several runs, in their order; `None` if one has no key.
    pub(crate) fn runs(&mut self, name: &str, keys: Option<&[CallKey]>) {
        match keys {
            Some(keys) => {
                self.parameter(name, RUNS, &(keys.len() as u64).to_le_bytes());
                self.parameters.extend(keys.iter().flat_map(|CallKey(key)| key));
            }
            None => self.unknown(name),
        }
    }

    /// A value that must not leave a trace.
    pub(crate) fn skipped(&mut self, name: &str) {
        self.parameter(name, SKIPPED, &[]);
    }

    /// A value that tells nothing of itself: equal calls are told apart by the order of their making.
    pub(crate) fn unknown(&mut self, name: &str) {
        self.ordinal = true;
        self.parameter(name, UNKNOWN, &[]);
    }

    fn parameter(&mut self, name: &str, kind: u8, content: &[u8]) {
        call_key::text(name, &mut |bytes| self.parameters.extend_from_slice(bytes));
        self.parameters.push(kind);
        self.parameters.extend_from_slice(content);
    }

    /// What equal calls have in common. An explicit key stands in place of the parameters.
    pub(crate) fn finish(
        self,
        parent: &CallKey,
        definition_key: &str,
        version: Option<&str>,
        explicit_key: Option<&str>,
    ) -> BaseKey {
        match explicit_key {
            Some(key) => BaseKey::explicit(parent, definition_key, version, key),
            None => BaseKey::of_parameters(parent, definition_key, version, &self.parameters, self.ordinal),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::engine::{Input, IntoInputs, RunFuture, Upstream};
    use crate::private::{Param, ParamList, Recorder, Runnable};
    use flowmacros::task;

    struct Opaque;

    #[task]
    fn take(_number: u64, _text: &str) {}
    #[task(skip(secret))]
    fn hide(_number: u64, secret: String) {
        drop(secret);
    }
    #[task]
    fn count(_numbers: Vec<u64>) {}
    #[task]
    fn swallow(_number: u64, _thing: Opaque) {}
    #[task]
    fn give(number: u64) -> u64 {
        number
    }

    const PARENT: CallKey = CallKey([7; 16]);

    fn finish(hasher: CallHasher) -> BaseKey {
        hasher.finish(&PARENT, "crate::task", None, None)
    }

    /// The key by a run's own id, or none.
    fn by_id(Upstream(run): Upstream) -> Option<CallKey> {
        Some(CallKey::of_root(run.core().id))
    }

    fn submitted<R: Runnable>(_: R, inputs: impl IntoInputs<R::Params>) -> BaseKey {
        let mut hasher = CallHasher::new();
        R::Params::identify(&inputs.into_inputs(), &R::PARAMS, &mut hasher, &by_id);
        finish(hasher)
    }

    fn direct<R: Runnable>(_: R, params: R::Params) -> BaseKey {
        let mut recorder = Recorder::hashing(16);
        params.record(&R::PARAMS, &mut recorder);
        finish(recorder.take_identity().unwrap())
    }

    #[test]
    fn however_a_call_is_made_its_values_make_its_key() {
        let key = submitted(take, (1, "a"));
        assert_eq!(key, submitted(take, (1, "a".to_owned())));
        assert_eq!(key, direct(take, (1, "a".to_owned())));
        let mut recorder = Recorder::hashing(16);
        crate::__record!(recorder, "_number": u64, &1);
        crate::__record!(recorder, "_text": str, "a");
        assert_eq!(key, finish(recorder.take_identity().unwrap()));
        assert!(!key.is_ordinal());
        assert_ne!(key, submitted(take, (2, "a")));
        assert_ne!(key, submitted(take, (1, "b")));
        // Beyond where the record is cut.
        let (one, two) = ("x".repeat(1000) + "1", "x".repeat(1000) + "2");
        assert_ne!(direct(take, (1, one)), direct(take, (1, two)));
        assert!(Recorder::new(16).take_identity().is_none());
    }

    /// A change here makes every call in every store unknown: then the version in `call_key` changes as well.
    #[test]
    fn keys_stay_as_they_are() {
        let mut hasher = CallHasher::new();
        hasher.value("value", "a", crate::private::Probe::<str>::RECORD);
        hasher.run("run", Some(PARENT));
        hasher.runs("runs", Some(&[PARENT, PARENT]));
        hasher.skipped("skipped");
        hasher.unknown("unknown");
        assert_eq!(finish(hasher).nth(0).to_string(), "2edb85cefc8ffab3aa365aeb59900e13");
    }

    #[test]
    fn skipped_values_leave_no_trace() {
        let key = submitted(hide, (1, "secret"));
        assert_eq!(key, submitted(hide, (1, "other")));
        assert_eq!(key, direct(hide, (1, "secret".to_owned())));
        assert_ne!(key, submitted(hide, (2, "secret")));
        assert!(!key.is_ordinal());
    }

    #[test]
    fn values_that_cannot_be_told_make_a_call_ordinal() {
        let key = submitted(swallow, (1, Opaque));
        assert!(key.is_ordinal());
        assert_eq!(key, direct(swallow, (1, Opaque)));
        assert_ne!(key, submitted(swallow, (2, Opaque)));
    }

    #[test]
    fn runs_stand_in_by_their_keys() {
        let (one, two) = (give.submit(1), give.submit(1));
        let key = submitted(take, (&one, "a"));
        assert_eq!(key, submitted(take, (&one, "a")));
        assert_ne!(key, submitted(take, (&two, "a")));
        assert_ne!(key, submitted(take, (1, "a")));
        assert!(!key.is_ordinal());

        let runs = |runs: &[&RunFuture<u64>]| {
            runs.iter()
                .map(|run| (*run).clone())
                .collect::<crate::RunFutures<u64>>()
        };
        let keys = [
            submitted(count, runs(&[])),
            submitted(count, runs(&[&one])),
            submitted(count, runs(&[&one, &two])),
            submitted(count, runs(&[&two, &one])),
            submitted(count, vec![]),
            submitted(count, vec![1, 1]),
        ];
        let distinct: HashSet<_> = keys.iter().map(|key| key.nth(0)).collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(keys[2], submitted(count, runs(&[&one, &two])));

        let keyless = |inputs| {
            let mut hasher = CallHasher::new();
            <count as Runnable>::Params::identify(&inputs, &<count as Runnable>::PARAMS, &mut hasher, &|_| None);
            finish(hasher)
        };
        assert!(keyless(runs(&[&one]).into_inputs()).is_ordinal());
        assert!(!keyless(runs(&[]).into_inputs()).is_ordinal());
    }

    #[test]
    fn names_and_places_of_parameters_count() {
        let hash = |names: &[&str]| {
            let mut hasher = CallHasher::new();
            for name in names {
                let probe: Param<u8> = crate::__param!("": u8);
                hasher.value(name, &1, probe.record);
            }
            finish(hasher)
        };
        let keys = [
            hash(&["a", "b"]),
            hash(&["b", "a"]),
            hash(&["ab"]),
            hash(&["a"]),
            hash(&[]),
        ];
        let distinct: HashSet<_> = keys.iter().map(|key| key.nth(0)).collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn a_serialize_that_fails_or_panics_spoils_nothing_else() {
        struct Fails(bool);
        impl serde::Serialize for Fails {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::{Error, SerializeMap};
                let mut map = serializer.serialize_map(None)?;
                map.serialize_key("k")?;
                assert!(!self.0, "in Serialize");
                Err(S::Error::custom("no"))
            }
        }
        let hash = |first: &dyn Fn(&mut CallHasher)| {
            let mut hasher = CallHasher::new();
            first(&mut hasher);
            hasher.value("b", &5, crate::__param!("": i32).record);
            finish(hasher)
        };
        let fails = hash(&|hasher| hasher.value("a", &Fails(false), crate::__param!("": Fails).record));
        let panics = hash(&|hasher| hasher.value("a", &Fails(true), crate::__param!("": Fails).record));
        let unknown = hash(&|hasher| hasher.unknown("a"));
        assert!(fails.is_ordinal());
        assert_eq!((fails, panics), (unknown, unknown));
    }

    #[test]
    fn an_input_that_is_gone_is_unknown() {
        let failed = {
            #[task]
            fn fail() -> Result<u64, String> {
                Err("no".into())
            }
            let run = fail.submit();
            run.wait();
            run
        };
        let mut input: (Input<u64>,) = failed.into_inputs();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(input.0.poll(&mut cx).is_ready());
        let mut hasher = CallHasher::new();
        input.0.identify(&crate::__param!("n": u64), &mut hasher, &by_id);
        assert!(finish(hasher).is_ordinal());
    }
}
