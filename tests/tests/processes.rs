//! Several processes on one file: what becomes of the runs of one that died, of one that lives, and of one that has ended.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use flowcore::RunId;
use flowcore::store::{RunQuery, RunRow, SqliteOptions, SqliteStore, Store, StoreResult};
use flowcore_tests::{LIMIT, in_time, names};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("flowcore-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("flow.db")
    }

    fn store(&self) -> SqliteStore {
        open(&self.file()).unwrap()
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_keeps"));
        program
            .args(arguments)
            .env("FLOW_DATABASE_URL", self.file())
            .env("RUST_LOG", "warn");
        program
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        program
    }

    fn ends(&self, arguments: &[&str]) -> (String, String) {
        let Output { status, stdout, stderr } = self.program(arguments).output().unwrap();
        let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert!(status.success(), "{out}{err}");
        (out, err)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that has begun a durable run, and is in the body of its last task until its input is closed.
struct Waiting {
    child: Child,
    out: BufReader<ChildStdout>,
    run: RunId,
}

impl Waiting {
    fn begin(folder: &Folder) -> Self {
        let mut child = folder.program(&["waits"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let run = line.trim().parse().unwrap();
        let waiting = Self { child, out, run };
        waiting.until_in_body(&folder.file());
        waiting
    }

    fn until_in_body(&self, file: &Path) {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < LIMIT, "it never gets there");
            if let Ok(store) = open(file)
                && tree(&store, self.run)
                    .iter()
                    .any(|row| row.definition == "reads" && row.state.name() == "Running")
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn let_end(mut self) -> String {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success(), "{rest}");
        rest
    }
}

fn open(file: &Path) -> StoreResult<SqliteStore> {
    let mut options = SqliteOptions::default();
    options.read_only = true;
    SqliteStore::open(file, options)
}

fn tree(store: &SqliteStore, root: RunId) -> Vec<RunRow> {
    let Some(row) = store.run(root).unwrap() else {
        return Vec::new();
    };
    let query = RunQuery {
        root: Some(row.number),
        oldest_first: true,
        limit: 100_000,
        ..RunQuery::default()
    };
    store.runs(&query).unwrap().items
}

#[test]
fn the_runs_of_a_dead_process_are_crashed_and_those_of_a_living_one_are_not() {
    in_time("processes", || {
        let folder = Folder::new("processes");
        let (dead, living) = (Waiting::begin(&folder), Waiting::begin(&folder));
        let (lost, kept) = (dead.run, living.run);
        dead.kill();
        // Nobody has looked yet.
        assert_eq!(folder.store().run(lost).unwrap().unwrap().state.name(), "Running");

        let (out, err) = folder.ends(&["plain"]);
        assert!(out.starts_with("ok: 10\n"), "{out}");
        assert!(err.contains("2 runs have crashed") && err.contains("died"), "{err}");
        let store = folder.store();
        let of_dead = tree(&store, lost);
        let crashed: Vec<_> = of_dead
            .iter()
            .filter(|row| row.state.name() == "Crashed")
            .map(|row| row.definition.as_str())
            .collect();
        assert_eq!(crashed, ["kept", "reads"]);
        assert!(
            of_dead
                .iter()
                .filter(|row| row.definition == "step")
                .all(|row| row.state.is_completed())
        );
        let reads = of_dead.last().unwrap();
        assert_eq!((reads.crashes, reads.forgiven, reads.attempt), (1, 1, 1));
        assert_eq!(
            names(&store.states(reads.number).unwrap()),
            ["Pending", "Running", "Crashed"]
        );
        let of_living: Vec<_> = tree(&store, kept)
            .into_iter()
            .filter(|row| !row.state.is_final())
            .map(|row| row.definition)
            .collect();
        assert_eq!(of_living, ["kept", "reads"]);
        drop(store);

        // The dead one's run goes on in another process; the living one's is refused.
        let (out, _) = folder.ends(&["resume", &kept.to_string()]);
        assert!(out.starts_with("Store: ") && out.contains("is open"), "{out}");
        let (out, _) = folder.ends(&["resume", &lost.to_string()]);
        assert_eq!(out, "ok: \"first 11\"\n1 bodies\ncrashed 0, unrecorded 0\n");
        assert_eq!(living.let_end(), "ok: first 11\n6 bodies\ncrashed 0, unrecorded 0\n");

        let store = folder.store();
        for run in [lost, kept] {
            let rows = tree(&store, run);
            assert!(
                rows.len() == 7 && rows.iter().all(|row| row.state.is_completed()),
                "{rows:?}"
            );
        }
        assert!(store.processes(false).unwrap().is_empty(), "all have left or are dead");
        assert_eq!(store.check(true).unwrap().problems, [""; 0]);
    });
}

#[test]
fn a_resume_finds_out_for_itself_that_the_process_died() {
    in_time("resume", || {
        let folder = Folder::new("resume");
        let dead = Waiting::begin(&folder);
        let run = dead.run.to_string();
        dead.kill();
        let (out, _) = folder.ends(&["resume", &run]);
        assert!(out.starts_with("ok: \"first 11\"\n1 bodies\n"), "{out}");
    });
}

#[test]
fn at_the_end_of_a_process_all_is_written_and_later_runs_are_told() {
    in_time("shutdown", || {
        let folder = Folder::new("shutdown");
        let (out, err) = folder.ends(&["floods", "20000"]);
        let lines: Vec<&str> = out.lines().collect();
        let [run, ended, report, rest @ ..] = &lines[..] else {
            panic!("{out}")
        };
        assert_eq!((*ended, *report), ("ok: all", "crashed 0, unrecorded 0"));
        assert_eq!(rest.len(), 3, "{out}");
        assert!(
            rest.iter()
                .all(|line| line.starts_with("Crashed: ") && line.contains("shutting down")),
            "{out}"
        );
        assert!(!err.contains("declared dead"), "{err}");
        let store = folder.store();
        let rows = tree(&store, run.parse().unwrap());
        assert!(
            rows.len() == 20_001 && rows.iter().all(|row| row.state.is_completed()),
            "{}",
            rows.len()
        );
    });
}
