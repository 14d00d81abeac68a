//! Deleting trees of runs.
//!
//! A large tree takes several transactions. The first enters its root in the table `doomed`; nobody can claim it from then on, and what is
//! interrupted is finished by the next that deletes or prunes.

use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::codes::open_states;
use super::durable::{is_doomed, not_found};
use super::fault::Outcome;
use super::read;
use super::write::{Counts, parse_list};
use super::writer::Writing;
use crate::clock::wall_nanos;
use crate::run::RunId;
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// So many rows are deleted in one transaction: others want to write meanwhile.
const AT_ONCE: usize = 10_000;

pub(super) fn delete(store: &SqliteStore, id: RunId) -> StoreResult<u64> {
    let root = store.write("delete runs", |writing| {
        let connection = writing.connection;
        let run = read::run(connection, id)?.ok_or_else(|| not_found(id))?;
        let refused = |why: &str, advice: &str| {
            StoreError::new(StoreErrorKind::Refused, format!("run {id} ({}) {why}", run.name)).advise(advice.to_owned())
        };
        if run.parent.is_some() {
            return Err(refused("was made by another run", "delete the outermost run around it").into());
        }
        if has_open(connection, run.number.get())? {
            return Err(refused("isn't over, or a run below it isn't", "wait for its end, or cancel it").into());
        }
        doom(writing, run.number.get())?;
        Ok(run.number.get())
    })?;
    remove(store, root)
}

pub(super) fn prune(store: &SqliteStore, before: i64, limit: usize) -> StoreResult<u64> {
    let mut gone = 0;
    // What somebody else has begun comes first.
    for root in store.read("look for old runs", doomed)? {
        gone += remove(store, root)?;
    }
    let mut pruned = 0;
    let mut beyond = (i64::MIN, i64::MIN);
    while pruned < limit {
        let page = store.read("look for old runs", |connection| old(connection, before, beyond))?;
        let Some(last) = page.last() else { break };
        beyond = *last;
        for (_, root) in page {
            if pruned == limit {
                break;
            }
            let doomed = store.write("delete runs", |writing| {
                let connection = writing.connection;
                // Somebody may have gone on with it since it was read.
                let may = ended_before(connection, root, before)?
                    && !has_open(connection, root)?
                    && !is_used(connection, root, wall_nanos())?;
                if may {
                    doom(writing, root)?;
                }
                Ok(may)
            })?;
            if doomed {
                gone += remove(store, root)?;
                pruned += 1;
            }
        }
    }
    Ok(gone)
}

/// Roots that ended before, oldest first, beyond one of them.
fn old(connection: &Connection, before: i64, beyond: (i64, i64)) -> Outcome<Vec<(i64, i64)>> {
    let mut find = connection.prepare_cached(
        "SELECT created_at + ended_after, number FROM runs INDEXED BY runs_root_ended \
         WHERE parent IS NULL AND ended_after IS NOT NULL AND created_at + ended_after < ?1 \
             AND (created_at + ended_after, number) > (?2, ?3) \
         ORDER BY created_at + ended_after, number LIMIT 1000",
    )?;
    let found = find.query_map(params![before, beyond.0, beyond.1], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn ended_before(connection: &Connection, root: i64, before: i64) -> Outcome<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM runs WHERE number = ?1 AND parent IS NULL AND created_at + ended_after < ?2")?
        .exists(params![root, before])?)
}

/// Whether a run of the tree is open.
fn has_open(connection: &Connection, root: i64) -> Outcome<bool> {
    let codes: Vec<String> = open_states().map(|code| code.to_string()).collect();
    let sql = format!(
        "SELECT 1 FROM counts WHERE root = ?1 AND count > 0 AND state IN ({})",
        codes.join(", ")
    );
    Ok(connection.prepare_cached(&sql)?.exists([root])?)
}

