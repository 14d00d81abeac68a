//! How many equal calls a run has made.

use std::collections::{HashMap, HashSet};

use smallvec::SmallVec;

use super::call_key::BaseKey;
use super::stream::Digest;

/// Most runs make no more calls than that.
const FEW: usize = 4;

/// The calls that one attempt of a run has made, as far as equal ones must be counted. A new attempt begins with none.
#[derive(Default)]
pub(crate) struct EqualCalls {
    few: SmallVec<[(Digest, u32); FEW]>,
    many: Option<Box<Many>>,
}

/// Calls beyond a few: of a million different children, each costs 10 to 20 bytes here.
#[derive(Default)]
struct Many {
    /// Half of the key does: should two different calls ever be taken for equal ones, they are numbered together, and their
    /// keys still differ.
    once: HashSet<u64>,
    /// Those made again, and how often before.
    again: HashMap<u64, u32>,
    /// The whole key: should two be taken for equal, one would be refused.
    explicit: HashSet<Digest>,
}

/// A run gave one explicit key to two calls of the same flow or task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReusedKey;

impl EqualCalls {
    /// Notes a call; gives how many equal ones were noted before.
    pub(crate) fn count(&mut self, call: &BaseKey) -> Result<u32, ReusedKey> {
        let equal = self.few.iter_mut().find(|(digest, _)| *digest == call.digest);
        if let Some((_, before)) = equal {
            if call.explicit {
                return Err(ReusedKey);
            }
            *before += 1;
            return Ok(*before);
        }
        if self.few.len() < FEW {
            self.few.push((call.digest, 0));
            return Ok(0);
        }
        self.many.get_or_insert_default().count(call)
    }
}

impl Many {
    fn count(&mut self, call: &BaseKey) -> Result<u32, ReusedKey> {
        if call.explicit {
            return if self.explicit.insert(call.digest) {
                Ok(0)
            } else {
                Err(ReusedKey)
            };
        }
        let [a, b, c, d, e, f, g, h, ..] = call.digest;
        let half = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        if self.once.insert(half) {
            return Ok(0);
        }
        let before = self.again.entry(half).or_default();
        *before += 1;
        Ok(*before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::CallKey;

    const PARENT: CallKey = CallKey([1; 16]);

    fn call(parameters: u64) -> BaseKey {
        BaseKey::of_parameters(&PARENT, "m::f", None, &parameters.to_le_bytes(), false)
    }

    fn explicit(key: u64) -> BaseKey {
        BaseKey::explicit(&PARENT, "m::f", None, &key.to_string())
    }

    #[test]
    fn equal_calls_are_counted_few_or_many() {
        let mut calls = EqualCalls::default();
        for round in 0..4 {
            for parameters in 0..1000 {
                assert_eq!(calls.count(&call(parameters)), Ok(round));
            }
        }
    }

    #[test]
    fn an_explicit_key_is_taken_once() {
        let mut calls = EqualCalls::default();
        for key in 0..1000 {
            assert_eq!(calls.count(&explicit(key)), Ok(0));
            assert_eq!(calls.count(&explicit(key)), Err(ReusedKey));
            assert_eq!(calls.count(&call(key)), Ok(0));
        }
        assert_eq!(calls.count(&explicit(0)), Err(ReusedKey));
        assert_eq!(calls.count(&explicit(999)), Err(ReusedKey));
        let elsewhere = BaseKey::explicit(&PARENT, "m::g", None, "0");
        assert_eq!(calls.count(&elsewhere), Ok(0));
    }

    #[test]
    fn a_million_different_calls_cost_little() {
        let mut calls = EqualCalls::default();
        for parameters in 0..1_000_000 {
            assert_eq!(calls.count(&call(parameters)), Ok(0));
        }
        let many = calls.many.unwrap();
        assert!(many.again.is_empty());
        // An entry and its byte of control, in a table that is filled to seven eighths at the most.
        let bytes = many.once.capacity() * 8 / 7 * 9;
        assert!(bytes < 24_000_000, "{bytes}");
    }
}
