//! The short numbers by which a store knows its runs.

use std::fmt;

const BITS_OF_COUNT: u32 = 40;

/// A run's number in its store: the number of the process that made it, and a count.
///
/// Rows point to each other by it, as it is half the size of a [`RunId`](crate::RunId) and grows with time.
///
/// ```
/// use flowcore::store::RunNumber;
/// let number = RunNumber::new(3, 7);
/// assert_eq!((number.process(), number.count()), (3, 7));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RunNumber(i64);

impl RunNumber {
    /// The `count`th run that process number `process` has made.
    #[must_use]
    pub const fn new(process: u32, count: u64) -> Self {
        // 2^23 processes of 2^40 runs each.
        Self(((process as i64) << BITS_OF_COUNT) | (count as i64 & ((1 << BITS_OF_COUNT) - 1)))
    }

    /// The number as a store keeps it.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The number that a store has kept.
    #[must_use]
    pub const fn from_stored(number: i64) -> Self {
        Self(number)
    }

    /// The process that has made the run.
    #[must_use]
    pub const fn process(self) -> u32 {
        (self.0 >> BITS_OF_COUNT) as u32
    }

    /// Which of that process's runs it is.
    #[must_use]
    pub const fn count(self) -> u64 {
        (self.0 & ((1 << BITS_OF_COUNT) - 1)) as u64
    }
}

impl fmt::Display for RunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.process(), self.count())
    }
}
