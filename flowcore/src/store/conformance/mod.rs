//! Whether a store keeps the promises of [`Store`]: the tests that every implementation passes.
//!
//! Whoever writes a store runs them from a test of their own. [`run`] runs all of them; [`cases`] gives them one by one, for a harness
//! that shows each. Every case asks for stores of its own, empty ones.
//!
//! ```
//! use std::sync::Arc;
//! use flowcore::store::{MemoryStore, conformance};
//!
//! conformance::run(&|| Arc::new(MemoryStore::new()));
//! ```
//!
//! Where a case finds a broken promise it panics, and tells the case, the promise, and what it found instead.
//!
//! # Writing to a store in tests
//!
//! [`Writer`] is a process that writes to a store, and [`Draft`] a run that it writes, without an engine:
//!
//! ```
//! use std::sync::Arc;
//! use flowcore::store::conformance::Writer;
//! use flowcore::store::{MemoryStore, Store};
//!
//! let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
//! let writer = Writer::new(&store);
//! let mut flow = writer.flow("orders");
//! let mut task = writer.task_below(&flow, "charge");
//! flow.begin();
//! task.begin().complete("42");
//! writer.write([&mut flow, &mut task]);
//!
//! assert_eq!(store.run(task.id())?.unwrap().state.name(), "Completed");
//! assert_eq!(store.result(task.number())?.unwrap().0.as_ref(), b"42");
//! # Ok::<(), flowcore::store::StoreError>(())
//! ```

mod batches;
mod builder;
mod cached;
mod check;
mod concurrency;
mod counts;
mod durable;
mod logs;
mod paging;
mod processes;
mod reading;
mod requests;
mod text;
mod upkeep;
mod writing;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub use self::builder::{Draft, Writer, instant};
use super::Store;

/// One promise of a store's, as a test.
///
/// ```
/// use std::sync::Arc;
/// use flowcore::store::{MemoryStore, conformance};
///
/// let case = conformance::cases().next().unwrap();
/// println!("{case}");
/// case.run(&|| Arc::new(MemoryStore::new()));
/// ```
#[derive(Clone, Copy)]
pub struct Case {
    area: &'static str,
    name: &'static str,
    test: fn(&Make),
}

/// Makes an empty store.
type Make<'a> = dyn Fn() -> Arc<dyn Store> + 'a;

impl Case {
    /// What part of the contract it belongs to: `writing`, `paging` and so on.
    #[must_use]
    pub fn area(&self) -> &'static str {
        self.area
    }

    /// What it looks at, unique within its area.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs it on stores that `make` makes: each new and empty, wherever it is kept.
    ///
    /// # Panics
    /// If the store breaks the promise.
    pub fn run(&self, make: &dyn Fn() -> Arc<dyn Store>) {
        if let Some(trouble) = self.trouble(make) {
            panic!("{trouble}");
        }
    }

    fn trouble(&self, make: &Make) -> Option<String> {
        let panic = catch_unwind(AssertUnwindSafe(|| (self.test)(make))).err()?;
        let message = (panic.downcast_ref::<String>().map(String::as_str))
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a message");
        Some(format!("the store breaks a promise, case {self}: {message}"))
    }
}

/// `area::name`.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.area, self.name)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({self})")
    }
}

/// The cases of a file, named after their functions.
macro_rules! listed {
    ($area:literal: $($name:ident),* $(,)?) => {
        pub(super) const CASES: &[$crate::store::conformance::Case] = &[$(
            $crate::store::conformance::Case { area: $area, name: stringify!($name), test: $name }
        ),*];
    };
}
use listed;

/// All cases.
///
/// ```
/// use flowcore::store::conformance;
/// assert!(conformance::cases().any(|case| case.area() == "writing"));
/// ```
pub fn cases() -> impl Iterator<Item = Case> {
    let areas = [
        processes::CASES,
        writing::CASES,
        text::CASES,
        batches::CASES,
        counts::CASES,
        reading::CASES,
        paging::CASES,
        logs::CASES,
        durable::CASES,
        cached::CASES,
        requests::CASES,
        upkeep::CASES,
        concurrency::CASES,
    ];
    areas.into_iter().flatten().copied()
}

/// Runs all cases on stores that `make` makes: each new and empty, wherever it is kept.
///
/// # Panics
/// If the store breaks a promise. All cases are run before; the message tells of each that failed.
pub fn run(make: &dyn Fn() -> Arc<dyn Store>) {
    let troubles: Vec<String> = cases().filter_map(|case| case.trouble(make)).collect();
    if !troubles.is_empty() {
        panic!(
            "{} of {} cases failed\n{}",
            troubles.len(),
            cases().count(),
            troubles.join("\n")
        );
    }
}
