//! The one connection that writes, and what comes with it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::fault::Outcome;
use super::files::{Home, size};
use super::migrate::{newer, version_of};
use super::wal::Wal;
use crate::failpoint;
use crate::store::batch::DefinitionRow;

/// The connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    definitions: Definitions,
    wal: Wal,
    busy_timeout: Duration,
}

/// What a transaction works with.
pub(super) struct Writing<'a> {
    pub(super) connection: &'a Connection,
    pub(super) definitions: &'a mut Definitions,
}

impl Writer {
    pub(super) fn new(connection: Connection, busy_timeout: Duration) -> Self {
        Self {
            connection,
            definitions: Definitions::default(),
            wal: Wal::default(),
            busy_timeout,
        }
    }

    /// Does all of `work`, or nothing: it is rolled back if it fails or panics.
    pub(super) fn write<T>(
        &mut self,
        home: &Home,
        schema: i32,
        work: impl FnOnce(&mut Writing<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        home.check()?;
        let connection = &self.connection;
        let transaction = patiently(self.busy_timeout, || {
            Ok(Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?)
        })?;
        failpoint!("sqlite::begun");
        // Another program may have brought the file to a schema that this one doesn't know.
        let found = version_of(&transaction)?;
        if found != schema {
            return Err(newer(home.path(), found, schema).into());
        }
        let done = work(&mut Writing {
            connection,
            definitions: &mut self.definitions,
        });
        let done = done.and_then(|value| {
            failpoint!("sqlite::before-commit");
            transaction.commit()?;
            failpoint!("sqlite::committed");
            Ok(value)
        });
        if done.is_err() {
            // What was entered in this transaction isn't there now.
            self.definitions = Definitions::default();
        }
        self.wal.tend(connection, size(home.log()), self.busy_timeout);
        done
    }
}

/// Tries again while others hold a lock: SQLite's own waiting isn't fair, and doesn't cover all that can be locked.
pub(super) fn patiently<T>(busy_timeout: Duration, mut work: impl FnMut() -> Outcome<T>) -> Outcome<T> {
    let until = Instant::now() + busy_timeout.min(Duration::from_secs(86_400));
    loop {
        match work() {
            Err(fault) if fault.is_busy() && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(fastrand::u64(1..20)));
            }
            done => return done,
        }
    }
}

/// The codes of the definitions that were written lately.
#[derive(Default, Debug)]
pub(super) struct Definitions {
    /// The last one of each batch is mostly the next one's as well.
    recent: Vec<(Arc<DefinitionRow>, i64)>,
    codes: HashMap<Arc<DefinitionRow>, i64>,
}

impl Definitions {
    /// The definition's code; it is entered if it is new.
    pub(super) fn code(&mut self, connection: &Connection, definition: &Arc<DefinitionRow>) -> Outcome<i64> {
        let known = self.recent.iter().find(|(known, _)| Arc::ptr_eq(known, definition));
        if let Some((_, code)) = known {
            return Ok(*code);
        }
        let code = match self.codes.get(definition) {
            Some(code) => *code,
            None => {
                let code = code_of(connection, definition)?;
                self.codes.insert(definition.clone(), code);
                code
            }
        };
        if self.recent.len() == 16 {
            self.recent.remove(0);
        }
        self.recent.push((definition.clone(), code));
        Ok(code)
    }
}

fn code_of(connection: &Connection, definition: &DefinitionRow) -> Outcome<i64> {
    let kind = super::codes::kind_code(definition.kind);
    let (name, key, version) = (&definition.name, &definition.key, &definition.version);
    let values = rusqlite::params![kind, name, key, version];
    let known = connection
        .prepare_cached("SELECT code FROM definitions WHERE kind = ?1 AND name = ?2 AND key = ?3 AND version IS ?4")?
        .query_row(values, |row| row.get(0));
    match known {
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(connection
            .prepare_cached("INSERT INTO definitions (kind, name, key, version) VALUES (?1, ?2, ?3, ?4)")?
            .insert(values)?),
        found => Ok(found?),
    }
}
