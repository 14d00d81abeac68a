//! From one version of the schema to the next, and from nothing to the newest.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::fault::{Fault, Outcome, corrupt};
use super::files::{beside, io_error, make_file, publish, sync_directory};
use super::schema::{self, APPLICATION_ID};
use crate::failpoint;
use crate::store::{StoreError, StoreErrorKind};

/// What makes a store of the version before one of this version.
pub(super) struct Migration {
    pub(super) version: i32,
    pub(super) statements: fn() -> String,
}

/// All there are, oldest first.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    statements: schema::version_1,
}];

/// The newest version that this build knows.
pub(super) fn newest(migrations: &[Migration]) -> i32 {
    migrations.last().map_or(0, |migration| migration.version)
}

/// A store of a version to come.
pub(super) fn newer(path: &Path, found: i32, known: i32) -> StoreError {
    let message = format!(
        "database {} is schema {found}, this build knows {known}",
        path.display()
    );
    StoreError::new(StoreErrorKind::Newer, message).advise("use the newer program, or another file")
}

pub(super) fn version_of(connection: &Connection) -> rusqlite::Result<i32> {
    connection
        .prepare_cached("PRAGMA user_version")?
        .query_row([], |row| row.get(0))
}

/// Makes a new store. It gets its name when it is whole, so nobody ever sees half of one; if another was quicker, its file stays.
pub(super) fn create(path: &Path, migrations: &[Migration]) -> Outcome<()> {
    let draft = draft_of(path);
    let made = write_new(&draft, migrations).and_then(|()| {
        failpoint!("sqlite::drafted");
        Ok(publish(&draft, path)?)
    });
    if made.is_err() {
        discard(&draft);
    }
    made.map(|_| ())
}

fn write_new(draft: &Path, migrations: &[Migration]) -> Outcome<()> {
    make_file(draft)?;
    let connection = Connection::open_with_flags(
        draft,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
    failpoint!("sqlite::half-drafted");
    step(&transaction, 0, migrations)?;
    transaction.commit()?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Brings a store to the newest version, after a copy of it: `flow.db.schema-1.backup`. Of several processes that begin at the same
/// time one does it.
pub(super) fn migrate(connection: &Connection, path: &Path, migrations: &[Migration]) -> Outcome<()> {
    let known = newest(migrations);
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Under the lock: another process may have done it meanwhile.
    let found = version_of(&transaction)?;
    if found > known {
        return Err(newer(path, found, known).into());
    }
    if found < 1 {
        return Err(corrupt(path, &format!("has no schema that was ever used: {found}")).into());
    }
    if found == known {
        return Ok(());
    }
    failpoint!("sqlite::before-backup");
    back_up(path, found)?;
    failpoint!("sqlite::backed-up");
    step(&transaction, found, migrations)?;
    failpoint!("sqlite::migrated");
    transaction.commit()?;
    failpoint!("sqlite::migration-committed");
    tracing::info!(path = %path.display(), from = found, to = known, "the store was brought to a newer schema");
    Ok(())
}

fn step(connection: &Connection, found: i32, migrations: &[Migration]) -> rusqlite::Result<()> {
    for migration in migrations.iter().filter(|migration| migration.version > found) {
        connection.execute_batch(&(migration.statements)())?;
        failpoint!("sqlite::half-migrated");
        connection.pragma_update(None, "user_version", migration.version)?;
    }
    Ok(())
}

/// Copies the store as it is. The caller holds the lock, so nobody writes meanwhile.
fn back_up(path: &Path, version: i32) -> Outcome<()> {
    let copy = beside(path, &format!(".schema-{version}.backup"));
    let draft = draft_of(&copy);
    let made = copy_to(path, &draft).and_then(|()| {
        failpoint!("sqlite::half-backed-up");
        // An older copy of the same version is older than this.
        fs::rename(&draft, &copy).map_err(|error| io_error(&copy, "make the backup", &error))?;
        sync_directory(&copy);
        Ok(())
    });
    if made.is_err() {
        discard(&draft);
    }
    made
}

fn copy_to(path: &Path, draft: &Path) -> Outcome<()> {
    make_file(draft)?;
    let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let name = draft
        .to_str()
        .ok_or_else(|| Fault::from(corrupt(path, "has a name that isn't UTF-8: no backup can be made")))?;
    reader.execute("VACUUM INTO ?1", [name])?;
    let told = |error| io_error(draft, "write the backup", &error);
    fs::File::open(draft).and_then(|file| file.sync_all()).map_err(told)?;
    Ok(())
}

/// A name that no other process uses.
fn draft_of(path: &Path) -> PathBuf {
    beside(path, &format!(".{}-{:x}.draft", std::process::id(), fastrand::u64(..)))
}

fn discard(draft: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        // It may not be there, and if it can't be removed it is only litter.
        let _ = fs::remove_file(beside(draft, suffix));
    }
}
