//! Keeps the write-ahead log small.
//!
//! SQLite begins the log anew only in a moment in which nobody reads from it. Where readers come and go without a pause that moment never
//! is, and the log grows. So from some size on the writer waits a little for the present readers to be done: those that come meanwhile find
//! all in the file and don't need the log.

use std::time::{Duration, Instant};

use rusqlite::Connection;

/// From this size on it is too large.
const TOO_LARGE: u64 = 64 << 20;
/// How long to wait for readers.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long to let it be after that was in vain.
const PAUSE: Duration = Duration::from_secs(1);

/// When to try again.
#[derive(Debug, Default)]
pub(super) struct Wal {
    not_before: Option<Instant>,
}

impl Wal {
    /// Cuts the log if it has become too large.
    pub(super) fn tend(&mut self, connection: &Connection, size: u64, busy_timeout: Duration) {
        if size < TOO_LARGE || self.not_before.is_some_and(|then| Instant::now() < then) {
            return;
        }
        if !truncate(connection, busy_timeout) {
            tracing::debug!(bytes = size, "a reader keeps the store's log from being cut");
            self.not_before = Some(Instant::now() + PAUSE);
        }
    }
}

/// Whether the log could be cut to nothing.
fn truncate(connection: &Connection, busy_timeout: Duration) -> bool {
    if connection.busy_timeout(PATIENCE).is_err() {
        return false;
    }
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    // It was set to that when the connection was made.
    let _ = connection.busy_timeout(busy_timeout.min(Duration::from_secs(86_400)));
    busy.is_ok_and(|busy| busy == 0)
}
