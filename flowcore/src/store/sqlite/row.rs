//! From rows of the tables to what a store gives.

use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use super::codes::kind_of;
use super::fault::Outcome;
use super::history::{self, KEPT_IN_ROW};
use crate::run::{RunId, RunKind};
use crate::state::State;
use crate::store::{CallKey, RunNumber, RunRow};

/// What [`run`] reads, of `runs AS r` and `definitions AS d`.
pub(super) const COLUMNS: &str = "r.number, r.id, r.parent, r.root, d.kind, d.name, d.key, d.version, r.name, r.depth, r.attempt, \
    r.forgiven, r.crashes, r.durable, r.call_key, r.created_at, r.started_after, r.ended_after, r.process, r.seen, r.tags, r.parameters, \
    r.error, r.replay, r.history";

/// Where [`COLUMNS`] are.
pub(super) const TABLES: &str = "runs AS r JOIN definitions AS d ON d.code = r.definition";

/// A row of [`COLUMNS`].
pub(super) fn run(connection: &Connection, row: &Row<'_>) -> Outcome<RunRow> {
    let number: i64 = row.get(0)?;
    let created_at: i64 = row.get(15)?;
    let after = |nanos: Option<i64>| nanos.map(|nanos| created_at.wrapping_add(nanos));
    let list = |column| -> rusqlite::Result<Vec<String>> {
        let json = row
            .get_ref(column)?
            .as_str_or_null()
            .map_err(|error| unreadable(column, error))?;
        json.map_or(Ok(Vec::new()), |json| {
            serde_json::from_str(json).map_err(|error| unreadable(column, error))
        })
    };
    let replay = row
        .get_ref(23)?
        .as_str_or_null()
        .map_err(|error| unreadable(23, error))?;
    let seen: u32 = row.get(19)?;
    let text = row.get_ref(24)?.as_str().map_err(|error| unreadable(24, error))?;
    Ok(RunRow {
        number: RunNumber::from_stored(number),
        id: id(row, 1)?,
        parent: row.get::<_, Option<i64>>(2)?.map(RunNumber::from_stored),
        root: RunNumber::from_stored(row.get(3)?),
        kind: kind(row, 4)?,
        definition: row.get(5)?,
        definition_key: row.get(6)?,
        version: row.get(7)?,
        name: row.get(8)?,
        depth: row.get(9)?,
        state: present(connection, number, created_at, seen, text)?,
        attempt: row.get(10)?,
        forgiven: row.get(11)?,
        crashes: row.get(12)?,
        durable: row.get(13)?,
        call_key: row.get::<_, Option<[u8; 16]>>(14)?.map(CallKey),
        created_at,
        started_at: after(row.get(16)?),
        ended_at: after(row.get(17)?),
        process: row.get(18)?,
        states: seen,
        tags: list(20)?,
        parameters: row.get(21)?,
        error: list(22)?,
        replay: replay
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| unreadable(23, error))?,
    })
}

/// A run's state, of its row's history, or of what stands beyond it.
pub(super) fn present(connection: &Connection, number: i64, created_at: i64, seen: u32, text: &str) -> Outcome<State> {
    if seen > KEPT_IN_ROW {
        let spilled = connection
            .prepare_cached("SELECT state, after, message FROM states WHERE run = ?1 ORDER BY n DESC LIMIT 1")?
            .query_row([number], |row| state(row, created_at))?;
        return Ok(spilled);
    }
    let last = history::parse(text, created_at).and_then(|mut states| states.pop());
    Ok(last.ok_or_else(|| unreadable(0, format!("the history of run {number} can't be read: {text}")))?)
}

/// A row of `state, after, message`.
pub(super) fn state(row: &Row<'_>, created_at: i64) -> rusqlite::Result<State> {
    let message = row.get_ref(2)?.as_str_or_null().map_err(|error| unreadable(2, error))?;
    let at = created_at.wrapping_add(row.get(1)?);
    history::state(row.get(0)?, at, message).ok_or_else(|| unreadable(0, "no state has that code"))
}

pub(super) fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<RunId> {
    Ok(RunId::from_stored(row.get(column)?))
}

pub(super) fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<RunKind> {
    kind_of(row.get(column)?).ok_or_else(|| unreadable(column, "neither a flow nor a task"))
}

/// A value that isn't one of flowcore's.
pub(super) fn unreadable(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
