//! Going on with what is recorded: claims, recorded calls, cached results, requests.

use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Outcome;
use super::process::{Ending, withdraw_request};
use super::read::{self, bytes};
use super::row::{self, unreadable};
use super::write::{Counts, fenced};
use super::writer::Writing;
use crate::failpoint;
use crate::run::RunId;
use crate::state::StateName;
use crate::store::{CallKey, Claimed, Recorded, RunNumber, StoreError, StoreErrorKind};

pub(super) fn claim(writing: &mut Writing<'_>, id: RunId, process: u32, at: i64) -> Outcome<Claimed> {
    let connection = writing.connection;
    let end: Option<Option<String>> = connection
        .prepare_cached("SELECT end FROM processes WHERE number = ?1")?
        .query_row([process], |row| row.get(0))
        .optional()?;
    match end {
        Some(None) => {}
        Some(Some(end)) => return Err(fenced(process, &end).into()),
        None => return Err(fenced(process, "it was never entered").into()),
    }
    let run = read::run(connection, id)?.ok_or_else(|| not_found(id))?;
    let refused = |why: &str, advice: &str| {
        StoreError::new(StoreErrorKind::Refused, format!("run {id} ({}) {why}", run.name)).advise(advice.to_owned())
    };
    if run.parent.is_some() {
        return Err(refused("was made by another run", "resume the outermost run around it").into());
    }
    if !run.durable {
        return Err(refused("isn't durable", "mark its flow `#[flow(durable)]`, and start it again").into());
    }
    if run.ended_at.is_none() {
        return Err(refused("is open", "wait for its end, or cancel it").into());
    }
    if run.state.is_completed() {
        return Err(refused("has completed", "there is nothing to go on with: start a new run").into());
    }
    if is_doomed(connection, run.number.get())? {
        return Err(refused("is being deleted", "start a new run").into());
    }
    let mut counts = Counts::default();
    let number = run.number.get();
    Ending::numbered(connection, number)?.become_state(connection, &mut counts, StateName::Pending, at, None)?;
    counts.write(connection)?;
    failpoint!("sqlite::half-claimed");
    withdraw_request(connection, number)?;
    connection
        .prepare_cached(
            "UPDATE runs SET process = ?2, error = NULL, result = NULL, result_whole = NULL WHERE number = ?1",
        )?
        .execute(params![number, process])?;
    let run = read::run(connection, id)?.ok_or_else(|| not_found(id))?;
    Ok(Claimed { run })
}

/// Whether its deletion has begun.
pub(super) fn is_doomed(connection: &Connection, root: i64) -> Outcome<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM doomed WHERE root = ?1")?
        .exists([root])?)
}

/// What one is told who asks for a run that isn't there.
pub(super) fn not_found(id: RunId) -> StoreError {
    StoreError::new(StoreErrorKind::NotFound, format!("there is no run {id}")).advise("`runs` lists those there are")
}

pub(super) fn recorded(connection: &Connection, parent: RunNumber) -> Outcome<Vec<Recorded>> {
    let mut find = connection.prepare_cached(
        "SELECT r.number, r.id, r.call_key, r.name, d.key, d.version, r.seen, r.attempt, r.forgiven, r.crashes, r.retry_at, r.created_at, \
             r.history, CASE WHEN r.result_whole = 1 THEN r.result END \
         FROM runs AS r JOIN definitions AS d ON d.code = r.definition \
         WHERE r.parent = ?1 AND r.call_key IS NOT NULL ORDER BY r.id",
    )?;
    let mut rows = find.query([parent.get()])?;
    let mut recorded = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, seen, created_at): (i64, u32, i64) = (row.get(0)?, row.get(6)?, row.get(11)?);
        let text = row.get_ref(12)?.as_str().map_err(|error| unreadable(12, error))?;
        let state = row::present(connection, number, created_at, seen, text)?;
        let result = row
            .get_ref(13)?
            .as_bytes_or_null()
            .map_err(|error| unreadable(13, error))?;
        recorded.push(Recorded {
            call_key: CallKey(row.get(2)?),
            number: RunNumber::from_stored(number),
            id: row::id(row, 1)?,
            name: row.get(3)?,
            definition_key: row.get(4)?,
            version: row.get(5)?,
            states: seen,
            attempt: row.get(7)?,
            forgiven: row.get(8)?,
            crashes: row.get(9)?,
            retry_at: row.get(10)?,
            result: result.filter(|_| state.is_completed()).map(Into::into),
            state,
        });
    }
    Ok(recorded)
}

pub(super) fn cached(
    connection: &Connection,
    definition_key: &str,
    cache_key: &str,
    now: i64,
) -> Outcome<Option<Box<[u8]>>> {
    let found = connection
        .prepare_cached(
            "SELECT r.result FROM cache AS c JOIN runs AS r ON r.number = c.run \
             WHERE c.definition_key = ?1 AND c.cache_key = ?2 AND (c.expires_at IS NULL OR c.expires_at > ?3) \
                 AND r.state IN (3, 7) AND r.result_whole = 1 AND r.result IS NOT NULL \
             ORDER BY r.created_at + r.ended_after DESC, r.id DESC LIMIT 1",
        )?
        .query_row(params![definition_key, cache_key, now], |row| bytes(row, 0))
        .optional()?;
    Ok(found)
}

pub(super) fn request_cancel(writing: &mut Writing<'_>, id: RunId, at: i64) -> Outcome<bool> {
    let connection = writing.connection;
    let run = read::run(connection, id)?.ok_or_else(|| not_found(id))?;
    if run.ended_at.is_some() {
        return Ok(false);
    }
    connection
        .prepare_cached("INSERT OR IGNORE INTO requests (run, at) VALUES (?1, ?2)")?
        .execute(params![run.number.get(), at])?;
    Ok(true)
}
