//! A count of the bodies that were really called.

use std::sync::atomic::{AtomicU32, Ordering};

/// How often a body was called, whatever the store says. For a `static`.
#[derive(Debug, Default)]
pub struct Bodies(AtomicU32);

impl Bodies {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Counts one more; gives how many were before it.
    pub fn called(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    /// Forgets them; gives how many there were.
    pub fn take(&self) -> u32 {
        self.0.swap(0, Ordering::SeqCst)
    }
}
