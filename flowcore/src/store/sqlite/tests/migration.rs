//! From one schema to the next, whoever is killed or comes second.

use std::path::Path;
use std::process::Command;

use super::world::*;
use crate::store::sqlite::migrate::{MIGRATIONS, Migration};
use crate::store::sqlite::{SqliteStore, open as opening, schema};
use crate::store::{Store, StoreErrorKind, StoreResult};

fn version_2() -> String {
    "CREATE TABLE added (number INTEGER PRIMARY KEY); INSERT INTO added SELECT number FROM runs;".to_owned()
}

fn version_3() -> String {
    if std::env::var_os(DYING).is_some() {
        // As kill -9: nothing is cleaned up.
        std::process::abort();
    }
    "ALTER TABLE added ADD COLUMN more TEXT;".to_owned()
}

const LATER: &[Migration] = &[
    Migration {
        version: 1,
        statements: schema::version_1,
    },
    Migration {
        version: 2,
        statements: version_2,
    },
    Migration {
        version: 3,
        statements: version_3,
    },
];

const DYING: &str = "FLOWCORE_TEST_DIES_IN_MIGRATION";
const PATH: &str = "FLOWCORE_TEST_MIGRATES";

fn open_later(path: &Path) -> StoreResult<SqliteStore> {
    opening::open(path, &options(), LATER)
}

fn version(path: &Path) -> i32 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

/// A store of version 1 with one run.
fn old(place: &Directory) -> crate::store::RunWrite {
    let store = open(&place.file());
    let process = register(&store);
    let run = run(process, 1, None, &definition("flow"), DONE);
    store.apply(&batch(process, 1, vec![run.clone()])).unwrap();
    run
}

#[test]
fn an_older_schema_is_brought_to_the_newest_after_a_backup() {
    let place = Directory::new();
    let run = old(&place);
    let store = open_later(&place.file()).unwrap();
    assert_eq!(store.run(run.id).unwrap().unwrap().name, run.name);
    drop(store);
    assert_eq!(version(&place.file()), 3);
    let backup = place.path().join("flow.db.schema-1.backup");
    assert_eq!(version(&backup), 1);
    let store = open(&backup);
    assert_eq!(store.run(run.id).unwrap().unwrap().name, run.name);
}

#[test]
fn a_newer_schema_is_refused_and_no_byte_of_it_changes() {
    let place = Directory::new();
    old(&place);
    drop(open_later(&place.file()).unwrap());
    let before = std::fs::read(place.file()).unwrap();
    let error = SqliteStore::open(place.file(), options()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Newer);
    assert!(error.to_string().contains("is schema 3, this build knows 1"), "{error}");
    assert_eq!(std::fs::read(place.file()).unwrap(), before);
    let names: Vec<_> = std::fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        names.iter().all(|name| !name.to_string_lossy().ends_with("-wal")),
        "{names:?}"
    );
}

#[test]
fn a_program_that_finds_its_file_migrated_by_another_stops_writing() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    drop(open_later(&place.file()).unwrap());
    let error = store.heartbeat(process, LEASE).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Newer);
}

/// Does nothing but in the processes that the tests below start.
#[test]
fn migrates_when_asked() {
    if let Some(path) = std::env::var_os(PATH) {
        let store = open_later(Path::new(&path)).unwrap();
        assert_eq!(store.processes(true).unwrap().len(), 1);
    }
}

fn child(path: &Path) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "store::sqlite::tests::migration::migrates_when_asked"])
        .env(PATH, path);
    child
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    child
}

#[test]
fn a_kill_in_the_middle_leaves_the_old_schema_whole() {
    let place = Directory::new();
    let run = old(&place);
    assert!(!child(&place.file()).env(DYING, "1").status().unwrap().success());
    // What the dead process left is the old store, for an old program as well.
    assert_eq!(version(&place.file()), 1);
    let store = open(&place.file());
    assert_eq!(store.run(run.id).unwrap().unwrap().name, run.name);
    assert!(store.check(true).unwrap().problems.is_empty());
    drop(store);
    assert!(child(&place.file()).status().unwrap().success());
    assert_eq!(version(&place.file()), 3);
}

#[test]
#[cfg(feature = "failpoints")]
fn a_kill_anywhere_leaves_the_old_schema_or_the_new_one() {
    for (place_of_death, left) in [
        ("sqlite::before-backup", 1),
        ("sqlite::half-backed-up", 1),
        ("sqlite::backed-up", 1),
        ("sqlite::half-migrated", 1),
        ("sqlite::migrated", 1),
        ("sqlite::migration-committed", 3),
    ] {
        let place = Directory::new();
        let run = old(&place);
        let failpoints = format!("{place_of_death}=return");
        let died = child(&place.file()).env("FAILPOINTS", failpoints).status().unwrap();
        assert!(!died.success(), "{place_of_death}");
        assert_eq!(version(&place.file()), left, "{place_of_death}");
        let backup = place.path().join("flow.db.schema-1.backup");
        if backup.exists() {
            assert!(
                open(&backup).check(true).unwrap().problems.is_empty(),
                "{place_of_death}"
            );
        }
        // Who comes next finishes it.
        assert!(child(&place.file()).status().unwrap().success(), "{place_of_death}");
        assert_eq!(version(&place.file()), 3, "{place_of_death}");
        let store = open_later(&place.file()).unwrap();
        assert_eq!(store.run(run.id).unwrap().unwrap().name, run.name);
        assert!(store.check(true).unwrap().problems.is_empty(), "{place_of_death}");
        assert!(open(&backup).run(run.id).unwrap().is_some(), "{place_of_death}");
    }
}

#[test]
fn of_several_processes_that_migrate_at_once_one_does() {
    for _ in 0..3 {
        let place = Directory::new();
        old(&place);
        let children: Vec<_> = (0..4).map(|_| child(&place.file()).spawn().unwrap()).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        assert_eq!(version(&place.file()), 3);
        let left: Vec<_> = std::fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(
            !left.iter().any(|name| name.to_string_lossy().contains("draft")),
            "{left:?}"
        );
    }
}

#[test]
fn of_several_threads_that_make_a_store_one_does() {
    for _ in 0..5 {
        let place = Directory::new();
        let file = place.file();
        let numbers: Vec<u32> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| register(&open(&file)))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let distinct: std::collections::BTreeSet<_> = numbers.iter().collect();
        assert_eq!(distinct.len(), 4, "{numbers:?}");
    }
}

#[test]
fn versions_only_grow() {
    assert!(MIGRATIONS.windows(2).all(|pair| pair[0].version + 1 == pair[1].version));
    assert_eq!(MIGRATIONS[0].version, 1);
}
