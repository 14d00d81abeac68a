//! Every store keeps the promises of the trait.

use std::sync::Arc;

use flowcore::store::{MemoryStore, conformance};

#[test]
fn the_store_in_memory_conforms() {
    conformance::run(&|| Arc::new(MemoryStore::new()));
}
