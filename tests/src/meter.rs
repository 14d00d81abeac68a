//! Counts how many bodies are at work at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts who is inside, and the most there ever were. Clones are the same meter.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    inside: AtomicUsize,
    most: AtomicUsize,
    total: AtomicUsize,
}

impl Meter {
    /// A meter at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one more for the time of `code`, in which others get their chance to run.
    pub fn during<T>(&self, code: impl FnOnce() -> T) -> T {
        let counts = &*self.0;
        counts.total.fetch_add(1, Ordering::SeqCst);
        let inside = counts.inside.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most.fetch_max(inside, Ordering::SeqCst);
        std::thread::yield_now();
        let done = code();
        counts.inside.fetch_sub(1, Ordering::SeqCst);
        done
    }

    /// Counts a moment of work.
    pub fn work(&self) {
        self.during(|| ());
    }

    /// The most that were ever inside at once.
    #[must_use]
    pub fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }

    /// How often anybody was inside.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.total.load(Ordering::SeqCst)
    }
}
