//! The record of all runs in an SQLite file.

mod check;
mod codes;
mod durable;
mod fault;
mod files;
mod history;
mod migrate;
mod network;
mod open;
mod options;
mod process;
mod read;
mod row;
mod schema;
mod select;
#[cfg(test)]
mod tests;
mod upkeep;
mod wal;
mod write;
mod writer;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;

pub use self::options::SqliteOptions;

use self::fault::Outcome;
use self::files::Home;
use self::writer::{Writer, Writing};
use crate::run::RunId;
use crate::state::State;
use crate::store::{
    Batch, Beat, Claimed, Count, Edge, Group, Health, LogQuery, LogRow, Page, ProcessIdentity, ProcessRow, Recorded,
    RunNumber, RunQuery, RunRow, Store, StoreError, StoreErrorKind, StoreResult,
};

/// So many connections that read are kept for the next that reads.
const READERS_KEPT: usize = 8;

#[doc = include_str!("schema.md")]
pub struct SqliteStore {
    home: Home,
    options: SqliteOptions,
    /// The schema of the file, which is the newest that this build knows.
    schema: i32,
    /// Nobody who reads takes it.
    writer: Option<Mutex<Writer>>,
    readers: Mutex<Vec<Connection>>,
}

impl SqliteStore {
    /// Opens the store in that file; where there is none, makes it, with its directory. An older schema is brought to the newest after a
    /// copy of the file was made beside it.
    ///
    /// # Errors
    /// Every file that isn't a whole store is refused unchanged: an empty one, a damaged one, another program's, one of a newer schema. So
    /// is one on a network file system. Others tell of missing rights, a full disk, or a lock that was held too long.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> StoreResult<Self> {
        open::open(path.as_ref(), &options, migrate::MIGRATIONS)
    }

    /// Does `work` in one transaction that sees the file as it is at its beginning.
    fn read<T>(&self, doing: &str, work: impl FnOnce(&Connection) -> Outcome<T>) -> StoreResult<T> {
        self.home.check()?;
        let told = |fault: fault::Fault| fault.tell(self.home.path(), doing);
        let kept = self.readers.lock().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => open::reader(self.home.path(), &self.options).map_err(told)?,
        };
        let done = writer::patiently(self.options.busy_timeout, || Ok(connection.unchecked_transaction()?))
            .and_then(|_transaction| work(&connection))
            .map_err(told)?;
        let mut readers = self.readers.lock();
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        Ok(done)
    }

    /// Does all of `work` in one transaction, or nothing.
    fn write<T>(&self, doing: &str, work: impl FnOnce(&mut Writing<'_>) -> Outcome<T>) -> StoreResult<T> {
        let writer = self.writer.as_ref().ok_or_else(|| {
            let message = format!(
                "can't {doing}: {} was opened to be read only",
                self.home.path().display()
            );
            StoreError::new(StoreErrorKind::ReadOnly, message).advise("open it without `read_only`")
        })?;
        // Before the lock: in a forked process its holder may not exist.
        self.home.check()?;
        let done = writer.lock().write(&self.home, self.schema, work);
        done.map_err(|fault| fault.tell(self.home.path(), doing))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if self.home.is_forked() {
            // Closing would remove the log that the parent process still writes.
            std::mem::forget(self.writer.take());
            std::mem::forget(std::mem::take(self.readers.get_mut()));
        } else {
            // Last is the one that can write: it brings the log into the file.
            self.readers.get_mut().clear();
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.home.path())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    fn location(&self) -> String {
        format!("sqlite:{}", self.home.path().display())
    }

    fn register(&self, process: &ProcessIdentity, lease: Duration) -> StoreResult<u32> {
        process::register(self, process, lease)
    }

    fn heartbeat(&self, process: u32, lease: Duration) -> StoreResult<Beat> {
        process::heartbeat(self, process, lease)
    }

    fn leave(&self, process: u32) -> StoreResult<()> {
        process::bury(self, process, "its process ended").map(|_| ())
    }

    fn processes(&self, ended: bool) -> StoreResult<Vec<ProcessRow>> {
        self.read("list the processes", |connection| process::processes(connection, ended))
    }

    fn bury(&self, process: u32, why: &str) -> StoreResult<u64> {
        process::bury(self, process, why)
    }

    fn apply(&self, batch: &Batch) -> StoreResult<()> {
        self.write("write runs", |writing| write::apply(writing, batch))
    }

    fn claim(&self, run: RunId, process: u32, at: i64) -> StoreResult<Claimed> {
        self.write("claim a run", |writing| durable::claim(writing, run, process, at))
    }

    fn recorded(&self, parent: RunNumber) -> StoreResult<Vec<Recorded>> {
        self.read("read recorded calls", |connection| {
            durable::recorded(connection, parent)
        })
    }

    fn cached(&self, definition_key: &str, cache_key: &str, now: i64) -> StoreResult<Option<Box<[u8]>>> {
        self.read("read a cached result", |connection| {
            durable::cached(connection, definition_key, cache_key, now)
        })
    }

    fn run(&self, id: RunId) -> StoreResult<Option<RunRow>> {
        self.read("read a run", |connection| read::run(connection, id))
    }

    fn run_numbered(&self, number: RunNumber) -> StoreResult<Option<RunRow>> {
        self.read("read a run", |connection| read::run_numbered(connection, number))
    }

    fn ids(&self, prefix: &str, limit: usize) -> StoreResult<Vec<RunId>> {
        self.read("look for ids", |connection| read::ids(connection, prefix, limit))
    }

    fn runs(&self, query: &RunQuery) -> StoreResult<Page<RunRow>> {
        self.read("list runs", |connection| select::runs(connection, query))
    }

    fn groups(&self, parent: RunNumber) -> StoreResult<Vec<Group>> {
        self.read("fold runs", |connection| read::groups(connection, parent))
    }

    fn counts(&self, root: RunNumber) -> StoreResult<Vec<Count>> {
        self.read("count runs", |connection| read::counts(connection, root))
    }

    fn states(&self, run: RunNumber) -> StoreResult<Vec<State>> {
        self.read("read states", |connection| read::states(connection, run))
    }

    fn result(&self, run: RunNumber) -> StoreResult<Option<(Box<[u8]>, bool)>> {
        self.read("read a result", |connection| read::result(connection, run))
    }

    fn logs(&self, query: &LogQuery) -> StoreResult<Page<LogRow>> {
        self.read("read a log", |connection| read::logs(connection, query))
    }

    fn edges(&self, parent: RunNumber, limit: usize) -> StoreResult<Vec<Edge>> {
        self.read("read dependencies", |connection| read::edges(connection, parent, limit))
    }

    fn request_cancel(&self, run: RunId, at: i64) -> StoreResult<bool> {
        self.write("ask for a cancellation", |writing| {
            durable::request_cancel(writing, run, at)
        })
    }

    fn delete(&self, root: RunId) -> StoreResult<u64> {
        upkeep::delete(self, root)
    }

    fn prune(&self, before: i64, limit: usize) -> StoreResult<u64> {
        upkeep::prune(self, before, limit)
    }

    fn check(&self, deep: bool) -> StoreResult<Health> {
        self.read("look over the store", |connection| {
            check::check(connection, &self.home, self.schema, deep)
        })
    }
}
