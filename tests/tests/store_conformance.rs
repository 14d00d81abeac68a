//! Every store keeps the promises of the trait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use flowcore::store::{
    Durability, Fault, FaultyStore, MemoryStore, SqliteOptions, SqliteStore, Store, StoreCall, StoreErrorKind,
    conformance,
};
use flowcore_tests::{Altered, Directory};

#[test]
fn the_store_in_memory_conforms() {
    conformance::run(&|| Arc::new(MemoryStore::new()));
}

#[test]
fn a_store_whose_commits_are_told_as_errors_conforms_when_they_are_repeated() {
    conformance::run(&|| {
        let faulty = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let faults = faulty.clone();
        Arc::new(Altered::new(faulty).apply(move |store, batch| {
            faults.next(StoreCall::Apply, Fault::After(StoreErrorKind::Unreachable));
            loop {
                match store.apply(batch) {
                    Err(error) if error.kind() == StoreErrorKind::Unreachable => {}
                    outcome => break outcome,
                }
            }
        }))
    });
}

#[test]
fn the_sqlite_store_conforms() {
    let directory = Directory::new();
    let count = AtomicU32::new(0);
    conformance::run(&|| {
        let file = directory.file(&format!("{}.db", count.fetch_add(1, Ordering::Relaxed)));
        let mut options = SqliteOptions::default();
        options.durability = Durability::Normal;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(file, options).unwrap());
        store
    });
}
