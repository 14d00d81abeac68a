//! Reading: single runs, groups, counts, states, logs and edges.

use rusqlite::{Connection, OptionalExtension, params};

use super::codes::{level_code, level_of, state_name};
use super::fault::Outcome;
use super::history::{self, KEPT_IN_ROW};
use super::row::{self, COLUMNS, TABLES, unreadable};
use crate::run::RunId;
use crate::state::State;
use crate::store::{Count, Edge, Group, LogQuery, LogRow, Page, RunNumber, RunRow};

pub(super) fn run(connection: &Connection, id: RunId) -> Outcome<Option<RunRow>> {
    one(connection, "r.id = ?1", super::write::bytes_of(&id))
}

pub(super) fn run_numbered(connection: &Connection, number: RunNumber) -> Outcome<Option<RunRow>> {
    one(connection, "r.number = ?1", &number.get())
}

fn one(connection: &Connection, which: &str, value: &dyn rusqlite::ToSql) -> Outcome<Option<RunRow>> {
    let mut find = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM {TABLES} WHERE {which}"))?;
    let mut rows = find.query([value])?;
    match rows.next()? {
        Some(row) => Ok(Some(row::run(connection, row)?)),
        None => Ok(None),
    }
}

pub(super) fn ids(connection: &Connection, prefix: &str, limit: usize) -> Outcome<Vec<RunId>> {
    let Some((first, last)) = range(prefix) else {
        return Ok(Vec::new());
    };
    let mut find = connection.prepare_cached("SELECT id FROM runs WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3")?;
    let found = find.query_map(params![first, last, limit_of(limit)], |row| row::id(row, 0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The first and the last id that begin with these hexadecimal digits.
fn range(prefix: &str) -> Option<([u8; 16], [u8; 16])> {
    if prefix.is_empty() || prefix.len() > 32 || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let first = u128::from_str_radix(prefix, 16).ok()?;
    let free = 4 * (32 - prefix.len() as u32);
    // Shifting by all 128 bits can't happen: there is a digit.
    let first = first << free;
    let last = first | ((1_u128 << free) - 1);
    Some((first.to_be_bytes(), last.to_be_bytes()))
}

/// A limit as SQLite counts it.
pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn groups(connection: &Connection, parent: RunNumber) -> Outcome<Vec<Group>> {
    let mut find = connection.prepare_cached(
        "SELECT d.kind, d.name, g.state, g.count, g.started, g.ended FROM ( \
             SELECT definition, state, count(*) AS count, min(created_at + started_after) AS started, \
                 max(created_at + ended_after) AS ended, min(id) AS first \
             FROM runs WHERE parent = ?1 GROUP BY definition, state \
         ) AS g JOIN definitions AS d ON d.code = g.definition ORDER BY g.first",
    )?;
    let mut groups: Vec<Group> = Vec::new();
    let mut rows = find.query([parent.get()])?;
    while let Some(row) = rows.next()? {
        let name = state_name(row.get(2)?).ok_or_else(|| unreadable(2, "no state has that code"))?;
        let found = Group {
            kind: row::kind(row, 0)?,
            definition: row.get(1)?,
            state: name.kind(),
            count: row.get::<_, i64>(3)?.unsigned_abs(),
            first_started_at: row.get(4)?,
            last_ended_at: row.get(5)?,
        };
        // Several names of states, and versions of a task, are one group.
        let same = groups
            .iter_mut()
            .find(|group| (group.kind, &group.definition, group.state) == (found.kind, &found.definition, found.state));
        match same {
            Some(group) => {
                group.count += found.count;
                group.first_started_at = [group.first_started_at, found.first_started_at]
                    .into_iter()
                    .flatten()
                    .min();
                group.last_ended_at = group.last_ended_at.max(found.last_ended_at);
            }
            None => groups.push(found),
        }
    }
    Ok(groups)
}

pub(super) fn counts(connection: &Connection, root: RunNumber) -> Outcome<Vec<Count>> {
    let mut find = connection.prepare_cached(
        "SELECT d.kind, d.name, c.state, c.count FROM counts AS c JOIN definitions AS d ON d.code = c.definition \
         WHERE c.root = ?1 AND c.count > 0 ORDER BY c.definition, c.state",
    )?;
    let mut counts: Vec<Count> = Vec::new();
    let mut rows = find.query([root.get()])?;
    while let Some(row) = rows.next()? {
        let name = state_name(row.get(2)?).ok_or_else(|| unreadable(2, "no state has that code"))?;
        let found = Count {
            kind: row::kind(row, 0)?,
            definition: row.get(1)?,
            state: name.kind(),
            count: row.get::<_, i64>(3)?.unsigned_abs(),
        };
        let same = counts
            .iter_mut()
            .find(|count| (count.kind, &count.definition, count.state) == (found.kind, &found.definition, found.state));
        match same {
            Some(count) => count.count += found.count,
            None => counts.push(found),
        }
    }
    Ok(counts)
}

pub(super) fn states(connection: &Connection, run: RunNumber) -> Outcome<Vec<State>> {
    let found = connection
        .prepare_cached("SELECT created_at, seen, history FROM runs WHERE number = ?1")?
        .query_row([run.get()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    let Some((created_at, seen, text)) = found else {
        return Ok(Vec::new());
    };
    let mut states =
        history::parse(&text, created_at).ok_or_else(|| unreadable(2, format!("not a history: {text}")))?;
    if seen > KEPT_IN_ROW {
        let mut find =
            connection.prepare_cached("SELECT state, after, message FROM states WHERE run = ?1 ORDER BY n")?;
        for state in find.query_map([run.get()], |row| row::state(row, created_at))? {
            states.push(state?);
        }
    }
    Ok(states)
}

pub(super) fn result(connection: &Connection, run: RunNumber) -> Outcome<Option<(Box<[u8]>, bool)>> {
    let found = connection
        .prepare_cached("SELECT result, result_whole FROM runs WHERE number = ?1 AND result IS NOT NULL")?
        .query_row([run.get()], |row| Ok((bytes(row, 0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

/// Text or bytes, as bytes.
pub(super) fn bytes(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Box<[u8]>> {
    let value = row
        .get_ref(column)?
        .as_bytes()
        .map_err(|error| unreadable(column, error))?;
    Ok(value.into())
}

pub(super) fn logs(connection: &Connection, query: &LogQuery) -> Outcome<Page<LogRow>> {
    let root: Option<i64> = connection
        .prepare_cached("SELECT root FROM runs WHERE number = ?1")?
        .query_row([query.run.get()], |row| row.get(0))
        .optional()?;
    let below = query.below && root == Some(query.run.get());
    let (which, order) = (
        if below { "root" } else { "run" },
        if query.last { "DESC" } else { "ASC" },
    );
    let mut find = connection.prepare_cached(&format!(
        "SELECT l.number, l.run, ifnull(r.name, ''), l.at, l.level, l.target, l.message \
         FROM logs AS l LEFT JOIN runs AS r ON r.number = l.run \
         WHERE l.{which} = ?1 AND l.number > ?2 AND l.level >= ?3 ORDER BY l.number {order} LIMIT ?4"
    ))?;
    let after = query.after.unwrap_or(i64::MIN);
    let limit = limit_of(query.limit).saturating_add(1);
    let mut rows = find.query(params![query.run.get(), after, level_code(query.level), limit])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(LogRow {
            number: row.get(0)?,
            run: RunNumber::from_stored(row.get(1)?),
            run_name: row.get(2)?,
            at: row.get(3)?,
            level: level_of(row.get(4)?).ok_or_else(|| unreadable(4, "no level has that code"))?,
            target: row.get(5)?,
            message: row.get(6)?,
        });
    }
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    if query.last {
        items.reverse();
    }
    Ok(Page { items, more })
}

pub(super) fn edges(connection: &Connection, parent: RunNumber, limit: usize) -> Outcome<Vec<Edge>> {
    let mut find = connection
        .prepare_cached("SELECT run, upstream FROM edges WHERE parent = ?1 ORDER BY run, upstream LIMIT ?2")?;
    let found = find.query_map(params![parent.get(), limit_of(limit)], |row| {
        Ok(Edge {
            run: RunNumber::from_stored(row.get(0)?),
            upstream: RunNumber::from_stored(row.get(1)?),
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_range() {
        let (first, last) = range("01a").unwrap();
        assert_eq!((first[0], first[1], last[0], last[1]), (0x01, 0xa0, 0x01, 0xaf));
        let (first, last) = range(&"f".repeat(32)).unwrap();
        assert_eq!(first, last);
        for bad in ["", "+1", "xyz", &"0".repeat(33)] {
            assert!(range(bad).is_none(), "{bad}");
        }
    }
}
