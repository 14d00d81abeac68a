//! A process that was forked after the store was opened can't use it, and its end does the store no harm.
#![cfg(unix)]
#![allow(unsafe_code, reason = "there is no safe fork")]

use std::sync::Arc;

use flowcore::store::conformance::Writer;
use flowcore::store::{RunQuery, SqliteOptions, SqliteStore, Store, StoreErrorKind};
use flowcore_tests::Directory;

#[test]
fn a_forked_process_is_refused() {
    let place = Directory::new();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(place.file("flow.db"), SqliteOptions::default()).unwrap());
    let writer = Writer::new(&store);
    writer.write([writer.flow("before").begin()]);
    // SAFETY: the child calls nothing that waits for another thread, and ends without the harness's own end.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let refused = |kind| kind == StoreErrorKind::Refused;
        let read = store
            .runs(&RunQuery::default())
            .is_err_and(|error| refused(error.kind()));
        let written = store.leave(writer.process()).is_err_and(|error| refused(error.kind()));
        drop(writer);
        drop(store);
        // SAFETY: as above.
        unsafe { libc::_exit(i32::from(!(read && written))) };
    }
    let mut status = -1;
    // SAFETY: waits for the child made above.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    // The log is still there, and all that was written.
    writer.write([writer.flow("after").begin()]);
    assert_eq!(store.runs(&RunQuery::default()).unwrap().items.len(), 2);
    assert!(store.check(true).unwrap().problems.is_empty());
}
