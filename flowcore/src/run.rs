//! What a run is, to look at: its id and its kind.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of a run: a UUID of version 7, so ids sort by the time of their making.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[task]
/// fn noop() {}
///
/// let id = noop.submit().run_id();
/// assert_eq!(id.to_string().parse::<flowcore::RunId>().unwrap(), id);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

impl RunId {
    /// A new id for a run born at `ticks` of the clock with `offset`.
    #[inline]
    pub(crate) fn generate(nanos: i64) -> Self {
        // 48 bits of milliseconds, 12 bits of the fraction, then a count that keeps equal instants apart and in
        // order, then chance, so that two processes never meet.
        let nanos = nanos.unsigned_abs();
        let millis = (nanos / 1_000_000) & 0xffff_ffff_ffff;
        let fraction = (nanos % 1_000_000) * 4096 / 1_000_000;
        let count = COUNT.with(|count| count.replace(count.get().wrapping_add(1))) & 0x3fff;
        let chance = fastrand::u64(..) & 0xffff_ffff_ffff;
        let high = (millis << 16) | 0x7000 | fraction;
        let low = 0x8000_0000_0000_0000 | (count << 48) | chance;
        Self(Uuid::from_u64_pair(high, low))
    }

    /// The id that a store has kept.
    #[cfg(feature = "sqlite")]
    pub(crate) const fn from_stored(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    #[cfg(test)]
    pub(crate) fn nil() -> Self {
        Self(Uuid::nil())
    }

    /// The id as a [`Uuid`].
    #[must_use]
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    /// A random-looking, stable number of the id, for names made of it.
    pub(crate) fn seed(&self) -> u64 {
        let (high, low) = self.0.as_u64_pair();
        low ^ high.rotate_left(17)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl From<RunId> for Uuid {
    fn from(id: RunId) -> Self {
        id.0
    }
}

/// Whether a definition or a run is a flow's or a task's.
///
/// ```
/// use flowcore::RunKind;
/// use flowcore::prelude::*;
///
/// #[flow]
/// fn tells_its_kind() -> Option<RunKind> { flowcore::context().map(|run| run.kind()) }
/// assert_eq!(tells_its_kind().unwrap(), Some(RunKind::Flow));
/// assert_eq!(RunKind::Flow.to_string(), "flow");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunKind {
    /// A flow.
    Flow,
    /// A task.
    Task,
}

impl fmt::Display for RunKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flow => "flow",
            Self::Task => "task",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_distinct_and_sort_by_time() {
        let ids: Vec<RunId> = (0..1000)
            .map(|n| RunId::generate(1_790_000_000_000_000_000 + n * 1_000_000))
            .collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].as_uuid().get_version_num(), 7);
        let same: std::collections::HashSet<RunId> = (0..10_000).map(|_| RunId::generate(5)).collect();
        assert_eq!(same.len(), 10_000);
    }
}
