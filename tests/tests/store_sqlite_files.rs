//! What may be wrong with an SQLite store's file, its directory and its neighbours: each is told, and nothing is changed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic anywhere")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use flowcore::store::conformance::Writer;
use flowcore::store::{RunQuery, SqliteOptions, SqliteStore, Store, StoreErrorKind, StoreResult};
use flowcore_tests::Directory;

fn open(path: &Path) -> StoreResult<SqliteStore> {
    SqliteStore::open(path, SqliteOptions::default())
}

fn open_to_read(path: &Path) -> StoreResult<SqliteStore> {
    let mut options = SqliteOptions::default();
    options.read_only = true;
    SqliteStore::open(path, options)
}

/// Writes `count` runs to the store.
fn fill(store: SqliteStore, count: usize) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(store);
    let writer = Writer::new(&store);
    for _ in 0..count {
        let mut flow = writer.flow("nightly");
        writer.write([flow.begin().complete("42")]);
    }
    store
}

fn how_many(store: &dyn Store) -> usize {
    store.runs(&RunQuery::default()).unwrap().items.len()
}

/// The file is refused as that, told by its path, and not changed; nor does anything appear beside it but SQLite's empty log.
fn refused(path: &Path, kind: StoreErrorKind, word: &str) {
    let before = fs::read(path).unwrap();
    for error in [open(path).unwrap_err(), open_to_read(path).unwrap_err()] {
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(text.contains(word) && text.contains(path.to_str().unwrap()), "{text}");
    }
    assert_eq!(fs::read(path).unwrap(), before);
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let (name, size) = entry
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().len()))
            .unwrap();
        let expected = name == "flow.db" || name == "flow.db-shm" || (name == "flow.db-wal" && size == 0);
        assert!(expected, "{name:?} of {size} bytes");
    }
}

#[test]
fn an_empty_file_and_garbage_are_refused() {
    let place = Directory::new();
    fs::write(place.file("flow.db"), b"").unwrap();
    refused(&place.file("flow.db"), StoreErrorKind::Corrupt, "is empty");
    fs::write(place.file("flow.db"), b"short").unwrap();
    refused(&place.file("flow.db"), StoreErrorKind::Corrupt, "is no SQLite database");
    fs::write(place.file("flow.db"), vec![0x5a; 100_000]).unwrap();
    refused(&place.file("flow.db"), StoreErrorKind::Corrupt, "is no SQLite database");
    let error = open(place.path()).unwrap_err();
    assert!(error.to_string().contains("isn't a file"), "{error}");
}

#[test]
fn a_truncated_file_is_refused() {
    let place = Directory::new();
    drop(fill(open(&place.file("flow.db")).unwrap(), 50));
    let whole = fs::read(place.file("flow.db")).unwrap();
    for pages in [1, 2, whole.len() / 4096 - 1] {
        fs::write(place.file("flow.db"), &whole[..pages * 4096]).unwrap();
        refused(&place.file("flow.db"), StoreErrorKind::Corrupt, "is truncated");
    }
    fs::write(place.file("flow.db"), &whole[..whole.len() - 100]).unwrap();
    refused(&place.file("flow.db"), StoreErrorKind::Corrupt, "is truncated");
    fs::write(place.file("flow.db"), &whole).unwrap();
    assert_eq!(how_many(&open(&place.file("flow.db")).unwrap()), 50);
}

#[test]
fn a_file_with_flipped_pages_is_refused() {
    let place = Directory::new();
    let path = place.file("flow.db");
    let store = fill(open(&path).unwrap(), 200);
    let query = RunQuery {
        limit: 1_000,
        ..RunQuery::default()
    };
    let runs = store.runs(&query).unwrap();
    drop(store);
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    let mut seen = 0;
    for page in 1..pages - 1 {
        let mut flipped = whole.clone();
        let (left, right) = flipped.split_at_mut((page + 1) * 4096);
        left[page * 4096..].swap_with_slice(&mut right[..4096]);
        fs::write(&path, &flipped).unwrap();
        match open(&path) {
            // The pages of two empty tables say the same.
            Ok(store) => {
                assert_eq!(store.runs(&query).unwrap(), runs);
                assert_eq!(store.check(true).unwrap().problems, Vec::<String>::new());
                drop(store);
                fs::write(&path, &whole).unwrap();
            }
            Err(_) => {
                refused(&path, StoreErrorKind::Corrupt, "is damaged");
                seen += 1;
            }
        }
    }
    assert!(seen > pages / 2, "{seen} of {pages}");
}

#[test]
fn another_programs_database_is_refused() {
    let place = Directory::new();
    drop(fill(open(&place.file("flow.db")).unwrap(), 1));
    let mut other = fs::read(place.file("flow.db")).unwrap();
    // The application's id.
    other[68..72].copy_from_slice(&[0, 0, 0, 0]);
    fs::write(place.file("flow.db"), &other).unwrap();
    refused(
        &place.file("flow.db"),
        StoreErrorKind::Corrupt,
        "is the database of another program",
    );
}

