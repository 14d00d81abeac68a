//! Several processes with several threads each on one file: nobody hears of locks, readers hold up nobody, the log stays small.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic anywhere")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use flowcore::store::conformance::Writer;
use flowcore::store::{Durability, RunQuery, SqliteOptions, SqliteStore, Store};
use flowcore_tests::Directory;

const PLACE: &str = "FLOWCORE_TEST_STORM";
const THREADS: usize = 8;
const BATCHES: usize = 60;

fn open(path: &Path) -> Arc<dyn Store> {
    let mut options = SqliteOptions::default();
    options.durability = Durability::Normal;
    Arc::new(SqliteStore::open(path, options).unwrap())
}

/// Each thread is a process of the store, and both writes and reads.
fn storm(path: &Path) {
    let store = open(path);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let writer = Writer::new(&store);
                for _ in 0..BATCHES {
                    let mut flow = writer.flow("storm");
                    flow.begin();
                    let mut tasks: Vec<_> = (0..20).map(|_| writer.task_below(&flow, "gust")).collect();
                    for task in &mut tasks {
                        task.begin().complete("1");
                    }
                    writer.write(std::iter::once(&mut flow).chain(&mut tasks));
                    assert_eq!(
                        store
                            .counts(flow.number())
                            .unwrap()
                            .iter()
                            .map(|count| count.count)
                            .sum::<u64>(),
                        21
                    );
                    assert!(
                        !store
                            .heartbeat(writer.process(), std::time::Duration::from_secs(60))
                            .unwrap()
                            .fenced
                    );
                    writer.write([flow.complete("20")]);
                }
            });
        }
    });
}

/// Does nothing but in the processes that the test below starts.
#[test]
fn storms_when_asked() {
    if let Some(path) = std::env::var_os(PLACE) {
        storm(Path::new(&path));
    }
}

#[test]
fn two_processes_of_eight_threads_write_one_file() {
    let place = Directory::new();
    let path = place.file("flow.db");
    let store = open(&path);
    let children: Vec<_> = (0..2)
        .map(|_| {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "storms_when_asked"]).env(PLACE, &path);
            child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    // Somebody reads all the time.
    let (over, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                store
                    .runs(&RunQuery {
                        roots: true,
                        ..RunQuery::default()
                    })
                    .unwrap();
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
        for child in children {
            let output = child.wait_with_output().unwrap();
            over.store(!output.status.success(), Ordering::Relaxed);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(reads.load(Ordering::Relaxed) > 0);
    let query = RunQuery {
        roots: true,
        limit: 100_000,
        ..RunQuery::default()
    };
    let roots = store.runs(&query).unwrap().items;
    assert_eq!(roots.len(), 2 * THREADS * BATCHES);
    assert!(roots.iter().all(|root| root.state.is_completed()));
    let log = std::fs::metadata(place.file("flow.db-wal")).unwrap().len();
    assert!(log < 128 << 20, "the log has {log} bytes");
    assert_eq!(store.check(true).unwrap().problems, Vec::<String>::new());
}
