//! What a value is serialised into. One function per type serves all of them, so that a type is compiled once.

use std::io;

use serde::Serialize;

use super::deep::Deep;
use crate::engine::Canonical;

/// Where a value goes.
pub enum Sink<'a, 'b> {
    /// JSON, up to a bound.
    Json(&'a mut Limited<'b>),
    /// Its canonical hash.
    Hash(&'a mut Canonical),
}

impl Sink<'_, '_> {
    /// Serialises a value, however deep.
    #[inline]
    pub fn take<T: Serialize + ?Sized>(self, value: &T) -> Result<(), serde_json::Error> {
        match self {
            Sink::Json(out) => {
                let mut json = serde_json::Serializer::new(out);
                value.serialize(Deep(&mut json))
            }
            Sink::Hash(canonical) => value.serialize(canonical),
        }
    }
}

/// A writer that stops the serialiser when the bound is reached, so that nothing beyond it is ever serialised.
pub struct Limited<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
    cut: bool,
}

impl<'a> Limited<'a> {
    /// Writes `limit` bytes at most behind those of `out`.
    pub(crate) fn new(out: &'a mut Vec<u8>, limit: usize) -> Self {
        Self {
            end: out.len().saturating_add(limit),
            out,
            cut: false,
        }
    }

    /// Whether there was more.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }
}

impl io::Write for Limited<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = self.end - self.out.len();
        if bytes.len() > room {
            self.out.extend_from_slice(&bytes[..room]);
            self.cut = true;
            return Err(io::Error::other("the record's limit"));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