/// Whether a later run may still be answered with a result of the tree.
fn is_used(connection: &Connection, root: i64, now: i64) -> Outcome<bool> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM cache AS c JOIN runs AS r ON r.number = c.run WHERE c.root = ?1 \
             AND (c.expires_at IS NULL OR c.expires_at > ?2) AND r.state IN (3, 7) AND r.result_whole = 1",
        )?
        .exists([root, now])?)
}

fn doom(writing: &mut Writing<'_>, root: i64) -> Outcome<()> {
    writing
        .connection
        .prepare_cached("INSERT OR IGNORE INTO doomed (root) VALUES (?1)")?
        .execute([root])?;
    Ok(())
}

fn doomed(connection: &Connection) -> Outcome<Vec<i64>> {
    let mut find = connection.prepare_cached("SELECT root FROM doomed ORDER BY root")?;
    Ok(find.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Removes a doomed tree, the children before their parents, so that what is left is a tree at all times.
fn remove(store: &SqliteStore, root: i64) -> StoreResult<u64> {
    let mut numbers = store.read("find the runs below a run", |connection| tree(connection, root))?;
    numbers.reverse();
    loop {
        let gone = store.write("delete logs", |writing| {
            let mut delete = writing.connection.prepare_cached(
                "DELETE FROM logs WHERE number IN (SELECT number FROM logs WHERE root = ?1 LIMIT ?2)",
            )?;
            Ok(delete.execute(params![root, read::limit_of(AT_ONCE)])?)
        })?;
        if gone < AT_ONCE {
            break;
        }
    }
    let mut gone = 0;
    for some in numbers.chunks(AT_ONCE) {
        gone += store.write("delete runs", |writing| {
            if !is_doomed(writing.connection, root)? {
                // Another was quicker.
                return Ok(0);
            }
            remove_runs(writing.connection, some)
        })?;
    }
    store.write("delete runs", |writing| {
        let connection = writing.connection;
        for table in ["counts", "doomed", "cache"] {
            connection
                .prepare_cached(&format!("DELETE FROM {table} WHERE root = ?1"))?
                .execute([root])?;
        }
        Ok(())
    })?;
    Ok(gone)
}

/// The runs of a tree, each after its parent.
fn tree(connection: &Connection, root: i64) -> Outcome<Vec<i64>> {
    let mut children =
        connection.prepare_cached("SELECT number FROM runs INDEXED BY runs_parent WHERE parent = ?1 ORDER BY id")?;
    let mut numbers = vec![root];
    let mut next = 0;
    while let Some(parent) = numbers.get(next).copied() {
        next += 1;
        for child in children.query_map([parent], |row| row.get::<_, i64>(0))? {
            numbers.push(child?);
        }
    }
    Ok(numbers)
}

fn remove_runs(connection: &Connection, numbers: &[i64]) -> Outcome<u64> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM runs WHERE number = ?1 RETURNING id, root, definition, state, seen, tags, ifnull(parent, 0)",
    )?;
    let mut counts = Counts::default();
    let mut gone = 0;
    for number in numbers {
        let found = delete
            .query_row([number], |row| {
                counts.add(row.get(1)?, row.get(2)?, row.get(3)?, -1);
                let tags: Option<String> = row.get(5)?;
                Ok((
                    row.get::<_, [u8; 16]>(0)?,
                    row.get::<_, u32>(4)?,
                    tags,
                    row.get::<_, i64>(6)?,
                ))
            })
            .optional()?;
        let Some((id, seen, tags, parent)) = found else {
            continue;
        };
        gone += 1;
        for tag in tags.iter().flat_map(|tags| parse_list(tags)) {
            connection
                .prepare_cached("DELETE FROM run_tags WHERE tag = ?1 AND id = ?2")?
                .execute(params![tag, id])?;
        }
        if seen > super::history::KEPT_IN_ROW {
            connection
                .prepare_cached("DELETE FROM states WHERE run = ?1")?
                .execute([number])?;
        }
        connection
            .prepare_cached("DELETE FROM edges WHERE parent = ?1 AND run = ?2")?
            .execute([parent, *number])?;
    }
    counts.write(connection)?;
    Ok(gone)
}
