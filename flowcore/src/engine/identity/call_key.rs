//! The keys of calls, from the root down.

use blake3::Hasher;

use super::stream::{Digest, half};
use crate::run::RunId;
use crate::store::CallKey;

// Each sort of key begins with a text of its own, and the version of what follows.
const ROOT_RUN: &[u8] = b"flowcore root run 1";
#[allow(dead_code, reason = "not asked for yet")]
const ROOT_TEXT: &[u8] = b"flowcore root text 1";
const CALL: &[u8] = b"flowcore call 1";
const NTH_CALL: &[u8] = b"flowcore nth call 1";

impl CallKey {
    /// The key of an outermost run that nobody has given one.
    pub(crate) fn of_root(run: RunId) -> Self {
        hash(|hasher| {
            hasher.update(ROOT_RUN).update(run.as_uuid().as_bytes());
        })
    }

    /// The key of an outermost run that its caller tells from others by a text.
    #[allow(dead_code, reason = "not asked for yet")]
    pub(crate) fn of_idempotency_key(text: &str) -> Self {
        hash(|hasher| {
            hasher.update(ROOT_TEXT).update(text.as_bytes());
        })
    }
}

/// What equal calls of one parent have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BaseKey {
    pub(super) digest: Digest,
    pub(super) explicit: bool,
    ordinal: bool,
}

impl BaseKey {
    /// Of a call that its caller tells from others by a text.
    pub(crate) fn explicit(parent: &CallKey, definition_key: &str, version: Option<&str>, key: &str) -> Self {
        let digest = Self::digest(parent, definition_key, version, |hasher| {
            hasher.update(&[1]).update(key.as_bytes());
        });
        Self {
            digest,
            explicit: true,
            ordinal: false,
        }
    }

    pub(super) fn of_parameters(
        parent: &CallKey,
        definition_key: &str,
        version: Option<&str>,
        parameters: &[u8],
        ordinal: bool,
    ) -> Self {
        let digest = Self::digest(parent, definition_key, version, |hasher| {
            hasher.update(&[0]).update(parameters);
        });
        Self {
            digest,
            explicit: false,
            ordinal,
        }
    }

    fn digest(parent: &CallKey, definition_key: &str, version: Option<&str>, rest: impl FnOnce(&mut Hasher)) -> Digest {
        let CallKey(digest) = hash(|hasher| {
            hasher.update(CALL).update(&parent.0);
            let mut push = |bytes: &[u8]| {
                hasher.update(bytes);
            };
            text(definition_key, &mut push);
            push(&[version.is_some().into()]);
            text(version.unwrap_or_default(), &mut push);
            rest(hasher);
        });
        digest
    }

    /// Whether something of the parameters is unknown: then only the order tells some calls apart.
    #[allow(dead_code, reason = "not asked for yet")]
    pub(crate) fn is_ordinal(&self) -> bool {
        self.ordinal
    }

    /// The key of the `n`th of the equal calls, from 0.
    pub(crate) fn nth(&self, n: u32) -> CallKey {
        if n == 0 {
            return CallKey(self.digest);
        }
        hash(|hasher| {
            hasher.update(NTH_CALL).update(&self.digest).update(&n.to_le_bytes());
        })
    }
}

fn hash(feed: impl FnOnce(&mut Hasher)) -> CallKey {
    let mut hasher = Hasher::new();
    feed(&mut hasher);
    CallKey(half(hasher.finalize()))
}

/// A text that something follows.
pub(super) fn text(text: &str, push: &mut impl FnMut(&[u8])) {
    push(&(text.len() as u64).to_le_bytes());
    push(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn base(parent: &CallKey, definition: &str, version: Option<&str>, parameters: &[u8]) -> BaseKey {
        BaseKey::of_parameters(parent, definition, version, parameters, false)
    }

    /// A change here makes every call in every store unknown: then the versions of the texts change as well.
    #[test]
    fn keys_stay_as_they_are() {
        let root = CallKey::of_root(RunId::nil());
        let call = base(&root, "crate::task", Some("2"), b"parameters");
        let keys = [
            root,
            CallKey::of_idempotency_key("order 7"),
            call.nth(0),
            call.nth(1),
            base(&root, "crate::task", None, b"").nth(0),
            BaseKey::explicit(&root, "crate::task", None, "mail").nth(0),
        ];
        let golden = [
            "3d24446770d87be9777ba775bca7ece1",
            "853cf0241d381413ad7e234bdff4cc5a",
            "4cb4e9d81d48314c077dc17d9c0f3ea7",
            "66f757a0f3cd7267582c32b2b0fcb250",
            "712f082418e7cdf748d8e7d016b30221",
            "5766d4ef6f1821c6619cf9a385e4c944",
        ];
        assert_eq!(keys.map(|key| key.to_string()), golden);
    }

    #[test]
    fn whatever_differs_makes_another_key() {
        let (a, b) = (CallKey::of_idempotency_key("a"), CallKey::of_idempotency_key("b"));
        let mut keys = vec![a, b, CallKey::of_root(RunId::nil())];
        for parent in [&a, &b] {
            for (definition, version) in [
                ("m::f", None),
                ("m::f", Some("")),
                ("m::f", Some("1")),
                ("m::f1", None),
                ("m::f1", Some("")),
                ("", Some("m::f1")),
            ] {
                let calls = [
                    base(parent, definition, version, b""),
                    base(parent, definition, version, b"x"),
                    BaseKey::explicit(parent, definition, version, ""),
                    BaseKey::explicit(parent, definition, version, "x"),
                ];
                keys.extend(calls.iter().flat_map(|call| [0, 1, 2, u32::MAX].map(|n| call.nth(n))));
            }
        }
        let distinct: HashSet<CallKey> = keys.iter().copied().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
