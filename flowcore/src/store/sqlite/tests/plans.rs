//! Which index answers which question: nothing that is asked often reads the whole table, or sorts what it reads.

use super::space::tree;
use super::world::*;
use crate::run::RunKind;
use crate::state::StateType;
use crate::store::sqlite::select::Select;
use crate::store::{RunNumber, RunQuery, SqliteStore, Store};

fn plan(store: &SqliteStore, query: &RunQuery) -> String {
    let plan = store.read("explain", |connection| {
        let select = Select::of(connection, query)?.unwrap();
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", select.sql))?;
        let steps = explain.query_map(rusqlite::params_from_iter(&select.values), |row| {
            row.get::<_, String>(3)
        })?;
        Ok(steps.collect::<Result<Vec<_>, _>>()?.join("\n"))
    });
    plan.unwrap()
}

#[test]
fn every_list_of_runs_is_read_in_the_order_of_an_index() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    let all: Vec<_> = tree(process, 200).concat();
    let root = all[0].number;
    store.apply(&batch(process, 1, all.clone())).unwrap();
    let after = Some(all[100].id);
    let query = RunQuery {
        after,
        since: Some(BEGIN),
        limit: 10,
        ..RunQuery::default()
    };
    let failed = vec![StateType::Failed, StateType::Crashed];
    let cases = [
        (query.clone(), "SEARCH r USING INDEX runs_id (id>? AND id<?)"),
        (
            RunQuery {
                roots: true,
                ..query.clone()
            },
            "SEARCH r USING INDEX runs_parent (parent=? AND id>? AND id<?)",
        ),
        (
            RunQuery {
                parent: Some(root),
                ..query.clone()
            },
            "SEARCH r USING INDEX runs_parent (parent=? AND id>? AND id<?)",
        ),
        (
            RunQuery {
                roots: true,
                definition: Some("process-tree-flow".into()),
                ..query.clone()
            },
            "SEARCH r USING INDEX runs_root_definition (definition=? AND id>? AND id<?)",
        ),
        (
            RunQuery {
                states: failed.clone(),
                ..query.clone()
            },
            "SEARCH r USING INDEX runs_uncompleted (state=? AND id>? AND id<?)",
        ),
        (
            RunQuery {
                states: failed,
                root: Some(root),
                kind: Some(RunKind::Task),
                ..query.clone()
            },
            "SEARCH r USING INDEX runs_tree_uncompleted (root=? AND state=? AND id>? AND id<?)",
        ),
        (
            RunQuery {
                tags: vec!["a".into(), "b".into()],
                ..query.clone()
            },
            "SEARCH t USING PRIMARY KEY (tag=? AND id>? AND id<?)",
        ),
        (
            RunQuery {
                root: Some(root),
                ..query
            },
            "SEARCH c USING COVERING INDEX runs_parent (parent=?)",
        ),
    ];
    for (query, wanted) in cases {
        let plan = plan(&store, &query);
        assert!(plan.contains(wanted), "{query:?}\n{plan}");
        assert!(
            !plan.contains("SCAN r ") && !plan.contains("SCAN runs"),
            "{query:?}\n{plan}"
        );
        // Only what was cut to the page's length is sorted: the legs of a union, and the page itself.
        let walked = query.root.is_some() && query.states.is_empty();
        let inner = plan
            .lines()
            .take_while(|line| !line.contains("SCAN p"))
            .filter(|line| line.contains("TEMP B-TREE"));
        let legs = plan
            .lines()
            .filter(|line| line.contains("SEARCH r USING INDEX"))
            .count();
        assert!(inner.count() <= usize::from(walked) + legs, "{query:?}\n{plan}");
        store.runs(&query).unwrap();
    }
}

#[test]
fn the_hot_statements_use_indexes() {
    let place = Directory::new();
    let store = open(&place.file());
    for (sql, wanted) in [
        (
            "SELECT count FROM counts WHERE root = 1",
            "SEARCH counts USING PRIMARY KEY (root=?)",
        ),
        (
            "SELECT state, count(*) FROM runs WHERE parent = 1 GROUP BY definition, state",
            "runs_parent (parent=?)",
        ),
        (
            "SELECT * FROM edges WHERE parent = 1 ORDER BY run, upstream LIMIT 5",
            "PRIMARY KEY (parent=?)",
        ),
        (
            "SELECT * FROM logs WHERE run = 1 AND number > 5 ORDER BY number LIMIT 5",
            "logs_run (run=? AND rowid>?)",
        ),
        (
            "SELECT * FROM logs WHERE root = 1 AND number > 5 ORDER BY number DESC LIMIT 5",
            "logs_root (root=? AND rowid>?)",
        ),
    ] {
        let plan: Vec<String> = store
            .read("explain", |connection| {
                let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let steps = explain.query_map([], |row| row.get(3))?;
                Ok(steps.collect::<Result<_, _>>()?)
            })
            .unwrap();
        assert!(plan[0].contains(wanted), "{sql}: {plan:?}");
    }
}

#[test]
fn a_walked_and_a_scanned_tree_list_the_same() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    for (runs, sequence) in tree(process, 25_000).into_iter().zip(1..) {
        store.apply(&batch(process, sequence, runs)).unwrap();
    }
    let small = run(process, 100_000, None, &definition("flow"), DONE);
    let child = run(process, 100_001, Some(&small), &definition("task"), DONE);
    store
        .apply(&batch(process, 100, vec![small.clone(), child.clone()]))
        .unwrap();
    let list = |root: RunNumber, limit| {
        let query = RunQuery {
            root: Some(root),
            limit,
            oldest_first: true,
            ..RunQuery::default()
        };
        store
            .runs(&query)
            .unwrap()
            .items
            .iter()
            .map(|run| run.number.count())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(small.number, 10), [100_000, 100_001]);
    assert_eq!(list(RunNumber::new(process, 0), 3), [0, 1, 2]);
    assert_eq!(list(RunNumber::new(process, 0), 30_000).len(), 25_000);
}
