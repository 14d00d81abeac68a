//! What stands in a directory, without following links and without ever waiting for one that never answers.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::path::Path;

/// Left out unless asked for.
const SKIPPED: [&str; 2] = ["target", ".git"];

pub(crate) struct Entry {
    pub(crate) name: OsString,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    File,
    Directory,
    Link {
        target: OsString,
        /// It leads to itself, or to a directory around it.
        is_loop: bool,
    },
    Special(&'static str),
    Unreadable(String),
}

impl Entry {
    /// What stands for the entry in its directory's hash, as far as the listing tells.
    pub(crate) fn payload(&self) -> Option<Vec<u8>> {
        match &self.kind {
            Kind::Link { target, .. } => Some(target.as_encoded_bytes().to_vec()),
            Kind::Special(what) => Some(what.as_bytes().to_vec()),
            Kind::File | Kind::Directory | Kind::Unreadable(_) => None,
        }
    }
}

/// The entries of `dir`, sorted by the bytes of their names.
pub(crate) fn list(dir: &Path, all: bool) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = match entry.file_type() {
            Ok(kind) if kind.is_dir() && !all && is_skipped(&name) => continue,
            Ok(kind) => kind_of(kind, dir, &entry.path()),
            Err(error) => Kind::Unreadable(error.to_string()),
        };
        entries.push(Entry { name, kind });
    }
    entries.sort_unstable_by(|a, b| a.name.as_encoded_bytes().cmp(b.name.as_encoded_bytes()));
    Ok(entries)
}

fn is_skipped(name: &OsStr) -> bool {
    SKIPPED.iter().any(|skipped| name == *skipped)
}

fn kind_of(kind: FileType, dir: &Path, path: &Path) -> Kind {
    if kind.is_file() {
        Kind::File
    } else if kind.is_dir() {
        Kind::Directory
    } else if kind.is_symlink() {
        match fs::read_link(path) {
            Ok(target) => Kind::Link {
                target: target.into_os_string(),
                is_loop: is_loop(dir, path),
            },
            Err(error) => Kind::Unreadable(error.to_string()),
        }
    } else {
        Kind::Special(special(kind))
    }
}

/// Whether who followed the link would never come to an end. A link to nowhere is none.
fn is_loop(dir: &Path, link: &Path) -> bool {
    match (dir.canonicalize(), link.canonicalize()) {
        (Ok(dir), Ok(target)) => dir.starts_with(target),
        (_, Err(error)) => is_link_loop(&error),
        (Err(_), _) => false,
    }
}

/// Opens a regular file to read, and tells its length. What has become something else since it was listed is an error: opening a
/// FIFO would wait for a writer.
pub(crate) fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOFOLLOW);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata.len()))
    } else {
        Err(io::Error::other("it is no regular file any more"))
    }
}

#[cfg(unix)]
fn is_link_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}

#[cfg(not(unix))]
fn is_link_loop(_: &io::Error) -> bool {
    false
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "FIFO"
    } else if kind.is_socket() {
        "socket"
    } else if kind.is_block_device() {
        "block device"
    } else if kind.is_char_device() {
        "character device"
    } else {
        "special file"
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "special file"
}
