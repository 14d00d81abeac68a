//! How an SQLite store is opened.

use std::time::Duration;

use crate::store::Durability;

/// How an [`SqliteStore`](super::SqliteStore) is opened.
///
/// ```
/// use flowcore::store::{Durability, SqliteOptions};
/// let mut options = SqliteOptions::default();
/// options.durability = Durability::Full;
/// assert_eq!(options.busy_timeout.as_secs(), 30);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// What a committed batch outlives. Normal.
    pub durability: Durability,
    /// Only to be read: nothing is created, nothing is written, and the file may lie in a directory that can't be written. False.
    pub read_only: bool,
    /// How long to wait for other processes that write. 30 seconds.
    pub busy_timeout: Duration,
    /// How large the file may become, in bytes, rounded down to whole pages; `None` leaves it to the disk. None.
    pub max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            read_only: false,
            busy_timeout: Duration::from_secs(30),
            max_bytes: None,
        }
    }
}
