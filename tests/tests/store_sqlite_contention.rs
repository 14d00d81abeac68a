//! Several processes with several threads each on one file: nobody hears of locks, readers hold up nobody, the log stays small.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic anywhere")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flowcore::store::conformance::Writer;
use flowcore::store::{Durability, RunQuery, SqliteOptions, SqliteStore, Store};
use flowcore_tests::Directory;

const PLACE: &str = "FLOWCORE_TEST_STORM";
const THREADS: usize = 8;
/// How long the storm lasts, in seconds: 2 unless told otherwise.
const SECONDS: &str = "FLOWCORE_TEST_STORM_SECONDS";

fn open(path: &Path) -> Arc<dyn Store> {
    let mut options = SqliteOptions::default();
    options.durability = Durability::Normal;
    Arc::new(SqliteStore::open(path, options).unwrap())
}

/// Each thread is a process of the store, and both writes and reads.
fn storm(path: &Path) {
    let store = open(path);
    let seconds = std::env::var(SECONDS).map_or(2, |seconds| seconds.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    let flows = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let writer = Writer::new(&store);
                while Instant::now() < end {
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
                            .heartbeat(writer.process(), Duration::from_secs(60))
                            .unwrap()
                            .fenced
                    );
                    writer.write([flow.complete("20")]);
                    flows.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let told = path.with_extension(std::process::id().to_string());
    std::fs::write(told, flows.into_inner().to_string()).unwrap();
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
    let mut told = Vec::new();
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
            told.push(path.with_extension(child.id().to_string()));
            let output = child.wait_with_output().unwrap();
            over.store(!output.status.success(), Ordering::Relaxed);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(reads.load(Ordering::Relaxed) > 0);
    let query = RunQuery {
        roots: true,
        limit: 10_000_000,
        ..RunQuery::default()
    };
    let roots = store.runs(&query).unwrap().items;
    let flows = told
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap().parse::<usize>().unwrap());
    assert_eq!(roots.len(), flows.sum::<usize>());
    eprintln!("{} flows of 20 tasks each", roots.len());
    assert!(roots.iter().all(|root| root.state.is_completed()));
    let log = std::fs::metadata(place.file("flow.db-wal")).unwrap().len();
    assert!(log < 128 << 20, "the log has {log} bytes");
    assert_eq!(store.check(true).unwrap().problems, Vec::<String>::new());
}
