//! Runs in the order of their ids.

use std::ops::Bound;

use smallvec::SmallVec;

use super::super::number::RunNumber;
use crate::run::RunId;

/// Runs in the order of their ids. They come nearly in that order, so that new ones go to the end, or close to it.
#[derive(Default)]
pub(super) struct InOrder(SmallVec<[(RunId, RunNumber); 1]>);

impl InOrder {
    pub(super) fn insert(&mut self, id: RunId, number: RunNumber) {
        let place = match self.0.last() {
            Some((last, _)) if *last >= id => self.0.partition_point(|(other, _)| *other < id),
            _ => self.0.len(),
        };
        self.0.insert(place, (id, number));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = RunNumber> {
        self.0.iter().map(|(_, number)| *number)
    }

    /// Those within the bounds.
    pub(super) fn range(
        &self,
        (from, to): (Bound<RunId>, Bound<RunId>),
    ) -> impl DoubleEndedIterator<Item = RunNumber> + use<'_> {
        let start = match from {
            Bound::Excluded(from) => self.0.partition_point(|(id, _)| *id <= from),
            Bound::Included(from) => self.0.partition_point(|(id, _)| *id < from),
            Bound::Unbounded => 0,
        };
        let end = match to {
            Bound::Excluded(to) => self.0.partition_point(|(id, _)| *id < to),
            Bound::Included(to) => self.0.partition_point(|(id, _)| *id <= to),
            Bound::Unbounded => self.0.len(),
        };
        self.0[start..end.max(start)].iter().map(|(_, number)| *number)
    }
}
