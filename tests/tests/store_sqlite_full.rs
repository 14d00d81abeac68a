//! No room is left for an SQLite store: nothing half-written, and it goes on when there is room again.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic anywhere")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use flowcore::store::conformance::Writer;
use flowcore::store::{RunQuery, SqliteOptions, SqliteStore, Store, StoreErrorKind};
use flowcore_tests::Directory;

/// Writes batches of two runs until there is no room, and gives how many were written.
fn write_until_full(store: &Arc<dyn Store>) -> usize {
    let writer = Writer::new(store);
    for written in 0..100_000 {
        let mut flow = writer.flow("nightly");
        let mut task = writer.task_below(&flow, "load");
        flow.begin();
        task.begin().complete(&format!("\"{}\"", "x".repeat(2_000)));
        if let Err(error) = writer.try_write([&mut flow, &mut task]) {
            assert_eq!(error.kind(), StoreErrorKind::Full, "{error}");
            // All or nothing.
            assert!(store.run(flow.id()).unwrap().is_none() && store.run(task.id()).unwrap().is_none());
            return 2 * written;
        }
    }
    panic!("there was room for everything")
}

fn count(store: &dyn Store) -> usize {
    let query = RunQuery {
        limit: 1_000_000,
        ..RunQuery::default()
    };
    store.runs(&query).unwrap().items.len()
}

#[test]
fn the_file_may_not_become_larger() {
    let place = Directory::new();
    let path = place.file("flow.db");
    let mut options = SqliteOptions::default();
    options.max_bytes = Some(1 << 20);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, options).unwrap());
    let written = write_until_full(&store);
    assert!(written > 20, "{written}");
    assert_eq!(count(&*store), written);
    drop(store);
    assert!(std::fs::metadata(&path).unwrap().len() <= 1 << 20);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
    let writer = Writer::new(&store);
    writer.write([writer.flow("later").begin()]);
    assert_eq!(count(&*store), written + 1);
    assert!(store.check(true).unwrap().problems.is_empty());
}

const PLACE: &str = "FLOWCORE_TEST_FULL";

/// Does nothing but in the process that the test below starts, which may make files of 2 MiB at most.
#[test]
fn fills_when_asked() {
    let Some(path) = std::env::var_os(PLACE) else { return };
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(Path::new(&path), SqliteOptions::default()).unwrap());
    let written = write_until_full(&store);
    assert!(written > 20, "{written}");
    assert_eq!(count(&*store), written);
    // What frees room can still be read and asked for; the process lives on.
    assert!(!store.processes(false).unwrap().is_empty());
}

#[test]
fn the_system_gives_no_more_room() {
    let place = Directory::new();
    let path = place.file("flow.db");
    // Units of 512 or 1,024 bytes: 2 to 4 MiB. The signal is ignored, so the write fails instead.
    let script = "trap '' XFSZ; ulimit -f 4096; exec \"$0\" --exact fills_when_asked --nocapture";
    let program = std::env::current_exe().unwrap();
    let output = Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg(program)
        .env(PLACE, &path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
    let before = count(&*store);
    assert!(before > 20);
    let writer = Writer::new(&store);
    writer.write([writer.flow("later").begin()]);
    assert_eq!(count(&*store), before + 1);
    assert!(
        store
            .check(true)
            .unwrap()
            .problems
            .iter()
            .all(|problem| problem.contains("sign of life"))
    );
}
