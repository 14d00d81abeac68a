//! Deleting and pruning, and what must not go.

use super::space::tree;
use super::world::*;
use crate::clock::wall_nanos;
use crate::store::{LogQuery, LogWrite, RunNumber, RunQuery, RunWrite, SqliteStore, Store, StoreErrorKind};

/// How many rows the tables have together that hold something of a run.
fn rows(store: &SqliteStore) -> i64 {
    let tables = [
        "runs", "states", "counts", "run_tags", "edges", "logs", "cache", "requests", "doomed",
    ];
    let counts = tables.map(|table| format!("(SELECT count(*) FROM {table})"));
    let sql = format!("SELECT {}", counts.join(" + "));
    store
        .read("count", |connection| {
            Ok(connection.query_row(&sql, [], |row| row.get(0))?)
        })
        .unwrap()
}

fn a_full_run(process: u32, count: u64) -> Vec<RunWrite> {
    let (flow, task) = (definition("flow"), definition("task"));
    let mut root = run(process, count, None, &flow, DONE);
    root.tags = vec!["a".to_owned()];
    let first = run(process, count + 1, Some(&root), &task, DONE);
    let mut many = vec!["Pending"];
    many.extend((0..40).flat_map(|_| ["Running", "AwaitingRetry"]));
    many.extend(["Retrying", "Completed"]);
    let mut second = with_result(run(process, count + 2, Some(&root), &task, &many), "2");
    second.upstream = vec![first.number];
    vec![root, first, second]
}

#[test]
fn nothing_is_left_of_a_deleted_tree() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    let runs = a_full_run(process, 1);
    let mut written = batch(process, 1, runs.clone());
    written.logs.push(LogWrite {
        run: runs[1].number,
        root: runs[0].number,
        at: BEGIN,
        level: tracing::Level::INFO,
        target: "tests".to_owned(),
        message: "hello".to_owned(),
    });
    store.apply(&written).unwrap();
    assert_eq!(store.states(runs[2].number).unwrap(), runs[2].states.to_vec());
    assert_eq!(
        store.run(runs[2].id).unwrap().unwrap().state,
        *runs[2].states.last().unwrap()
    );
    assert_eq!(store.delete(runs[1].id).unwrap_err().kind(), StoreErrorKind::Refused);
    assert_eq!(store.delete(runs[0].id).unwrap(), 3);
    assert_eq!(rows(&store), 0);
    assert_eq!(store.delete(runs[0].id).unwrap_err().kind(), StoreErrorKind::NotFound);
}

#[test]
fn a_tree_of_many_transactions_goes_whole_and_an_interrupted_deletion_is_finished() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    for (runs, sequence) in tree(process, 25_000).into_iter().zip(1..) {
        store.apply(&batch(process, sequence, runs)).unwrap();
    }
    // A deletion that came no further than its first transaction.
    store
        .write("begin", |writing| {
            writing
                .connection
                .execute("INSERT INTO doomed VALUES (?1)", [RunNumber::new(process, 0).get()])?;
            Ok(())
        })
        .unwrap();
    assert_eq!(store.check(false).unwrap().problems.len(), 1);
    assert_eq!(store.prune(i64::MIN, 0).unwrap(), 25_000);
    assert_eq!(rows(&store), 0);
    assert!(store.check(true).unwrap().problems.is_empty());
}

#[test]
fn pruning_spares_what_is_open_young_or_still_asked_for() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    let old: Vec<RunWrite> = (0..3).flat_map(|n| a_full_run(process, 10 * n + 1)).collect();
    let open = run(process, 50, None, &definition("flow"), &["Pending", "Running"]);
    let cached = |count: u64, until: Option<i64>| {
        let root = run(process, count, None, &definition("flow"), DONE);
        let mut task = with_result(run(process, count + 1, Some(&root), &definition("task"), DONE), "42");
        task.cache = Some((format!("key {count}"), until));
        [root, task]
    };
    let hour = 3_600_000_000_000;
    let live = cached(60, Some(wall_nanos() + hour));
    let stale = cached(70, Some(wall_nanos() - hour));
    let young = run(process, 1_000, None, &definition("flow"), DONE);
    let mut all = old.clone();
    all.extend([open.clone(), young.clone()]);
    all.extend(live.clone());
    all.extend(stale.clone());
    store.apply(&batch(process, 1, all)).unwrap();
    assert_eq!(
        store
            .cached("tests::task", "key 60", wall_nanos())
            .unwrap()
            .unwrap()
            .as_ref(),
        b"42"
    );
    assert_eq!(store.cached("tests::task", "key 70", wall_nanos()).unwrap(), None);
    let before = young.states[0].at;
    assert_eq!(store.prune(before, 1).unwrap(), 3, "the oldest tree");
    assert_eq!(store.run(old[0].id).unwrap(), None);
    assert_eq!(store.prune(before, 100).unwrap(), 3 + 3 + 2);
    let left = store
        .runs(&RunQuery {
            roots: true,
            oldest_first: true,
            ..RunQuery::default()
        })
        .unwrap();
    let left: Vec<u64> = left.items.iter().map(|run| run.number.count()).collect();
    assert_eq!(left, [50, 60, 1_000]);
    assert_eq!(store.prune(before, 100).unwrap(), 0);
    let log = LogQuery {
        run: open.number,
        below: true,
        level: tracing::Level::TRACE,
        after: None,
        last: false,
        limit: 5,
    };
    assert!(store.logs(&log).unwrap().items.is_empty());
    assert!(store.check(true).unwrap().problems.is_empty());
}

#[test]
fn an_interrupted_burial_is_finished_by_the_next_that_comes() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    let root = run(process, 1, None, &definition("flow"), &["Pending", "Running"]);
    store.apply(&batch(process, 1, vec![root.clone()])).unwrap();
    store
        .write("end", |writing| {
            writing
                .connection
                .execute("UPDATE processes SET ended_at = 1, end = 'it died'", [])?;
            Ok(())
        })
        .unwrap();
    assert_eq!(store.check(false).unwrap().problems.len(), 1);
    register(&store);
    let state = store.run(root.id).unwrap().unwrap().state;
    assert_eq!((state.name(), state.message()), ("Crashed", Some("it died")));
    assert!(store.check(true).unwrap().problems.is_empty());
}
