//! The hash of a directory.
//!
//! It is BLAKE3, in a mode of its own (`derive_key`), so that no file has the hash of a directory, over
//!
//! ```text
//! number of entries
//! for each entry, in the order of the names' bytes:
//!     kind      F file, D directory, L symbolic link, S special file, U unreadable
//!     length of the name, the name
//!     length of the payload, the payload
//! ```
//!
//! with numbers as 8 bytes, little-endian. The payload is, by kind: F the file's length and the BLAKE3 of its bytes; D the
//! directory's hash; L where the link points to; S what it is, such as `FIFO`; U nothing. Every field has a fixed length or its
//! length before it, so two different lists of entries never give the same bytes. Times, owners and permissions don't count.

use std::ffi::OsStr;

use crate::listing::Kind;

const CONTEXT: &str = "flowcore examples tree_pipeline directory 1";

pub(crate) type Hash = [u8; 32];

pub(crate) struct Directory(blake3::Hasher);

impl Directory {
    pub(crate) fn new(entries: usize) -> Self {
        let mut directory = Self(blake3::Hasher::new_derive_key(CONTEXT));
        directory.number(entries as u64);
        directory
    }

    /// Adds the next entry; without a payload it is an unreadable one.
    pub(crate) fn add(&mut self, kind: &Kind, name: &OsStr, payload: Option<&[u8]>) {
        let kind = match (kind, payload) {
            (Kind::Unreadable(_), _) | (_, None) => b'U',
            (Kind::File, _) => b'F',
            (Kind::Directory, _) => b'D',
            (Kind::Link { .. }, _) => b'L',
            (Kind::Special(_), _) => b'S',
        };
        self.0.update(&[kind]);
        self.field(name.as_encoded_bytes());
        self.field(payload.unwrap_or_default());
    }

    pub(crate) fn hash(&self) -> Hash {
        *self.0.finalize().as_bytes()
    }

    fn field(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }
}
