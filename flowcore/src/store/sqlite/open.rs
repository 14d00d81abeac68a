//! Opening a store: what must hold before anything is written.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::fault::{Fault, Outcome, corrupt};
use super::files::{Found, Home, beside, directory, look, make_directory, size};
use super::migrate::{self, Migration, newest, version_of};
use super::schema::APPLICATION_ID;
use super::writer::Writer;
use super::{SqliteOptions, SqliteStore, network};
use crate::store::{Durability, StoreError, StoreErrorKind, StoreResult};

/// Older ones can damage a database whose log is restarted while another connection writes.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Up to this size all pages are looked at when a store is opened.
const CHECKED_AT_OPEN: u64 = 1 << 20;

/// The log is brought into the file when it has that many pages.
const CHECKPOINT_PAGES: i64 = 4_000;

/// Bytes to which the log is cut when it begins anew.
const LOG_KEPT: i64 = 16 << 20;

pub(super) fn open(path: &Path, options: &SqliteOptions, migrations: &'static [Migration]) -> StoreResult<SqliteStore> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        let message = format!("SQLite {} is linked; 3.51.3 or newer is needed", rusqlite::version());
        return Err(StoreError::new(StoreErrorKind::Refused, message).advise("build with the bundled SQLite"));
    }
    network::refuse(path)?;
    let known = newest(migrations);
    match look(path)? {
        Found::Store(version) if version > known => return Err(migrate::newer(path, version, known)),
        Found::Store(_) => {}
        Found::Nothing if options.read_only => {
            return Err(
                StoreError::new(StoreErrorKind::Unreachable, format!("{} doesn't exist", path.display()))
                    .advise("give the path of a store, or open it to write: then it is made"),
            );
        }
        Found::Nothing => {
            make_directory(directory(path))?;
            migrate::create(path, migrations).map_err(|fault| fault.tell(path, "make a store"))?;
        }
    }
    // SQLite names the other files after the one that a link leads to.
    let path = &path
        .canonicalize()
        .map_err(|error| super::files::io_error(path, "find", &error))?;
    let told = |fault: Fault| fault.tell(path, "open the store");
    // Reads the header again, with what the log has of it, and writes nothing.
    let first = reader(path, options).map_err(|fault| told(access(fault, path, options)))?;
    first_look(&first, path, options, known).map_err(told)?;
    let writer = if options.read_only {
        None
    } else {
        Some(writer(path, options, migrations).map_err(|fault| told(access(fault, path, options)))?)
    };
    Ok(SqliteStore {
        home: Home::of(path, writer.is_some()),
        options: options.clone(),
        schema: known,
        writer: writer.map(|connection| parking_lot::Mutex::new(Writer::new(connection, options.busy_timeout))),
        readers: parking_lot::Mutex::new(vec![first]),
    })
}

fn first_look(reader: &Connection, path: &Path, options: &SqliteOptions, known: i32) -> Outcome<()> {
    let version = version_of(reader)?;
    if version > known {
        return Err(migrate::newer(path, version, known).into());
    }
    if version < known && options.read_only {
        let message = format!(
            "database {} is schema {version}, this build reads {known}",
            path.display()
        );
        return Err(StoreError::new(StoreErrorKind::ReadOnly, message)
            .advise("open it once to write, which brings it to the newer schema")
            .into());
    }
    if size(path) <= CHECKED_AT_OPEN {
        let found: String = reader.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(corrupt(path, &format!("is damaged: {}", found.replace('\n', " "))).into());
        }
        // Pages of tables alike that changed places are in order, one by one.
        if version == known && super::check::wrong_counts(reader)? > 0 {
            return Err(corrupt(path, "is damaged: its runs don't agree with their counts").into());
        }
    }
    Ok(())
}

