//! What users ask of the file with a tool of their own.

use super::world::*;
use crate::store::{LogWrite, Store};

#[test]
fn the_views_tell_everything_in_words() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    let mut many = vec!["Pending"];
    many.extend((0..40).flat_map(|_| ["Running", "AwaitingRetry"]));
    let root = run(process, 1, None, &definition("flow"), &many);
    let mut failed = root.clone();
    failed.states.last_mut().unwrap().message = Some("no \"such\" file".into());
    let mut written = batch(process, 1, vec![failed]);
    written.logs.push(LogWrite {
        run: root.number,
        root: root.number,
        at: BEGIN,
        level: tracing::Level::WARN,
        target: "tests".to_owned(),
        message: "hello".to_owned(),
    });
    store.apply(&written).unwrap();
    let tool = rusqlite::Connection::open(place.file()).unwrap();
    let (id, state, created): (String, String, String) = tool
        .query_row(
            "SELECT id, state, created_at FROM run_view WHERE kind = 'flow'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!((id, state.as_str()), (root.id.to_string(), "AwaitingRetry"));
    assert_eq!(created, "2026-09-21T14:13:20.001Z");
    let mut find = tool
        .prepare("SELECT n, state, at_nanos, message FROM state_view ORDER BY n")
        .unwrap();
    let states: Vec<(u32, String, i64, Option<String>)> = find
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(states.len(), 81);
    for ((n, name, at, _), (state, place)) in states.iter().zip(root.states.iter().zip(0..)) {
        assert_eq!((*n, name.as_str(), *at), (place, state.name(), state.at));
    }
    assert_eq!(states[80].3.as_deref(), Some("no \"such\" file"));
    let line: (String, String, String) = tool
        .query_row("SELECT level, run_name, message FROM log_view", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(line, ("WARN".to_owned(), "flow-1".to_owned(), "hello".to_owned()));
}

#[test]
fn every_table_and_column_is_documented() {
    let place = Directory::new();
    drop(open(&place.file()));
    let tool = rusqlite::Connection::open(place.file()).unwrap();
    let text = include_str!("../schema.md");
    let mut find = tool
        .prepare(
            "SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c \
             WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite%'",
        )
        .unwrap();
    let mut rows = find.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (table, column): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        let line = text.lines().find(|line| line.starts_with(&format!("| `{table}` |")));
        let told = line.is_some_and(|line| line.contains(&format!("`{column}`")));
        assert!(told, "{table}.{column} isn't in the documentation");
    }
}
