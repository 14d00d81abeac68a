//! SQLite's errors, told as a store's.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::store::{StoreError, StoreErrorKind};

/// Trouble on the way: SQLite's, or one that is told already.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Told(StoreError),
}

pub(super) type Outcome<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Told(error)
    }
}

impl Fault {
    /// What a user is told of it. `doing` completes "can't …".
    pub(super) fn tell(self, path: &Path, doing: &str) -> StoreError {
        match self {
            Self::Told(error) => error,
            Self::Sqlite(error) => tell(&error, path, doing),
        }
    }

    /// Whether somebody else holds a lock, so that waiting may help.
    pub(super) fn is_busy(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed)
        )
    }

    /// Whether a file couldn't be opened, or not be written.
    pub(super) fn is_about_access(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
        )
    }
}

/// A file that isn't what it should be.
pub(super) fn corrupt(path: &Path, what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("{} {what}", path.display()))
        .advise("nothing was changed; put a backup in its place, or move it away to begin anew")
}

fn tell(error: &rusqlite::Error, path: &Path, doing: &str) -> StoreError {
    use StoreErrorKind as Kind;
    let place = path.display();
    let text = text_of(error);
    let Some(cause) = error.sqlite_error() else {
        // A value of another type than the schema's: somebody else wrote it.
        return corrupt(
            path,
            &format!("holds something that isn't flowcore's: can't {doing}: {text}"),
        );
    };
    let told = |kind: Kind, advice: &str| {
        StoreError::new(kind, format!("can't {doing} in {place}: {text}")).advise(advice.to_owned())
    };
    match cause.code {
        ErrorCode::DiskFull => told(Kind::Full, "free some space, or delete old runs with `prune`"),
        ErrorCode::ReadOnly if cause.extended_code == ffi::SQLITE_READONLY_DBMOVED => told(Kind::Unreachable, MOVED),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => told(
            Kind::ReadOnly,
            "see that the file and its directory can be written by this user, or open it read-only",
        ),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            corrupt(path, &format!("is damaged: can't {doing}: {text}"))
        }
        ErrorCode::SystemIoFailure => match cause.extended_code {
            ffi::SQLITE_IOERR_SHORT_READ => corrupt(path, &format!("is truncated: can't {doing}: {text}")),
            ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_FSYNC if no_room(path) => {
                told(Kind::Full, "free some space, or raise the limit on file sizes")
            }
            _ => told(
                Kind::Other,
                "see whether the disk is in order and its quota not used up; then try again",
            ),
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => StoreError::new(
            Kind::Locked,
            format!("can't {doing}: another process kept writing {place}"),
        )
        .advise("see which one it is (`fuser`, `lsof`), and try again when it is done"),
        ErrorCode::CannotOpen => told(
            Kind::Unreachable,
            "see that the file and its directory exist and can be reached",
        ),
        ErrorCode::TooBig => told(Kind::Refused, "a single value may take up to 1,000,000,000 bytes"),
        ErrorCode::ConstraintViolation => told(Kind::Refused, "the ids and numbers of runs must be unique"),
        _ => told(Kind::Other, "try again; if it stays, look at it with `doctor`"),
    }
}

pub(super) const MOVED: &str = "the file was moved, deleted or replaced while it was open: put it back and start again";

fn text_of(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether the disk is full, or the file as large as this process may make it: SQLite tells neither apart from a broken disk.
#[cfg(unix)]
fn no_room(path: &Path) -> bool {
    const LEAST: u64 = 1 << 20;
    let directory = super::files::directory(path);
    let full = rustix::fs::statvfs(directory).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Fsize).current;
    full || limit.is_some_and(|limit| {
        [path.to_owned(), super::files::beside(path, "-wal")]
            .iter()
            .any(|file| std::fs::metadata(file).is_ok_and(|file| file.len().saturating_add(LEAST) > limit))
    })
}

#[cfg(not(unix))]
fn no_room(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: i32) -> StoreError {
        Fault::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
            .tell(Path::new("/x/flow.db"), "write runs")
    }

    #[test]
    fn every_error_names_the_file_and_says_what_to_do() {
        for code in 1..=28 {
            let text = told(code).to_string();
            assert!(text.contains("/x/flow.db") && text.contains("; "), "{code}: {text}");
            assert!(!text.contains("database is locked"), "{code}: {text}");
        }
    }

    #[test]
    fn kinds() {
        assert_eq!(told(ffi::SQLITE_FULL).kind(), StoreErrorKind::Full);
        assert_eq!(told(ffi::SQLITE_BUSY).kind(), StoreErrorKind::Locked);
        assert_eq!(told(ffi::SQLITE_NOTADB).kind(), StoreErrorKind::Corrupt);
        assert_eq!(told(ffi::SQLITE_READONLY).kind(), StoreErrorKind::ReadOnly);
        assert_eq!(told(ffi::SQLITE_READONLY_DBMOVED).kind(), StoreErrorKind::Unreachable);
        assert_eq!(told(ffi::SQLITE_CANTOPEN).kind(), StoreErrorKind::Unreachable);
    }
}