/// Told as what it is: SQLite says "unable to open database file" where a directory can't be written.
fn access(fault: Fault, path: &Path, options: &SqliteOptions) -> Fault {
    if options.read_only || !fault.is_about_access() {
        return fault;
    }
    StoreError::new(
        StoreErrorKind::ReadOnly,
        format!("{} or its directory can't be written by this user", path.display()),
    )
    .advise("give this user the right to write both, or open it read-only")
    .into()
}

/// A connection that can't write.
pub(super) fn reader(path: &Path, options: &SqliteOptions) -> Outcome<Connection> {
    match connect_reader(path, options, false) {
        // A directory that can't be written has no room for the log's index, but a file without a log needs none.
        Err(fault) if fault.is_about_access() && options.read_only && size(&beside(path, "-wal")) == 0 => {
            connect_reader(path, options, true)
        }
        other => other,
    }
}

fn connect_reader(path: &Path, options: &SqliteOptions, immutable: bool) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if immutable {
        Connection::open_with_flags(uri(path)?, flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    prepare(&connection, options.busy_timeout)?;
    connection.pragma_update(None, "query_only", true)?;
    verify(&connection, path, "query_only", 1)?;
    verify(&connection, path, "application_id", i64::from(APPLICATION_ID))?;
    Ok(connection)
}

fn writer(path: &Path, options: &SqliteOptions, migrations: &[Migration]) -> Outcome<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    if connection.is_readonly(MAIN_DB)? {
        return Err(
            rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY), None).into(),
        );
    }
    prepare(&connection, options.busy_timeout)?;
    let mode: String = super::writer::patiently(options.busy_timeout, || {
        Ok(connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?)
    })?;
    let synchronous = match options.durability {
        Durability::Full => 2,
        Durability::Normal => 1,
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_KEPT, |_| Ok(()))?;
    if let Some(bytes) = options.max_bytes {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        connection.pragma_update_and_check(None, "max_page_count", pages.clamp(1, 0xffff_fffe), |_| Ok(()))?;
    }
    if mode != "wal" {
        let message = format!(
            "{} can't have a write-ahead log: its journal mode is {mode}",
            path.display()
        );
        return Err(StoreError::new(StoreErrorKind::Refused, message)
            .advise("keep it on a local disk whose file system has shared memory")
            .into());
    }
    verify(&connection, path, "synchronous", synchronous)?;
    verify(&connection, path, "foreign_keys", 1)?;
    verify(&connection, path, "application_id", i64::from(APPLICATION_ID))?;
    super::writer::patiently(options.busy_timeout, || migrate::migrate(&connection, path, migrations))?;
    Ok(connection)
}

fn prepare(connection: &Connection, busy_timeout: Duration) -> Outcome<()> {
    connection.busy_timeout(busy_timeout.min(Duration::from_secs(86_400)))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Finds some damage when a page is read instead of when it is trusted.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

/// A misspelt pragma is no error to SQLite, and one that can't be fulfilled isn't either: so what matters is read back.
fn verify(connection: &Connection, path: &Path, pragma: &str, wanted: i64) -> Outcome<()> {
    let found: i64 = connection.pragma_query_value(None, pragma, |row| row.get(0))?;
    if found == wanted {
        return Ok(());
    }
    if pragma == "application_id" {
        return Err(corrupt(path, "is the database of another program").into());
    }
    let message = format!("{}: PRAGMA {pragma} is {found} instead of {wanted}", path.display());
    Err(StoreError::new(StoreErrorKind::Refused, message)
        .advise("build with the bundled SQLite")
        .into())
}

/// The path as a URI that says that nobody writes the file.
fn uri(path: &Path) -> Outcome<String> {
    let text = path
        .to_str()
        .ok_or_else(|| Fault::from(corrupt(path, "has a name that isn't UTF-8")))?;
    let mut uri = String::from("file:");
    for character in text.chars() {
        match character {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            other => uri.push(other),
        }
    }
    uri.push_str("?immutable=1");
    Ok(uri)
}
