//! The file and its neighbours: what is there, who it is, and how a new one comes to be.

use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::fault::{MOVED, corrupt};
use super::schema::APPLICATION_ID;
use crate::failpoint;
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// The directory that a file is in.
pub(super) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// `path` with something at its end: SQLite names a database's other files so.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// How many bytes a file has; none if it isn't there.
pub(super) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// Trouble with a file, outside of SQLite.
pub(super) fn io_error(path: &Path, doing: &str, error: &std::io::Error) -> StoreError {
    let (kind, advice) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            (StoreErrorKind::Full, "free some space")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            StoreErrorKind::ReadOnly,
            "see that the file and its directory can be read and written by this user",
        ),
        _ => (
            StoreErrorKind::Unreachable,
            "see that the path is right and can be reached",
        ),
    };
    StoreError::new(kind, format!("can't {doing} {}: {error}", path.display())).advise(advice)
}

/// Makes a directory with those above it, for this user only.
pub(super) fn make_directory(path: &Path) -> StoreResult<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| io_error(path, "make the directory", &error))
}

/// Makes an empty file, for this user only. SQLite gives its other files the same rights.
pub(super) fn make_file(path: &Path) -> StoreResult<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| io_error(path, "make", &error))?;
    Ok(())
}

/// Gives a file that is written whole its name, unless another has that name already; false then.
pub(super) fn publish(file: &Path, name: &Path) -> StoreResult<bool> {
    let told = |error: std::io::Error| io_error(name, "make", &error);
    fs::File::open(file).and_then(|file| file.sync_all()).map_err(told)?;
    let linked = match fs::hard_link(file, name) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
        // A file system without links. Two processes that come here at the same moment give the name to equal files.
        Err(_) if name.exists() => false,
        Err(_) => return fs::rename(file, name).map(|()| true).map_err(told),
    };
    failpoint!("sqlite::published");
    // It has its name: one that can't be removed is only litter.
    let _ = fs::remove_file(file);
    sync_directory(name);
    Ok(linked)
}

/// Makes the names in a file's directory survive a loss of power, where the system can do that.
pub(super) fn sync_directory(path: &Path) {
    // Some file systems refuse it, and need it not.
    let _ = fs::File::open(directory(path)).and_then(|directory| directory.sync_all());
}

/// What is found where a store should be.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Found {
    Nothing,
    /// A store, by its header of this version.
    Store(i32),
}

/// Looks without changing a byte.
pub(super) fn look(path: &Path) -> StoreResult<Found> {
    let told = |error: std::io::Error| io_error(path, "read", &error);
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(told(error)),
    };
    if !meta.is_file() {
        return Err(
            StoreError::new(StoreErrorKind::Unreachable, format!("{} isn't a file", path.display()))
                .advise("give the path of a file"),
        );
    }
    if meta.len() == 0 {
        return Err(corrupt(path, "is empty"));
    }
    let mut header = [0; 100];
    let mut file = fs::File::open(path).map_err(told)?;
    match file.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(corrupt(path, "is no SQLite database")),
        Err(error) => return Err(told(error)),
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(corrupt(path, "is no SQLite database"));
    }
    let number = |at: usize| i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if number(68) != APPLICATION_ID {
        return Err(corrupt(path, "is the database of another program"));
    }
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u64::from(number(28).unsigned_abs());
    // What a checkpoint has not brought into the file yet stands in the log.
    if size(&beside(path, "-wal")) == 0 && meta.len() < pages.saturating_mul(page) {
        let left = meta.len() / page.max(1);
        return Err(corrupt(
            path,
            &format!("is truncated: {left} of its {pages} pages are left"),
        ));
    }
    Ok(Found::Store(number(60)))
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Inode {
    device: u64,
    number: u64,
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<Inode> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(path).ok()?;
    Some(Inode {
        device: meta.dev(),
        number: meta.ino(),
    })
}

#[cfg(not(unix))]
fn inode(path: &Path) -> Option<Inode> {
    // Open files can't be moved or deleted there.
    path.exists().then_some(Inode { device: 0, number: 0 })
}

/// The files that are open, to see whether they are still the ones of that name, and the process that opened them.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    log: PathBuf,
    file: Option<Inode>,
    log_file: Option<Inode>,
    process: u32,
}

impl Home {
    /// The files as they are now; without the log, where nothing is written.
    pub(super) fn of(path: &Path, with_log: bool) -> Self {
        let log = beside(path, "-wal");
        Self {
            path: path.to_owned(),
            file: inode(path),
            log_file: if with_log { inode(&log) } else { None },
            log,
            process: std::process::id(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The write-ahead log's path.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Whether this process was forked from the one that opened the files: SQLite's connections don't survive that.
    pub(super) fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// Refuses to go on where that would lose what is written, or damage the file.
    pub(super) fn check(&self) -> StoreResult<()> {
        let place = self.path.display();
        if self.is_forked() {
            return Err(StoreError::new(
                StoreErrorKind::Refused,
                format!("{place} was opened before this process was forked"),
            )
            .advise("open the store in the process that uses it, after the fork"));
        }
        if inode(&self.path) != self.file {
            return Err(StoreError::new(StoreErrorKind::Unreachable, format!("{place} is gone")).advise(MOVED));
        }
        if self.log_file.is_some() && inode(&self.log) != self.log_file {
            let message = format!("the log {} is gone", self.log.display());
            return Err(StoreError::new(StoreErrorKind::Unreachable, message).advise(
                "never delete or move a database's -wal and -shm files; end all processes that use it and start again",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beside() {
        assert_eq!(beside(Path::new("/x/flow.db"), "-wal"), Path::new("/x/flow.db-wal"));
        assert_eq!(directory(Path::new("flow.db")), Path::new("."));
        assert_eq!(directory(Path::new("/x/flow.db")), Path::new("/x"));
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(look(Path::new("/no/such/place/flow.db")).unwrap(), Found::Nothing);
        assert_eq!(look(Path::new("/")).unwrap_err().kind(), StoreErrorKind::Unreachable);
    }
}
