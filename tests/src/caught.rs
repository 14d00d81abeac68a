//! Proof that a case of the suite for stores can fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use flowcore::store::{MemoryStore, conformance};

use crate::Altered;

/// Stores that `faulty` makes fail the case of that name, and the store without the fault doesn't.
///
/// # Panics
/// If the case finds nothing, or there is no such case.
pub fn caught(case: &str, faulty: impl Fn(Altered) -> Altered) {
    let Some(found) = conformance::cases().find(|known| known.to_string() == case) else {
        panic!("there is no case {case}");
    };
    let run = || found.run(&|| Arc::new(faulty(Altered::new(Arc::new(MemoryStore::new())))));
    let Err(panic) = catch_unwind(AssertUnwindSafe(run)) else {
        panic!("{case} finds nothing");
    };
    let message = panic.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
    assert!(message.contains(case), "the message names the case: {message}");
    found.run(&|| Arc::new(MemoryStore::new()));
}
