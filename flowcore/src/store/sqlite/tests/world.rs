//! What the tests make: directories that go away, runs, batches.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use smallvec::SmallVec;

use crate::run::{RunId, RunKind};
use crate::state::State;
use crate::store::{
    Batch, DefinitionRow, Durability, ProcessIdentity, ResultWrite, RunNumber, RunWrite, SqliteOptions, SqliteStore,
    Store,
};

/// 2026-09-21, in Unix nanoseconds.
pub(super) const BEGIN: i64 = 1_790_000_000_000_000_000;

pub(super) const LEASE: Duration = Duration::from_secs(60);

/// A directory that is removed with all in it.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "flowcore-sqlite-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("flow.db")
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn options() -> SqliteOptions {
    SqliteOptions {
        durability: Durability::Normal,
        ..SqliteOptions::default()
    }
}

pub(super) fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, options()).unwrap()
}

pub(super) fn register(store: &dyn Store) -> u32 {
    store.register(&ProcessIdentity::default(), LEASE).unwrap()
}

pub(super) fn state(name: &str, after: i64) -> State {
    State::restored(name, BEGIN + after, None).unwrap()
}

pub(super) fn definition(name: &str) -> Arc<DefinitionRow> {
    Arc::new(DefinitionRow {
        kind: if name.contains("flow") {
            RunKind::Flow
        } else {
            RunKind::Task
        },
        name: name.to_owned(),
        key: format!("tests::{name}"),
        version: None,
    })
}

/// A new run in these states, a microsecond apart, made `count` milliseconds after the beginning.
pub(super) fn run(
    process: u32,
    count: u64,
    parent: Option<&RunWrite>,
    definition: &Arc<DefinitionRow>,
    states: &[&str],
) -> RunWrite {
    let number = RunNumber::new(process, count);
    let made = i64::try_from(count).unwrap() * 1_000_000;
    let states = states.iter().zip(0_i64..);
    RunWrite {
        parent: parent.map(|parent| parent.number),
        root: parent.map_or(number, |parent| parent.root),
        depth: parent.map_or(0, |parent| parent.depth + 1),
        name: format!("{}-{count}", definition.name),
        parameters: Some(r#"{"node_value":"A1"}"#.to_owned()),
        attempt: 1,
        states: states.map(|(name, n)| state(name, made + n * 1_000)).collect(),
        ..RunWrite::bare(number, RunId::generate(BEGIN + made), definition.clone())
    }
}

/// The run's next write, with these states.
pub(super) fn next(run: &RunWrite, states: &[&str]) -> RunWrite {
    let mut next = run.clone();
    let last = run.states.last().unwrap();
    next.first_state = run.first_state + u32::try_from(run.states.len()).unwrap();
    next.state_before = Some(last.clone());
    let later = states.iter().zip(1_i64..);
    next.states = later
        .map(|(name, n)| State::restored(name, last.unix_nanos() + n * 1_000, None).unwrap())
        .collect::<SmallVec<_>>();
    next
}

pub(super) const DONE: &[&str] = &["Pending", "Running", "Completed"];

pub(super) fn with_result(mut run: RunWrite, json: &str) -> RunWrite {
    run.result = Some(ResultWrite {
        json: json.as_bytes().into(),
        whole: true,
    });
    run
}

pub(super) fn batch(process: u32, sequence: u64, runs: Vec<RunWrite>) -> Batch {
    Batch {
        process,
        sequence,
        runs,
        logs: Vec::new(),
    }
}
