//! Looking over a store.

use rusqlite::Connection;

use super::fault::Outcome;
use super::files::{Home, size};
use crate::clock::wall_nanos;
use crate::store::Health;

/// A log larger than this is told.
const LARGE_LOG: u64 = 256 << 20;

pub(super) fn check(connection: &Connection, home: &Home, schema: i32, deep: bool) -> Outcome<Health> {
    let mut health = Health::default();
    let mut fact = |name: &str, value: String| health.facts.push((name.to_owned(), value));
    fact("path", home.path().display().to_string());
    fact("sqlite", rusqlite::version().to_owned());
    fact("schema", schema.to_string());
    fact("bytes", size(home.path()).to_string());
    let log = size(home.log());
    fact("log bytes", log.to_string());
    for pragma in ["journal_mode", "page_size", "page_count", "freelist_count"] {
        let value: rusqlite::types::Value = connection.pragma_query_value(None, pragma, |row| row.get(0))?;
        fact(&pragma.replace('_', " "), text_of(&value));
    }
    for (name, table) in [
        ("processes", "processes"),
        ("definitions", "definitions"),
        ("cached results", "cache"),
    ] {
        fact(
            name,
            count(connection, &format!("SELECT count(*) FROM {table}"))?.to_string(),
        );
    }
    // The runs are counted as they are written; only a deep look counts them again.
    fact(
        "runs",
        count(connection, "SELECT ifnull(sum(count), 0) FROM counts")?.to_string(),
    );
    fact(
        "roots",
        count(connection, "SELECT count(*) FROM runs WHERE parent IS NULL")?.to_string(),
    );
    if deep {
        fact("log lines", count(connection, "SELECT count(*) FROM logs")?.to_string());
        fact(
            "states",
            count(connection, "SELECT ifnull(sum(seen), 0) FROM runs")?.to_string(),
        );
    }
    if log > LARGE_LOG {
        health.problems.push(format!(
            "the write-ahead log has {log} bytes: some program reads without an end; find it with `lsof` and end it"
        ));
    }
    dead_processes(connection, &mut health)?;
    unfinished(connection, &mut health)?;
    integrity(connection, &mut health, deep)?;
    if deep {
        orphans(connection, &mut health)?;
        counted(connection, &mut health)?;
    }
    Ok(health)
}

fn text_of(value: &rusqlite::types::Value) -> String {
    use rusqlite::types::Value;
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn count(connection: &Connection, sql: &str) -> Outcome<i64> {
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

fn dead_processes(connection: &Connection, health: &mut Health) -> Outcome<()> {
    let mut find = connection.prepare(
        "SELECT number, pid, host FROM processes WHERE ended_at IS NULL AND lease_until < ?1 ORDER BY number",
    )?;
    let mut rows = find.query([wall_nanos()])?;
    while let Some(row) = rows.next()? {
        let (number, pid, host): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        health.problems.push(format!(
            "process {number} ({pid} on {host}) gave no sign of life in its time: if it is dead, the next program that opens the store \
             crashes its runs"
        ));
    }
    Ok(())
}

fn unfinished(connection: &Connection, health: &mut Health) -> Outcome<()> {
    let doomed = count(connection, "SELECT count(*) FROM doomed")?;
    if doomed > 0 {
        health.problems.push(format!(
            "{doomed} trees of runs are half deleted: `prune` finishes that"
        ));
    }
    let unsettled = count(
        connection,
        "SELECT count(*) FROM processes WHERE settled = 0 AND ended_at IS NOT NULL",
    )?;
    if unsettled > 0 {
        health.problems.push(format!(
            "the runs of {unsettled} ended processes are not all crashed yet: the next program that opens the store does it"
        ));
    }
    Ok(())
}

fn integrity(connection: &Connection, health: &mut Health, deep: bool) -> Outcome<()> {
    let pragma = if deep {
        "PRAGMA integrity_check(20)"
    } else {
        "PRAGMA quick_check(20)"
    };
    let mut find = connection.prepare(pragma)?;
    let mut rows = find.query([])?;
    while let Some(row) = rows.next()? {
        let found: String = row.get(0)?;
        if found != "ok" {
            health.problems.push(format!(
                "{}: put a backup in the file's place, or save what can be read with `sqlite3 FILE .recover`",
                found.replace('\n', " ")
            ));
        }
    }
    Ok(())
}

fn orphans(connection: &Connection, health: &mut Health) -> Outcome<()> {
    let orphans = count(
        connection,
        "SELECT count(*) FROM runs AS r WHERE parent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM runs AS p WHERE p.number = r.parent)",
    )?;
    if orphans > 0 {
        health.problems.push(format!(
            "{orphans} runs have a parent that isn't there: a part of the record was lost when it was written"
        ));
    }
    Ok(())
}

fn counted(connection: &Connection, health: &mut Health) -> Outcome<()> {
    let wrong = wrong_counts(connection)?;
    if wrong > 0 {
        health.problems.push(format!(
            "{wrong} counts of runs don't agree with the runs: the file was changed by something else than flowcore"
        ));
    }
    Ok(())
}

/// How many of the counts that are kept differ from those of the runs themselves.
pub(super) fn wrong_counts(connection: &Connection) -> Outcome<i64> {
    count(
        connection,
        "WITH true_counts AS ( \
             SELECT root, definition, state, count(*) AS count FROM runs GROUP BY root, definition, state \
         ), kept AS (SELECT root, definition, state, count FROM counts WHERE count <> 0) \
         SELECT (SELECT count(*) FROM (SELECT * FROM true_counts EXCEPT SELECT * FROM kept)) \
             + (SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM true_counts))",
    )
}