#[test]
fn only_its_user_may_read_a_new_store() {
    let place = Directory::new();
    let path = place.file("new/deep/flow.db");
    let store = fill(open(&path).unwrap(), 1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&place.file("new/deep/flow.db-wal")), 0o600);
    assert_eq!(
        (mode(&place.file("new/deep")), mode(&place.file("new"))),
        (0o700, 0o700)
    );
    drop(store);
    let names: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["flow.db"], "the log is brought into the file at the end");
}

#[test]
fn what_is_not_there_is_not_made_to_be_read() {
    let place = Directory::new();
    let error = open_to_read(&place.file("flow.db")).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreachable);
    assert!(!place.file("flow.db").exists());
}

#[test]
fn a_store_opened_to_be_read_sees_what_others_write_and_writes_nothing() {
    let place = Directory::new();
    let writing = fill(open(&place.file("flow.db")).unwrap(), 3);
    let reading = open_to_read(&place.file("flow.db")).unwrap();
    assert_eq!(how_many(&reading), 3);
    let writer = Writer::new(&writing);
    writer.write([writer.flow("late").begin()]);
    assert_eq!(how_many(&reading), 4);
    let error = reading.leave(1).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly);
}

#[test]
fn a_file_that_is_moved_deleted_or_replaced_while_open_is_missed() {
    let place = Directory::new();
    let store = fill(open(&place.file("flow.db")).unwrap(), 1);
    let away = place.file("away.db");
    fs::rename(place.file("flow.db"), &away).unwrap();
    let missed = |store: &dyn Store| {
        let errors = [
            store.leave(1).unwrap_err(),
            store.runs(&RunQuery::default()).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error}");
        }
    };
    missed(&*store);
    // Another in its place is another.
    let other = fill(open(&place.file("other.db")).unwrap(), 1);
    drop(other);
    fs::rename(place.file("other.db"), place.file("flow.db")).unwrap();
    missed(&*store);
    fs::rename(&away, place.file("flow.db")).unwrap();
    assert_eq!(how_many(&*store), 1);
    fs::remove_file(place.file("flow.db-wal")).unwrap();
    let error = store.leave(1).unwrap_err();
    assert!(error.to_string().contains("flow.db-wal is gone"), "{error}");
}

const ROLE: &str = "FLOWCORE_TEST_ROLE";
const PLACE: &str = "FLOWCORE_TEST_PLACE";

/// Does nothing but in the processes that the tests below start, without the rights of root.
#[test]
fn acts_as_told() {
    let (Ok(role), Ok(place)) = (std::env::var(ROLE), std::env::var(PLACE)) else {
        return;
    };
    let path = Path::new(&place).join("flow.db");
    match role.as_str() {
        "refused" => {
            let error = open(&path).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
            assert!(error.to_string().contains("can't be written by this user"), "{error}");
            assert_eq!(how_many(&open_to_read(&path).unwrap()), 5);
        }
        "unmade" => {
            let error = open(&path).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
        }
        other => panic!("{other}"),
    }
}

fn as_somebody(place: &Directory, role: &str) {
    // The directory of the build may be closed to others.
    let program = place.file("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut child = Command::new(&program);
    child
        .args(["--exact", "acts_as_told", "--nocapture"])
        .env(ROLE, role)
        .env(PLACE, place.file("closed"));
    child.current_dir("/").stdin(Stdio::null());
    // Whoever isn't root has no rights to give up.
    if fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0) {
        child.uid(65_534).gid(65_534);
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[test]
fn a_file_or_directory_that_cannot_be_written_is_told_and_can_be_read() {
    let place = Directory::new();
    let closed = place.file("closed");
    fs::create_dir(&closed).unwrap();
    drop(fill(open(&closed.join("flow.db")).unwrap(), 5));
    let rights = |file: u32, directory: u32| {
        fs::set_permissions(closed.join("flow.db"), PermissionsExt::from_mode(file)).unwrap();
        fs::set_permissions(&closed, PermissionsExt::from_mode(directory)).unwrap();
    };
    rights(0o444, 0o555);
    as_somebody(&place, "refused");
    rights(0o666, 0o555);
    as_somebody(&place, "refused");
    rights(0o444, 0o777);
    as_somebody(&place, "refused");
    rights(0o644, 0o755);
}

#[test]
fn a_store_cannot_be_made_where_nothing_can() {
    let place = Directory::new();
    let closed = place.file("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, PermissionsExt::from_mode(0o555)).unwrap();
    as_somebody(&place, "unmade");
    assert_eq!(fs::read_dir(&closed).unwrap().count(), 0);
}
