//! Writing a batch.

use std::collections::HashMap;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, params};

use super::codes::{level_code, state_code};
use super::fault::Outcome;
use super::history::{self, KEPT_IN_ROW};
use super::process::withdraw_request;
use super::writer::{Definitions, Writing};
use crate::failpoint;
use crate::run::RunId;
use crate::state::{State, StateType};
use crate::store::batch::{Batch, LogWrite, ResultWrite, RunWrite};
use crate::store::{RunNumber, StoreError, StoreErrorKind};

const INSERT: &str = "INSERT INTO runs (number, id, parent, root, definition, depth, state, seen, attempt, forgiven, crashes, durable, \
    process, created_at, started_after, ended_after, retry_at, call_key, name, history, tags, replay, error, parameters, result_whole, \
    result) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, \
    ?26) ON CONFLICT (number) DO NOTHING";

const STORED: &str = "SELECT id, definition, state, seen, created_at, started_after, ended_after, history, tags FROM runs WHERE number = ?1";

const UPDATE: &str = "UPDATE runs SET definition = ?2, state = ?3, seen = ?4, attempt = ?5, forgiven = ?6, crashes = ?7, durable = ?8, \
    process = ?9, started_after = ?10, ended_after = ?11, retry_at = ?12, call_key = ifnull(?13, call_key), name = ?14, history = ?15, \
    tags = ?16, replay = ifnull(?17, replay), error = ?18, parameters = ifnull(?19, parameters), \
    result_whole = ifnull(?20, result_whole), result = ifnull(?21, result) WHERE number = ?1";

/// Writes all of it; the caller's transaction makes that all or nothing.
pub(super) fn apply(writing: &mut Writing<'_>, batch: &Batch) -> Outcome<()> {
    let connection = writing.connection;
    let sequence = i64::try_from(batch.sequence).unwrap_or(i64::MAX);
    if !is_new(connection, batch.process, sequence)? {
        return Ok(());
    }
    let mut runs = Runs::new(connection, writing.definitions, batch.process)?;
    for run in &batch.runs {
        runs.write(run)?;
        failpoint!("sqlite::run-written");
    }
    runs.counts.write(connection)?;
    failpoint!("sqlite::counts-written");
    write_logs(connection, &batch.logs)?;
    connection
        .prepare_cached("UPDATE processes SET sequence = ?2 WHERE number = ?1")?
        .execute(params![batch.process, sequence])?;
    Ok(())
}

/// Whether a batch of that process is to be written.
fn is_new(connection: &Connection, process: u32, sequence: i64) -> Outcome<bool> {
    let found = connection
        .prepare_cached("SELECT sequence, end FROM processes WHERE number = ?1")?
        .query_row([process], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?))
        });
    match found {
        Ok((_, Some(end))) => Err(fenced(process, &end).into()),
        Ok((written, None)) => Ok(sequence > written),
        Err(rusqlite::Error::QueryReturnedNoRows) => Err(fenced(process, "it was never entered").into()),
        Err(error) => Err(error.into()),
    }
}

/// What a process is told that may not write.
pub(super) fn fenced(process: u32, end: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Fenced,
        format!("process {process} may not write any more: {end}"),
    )
    .advise("its runs were given up; start the program again and resume them")
}

/// How many runs of a tree are in which state: the changes of one transaction.
#[derive(Default)]
pub(super) struct Counts(HashMap<(i64, i64, i64), i64>);

impl Counts {
    pub(super) fn add(&mut self, root: i64, definition: i64, state: i64, by: i64) {
        *self.0.entry((root, definition, state)).or_default() += by;
    }

    pub(super) fn write(&self, connection: &Connection) -> Outcome<()> {
        let mut add = connection.prepare_cached(
            "INSERT INTO counts (root, definition, state, count) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (root, definition, state) DO UPDATE SET count = count + excluded.count",
        )?;
        for ((root, definition, state), by) in &self.0 {
            if *by != 0 {
                add.execute(params![root, definition, state, by])?;
            }
        }
        Ok(())
    }
}

/// The statements for runs, looked up once a batch.
struct Runs<'a> {
    connection: &'a Connection,
    definitions: &'a mut Definitions,
    process: u32,
    insert: CachedStatement<'a>,
    counts: Counts,
    /// Reused from run to run.
    history: String,
}

/// What the row of a run has of it already.
struct Stored {
    id: [u8; 16],
    definition: i64,
    state: i64,
    seen: u32,
    created_at: i64,
    started_after: Option<i64>,
    ended_after: Option<i64>,
    history: String,
    tags: Option<String>,
}

impl<'a> Runs<'a> {
    fn new(connection: &'a Connection, definitions: &'a mut Definitions, process: u32) -> Outcome<Self> {
        Ok(Self {
            connection,
            definitions,
            process,
            insert: connection.prepare_cached(INSERT)?,
            counts: Counts::default(),
            history: String::new(),
        })
    }

    fn write(&mut self, run: &RunWrite) -> Outcome<()> {
        let definition = self.definitions.code(self.connection, &run.definition)?;
        // Which of the two is likely is known; what is true the table says.
        if run.state_before.is_none() && self.insert(run, definition)? {
            return Ok(());
        }
        match self.stored(run.number)? {
            Some(stored) => self.update(run, definition, stored),
            None => self.insert(run, definition).map(|_| ()),
        }
    }

    /// False if there is a run of that number.
    fn insert(&mut self, run: &RunWrite, definition: i64) -> Outcome<bool> {
        let states = match (&run.states[..], &run.state_before) {
            ([], Some(before)) => std::slice::from_ref(before),
            (states, _) => states,
        };
        let (Some(first), Some(last)) = (states.first(), states.last()) else {
            // There is nothing to tell of it yet.
            return Ok(false);
        };
        let created_at = first.at;
        let seen = run.first_state.saturating_add(count(&run.states)).max(1);
        let started = states.iter().find(|state| state.kind() == StateType::Running);
        let started_after = started.map(|state| state.at.wrapping_sub(created_at));
        let ended_after = last.is_final().then(|| last.at.wrapping_sub(created_at));
        self.history.clear();
        for state in within(states, seen) {
            history::push(&mut self.history, created_at, state);
        }
        let tags = json_of(&run.tags);
        let state = state_code(last.name);
        let inserted = self.insert.execute(params![
            run.number.get(),
            bytes_of(&run.id),
            run.parent.map(RunNumber::get),
            run.root.get(),
            definition,
            run.depth,
            state,
            seen,
            run.attempt,
            run.forgiven,
            run.crashes,
            run.durable,
            self.process,
            created_at,
            started_after,
            ended_after,
            run.retry_at,
            run.call_key.as_ref().map(|key| &key.0[..]),
            run.name,
            self.history,
            tags,
            replay_of(run),
            json_of(&run.error),
            run.parameters,
            run.result.as_ref().map(|result| result.whole),
            run.result.as_ref().map(value_of),
        ])?;
        if inserted == 0 {
            return Ok(false);
        }
        self.counts.add(run.root.get(), definition, state, 1);
        if seen > KEPT_IN_ROW {
            self.spill(run.number, created_at, states, seen)?;
        }
        self.tags(run)?;
        self.besides(run)?;
        Ok(true)
    }

    fn stored(&self, number: RunNumber) -> Outcome<Option<Stored>> {
        let found = self
            .connection
            .prepare_cached(STORED)?
            .query_row([number.get()], |row| {
                Ok(Stored {
                    id: row.get(0)?,
                    definition: row.get(1)?,
                    state: row.get(2)?,
                    seen: row.get(3)?,
                    created_at: row.get(4)?,
                    started_after: row.get(5)?,
                    ended_after: row.get(6)?,
                    history: row.get(7)?,
                    tags: row.get(8)?,
                })
            });
        match found {
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            found => Ok(Some(found?)),
        }
    }

    fn update(&mut self, run: &RunWrite, definition: i64, stored: Stored) -> Outcome<()> {
        if stored.id != *bytes_of(&run.id) {
            let message = format!("run {} has the number {} that another run has", run.id, run.number);
            return Err(StoreError::new(StoreErrorKind::Refused, message)
                .advise("let each process make numbers of its own")
                .into());
        }
        let seen = run.first_state.saturating_add(count(&run.states));
        if seen < stored.seen {
            // Older than what is there.
            return Ok(());
        }
        // States that are there already aren't added again.
        let known = stored.seen.saturating_sub(run.first_state) as usize;
        let states = run.states.get(known..).unwrap_or_default();
        let created_at = stored.created_at;
        let started = states.iter().find(|state| state.kind() == StateType::Running);
        let started_after = stored
            .started_after
            .or_else(|| started.map(|state| state.at.wrapping_sub(created_at)));
        let (state, ended_after) = match states.last() {
            Some(last) => {
                let ended_after = last.is_final().then(|| last.at.wrapping_sub(created_at));
                (state_code(last.name), ended_after)
            }
            None => (stored.state, stored.ended_after),
        };
        let mut kept = stored.history;
        for state in within(states, seen) {
            history::push(&mut kept, created_at, state);
        }
        if stored.ended_after.is_some() && ended_after.is_none() {
            // It begins anew, by a resume.
            withdraw_request(self.connection, run.number.get())?;
        }
        let tags = json_of(&run.tags);
        self.connection.prepare_cached(UPDATE)?.execute(params![
            run.number.get(),
            definition,
            state,
            seen,
            run.attempt,
            run.forgiven,
            run.crashes,
            run.durable,
            self.process,
            started_after,
            ended_after,
            run.retry_at,
            run.call_key.as_ref().map(|key| &key.0[..]),
            run.name,
            kept,
            tags,
            replay_of(run),
            json_of(&run.error),
            run.parameters,
            run.result.as_ref().map(|result| result.whole),
            run.result.as_ref().map(value_of),
        ])?;
        self.counts.add(run.root.get(), stored.definition, stored.state, -1);
        self.counts.add(run.root.get(), definition, state, 1);
        if seen > KEPT_IN_ROW {
            self.spill(run.number, created_at, states, seen)?;
        }
        if tags != stored.tags {
            for tag in stored.tags.iter().flat_map(|tags| parse_list(tags)) {
                self.connection
                    .prepare_cached("DELETE FROM run_tags WHERE tag = ?1 AND id = ?2")?
                    .execute(params![tag, stored.id])?;
            }
            self.tags(run)?;
        }
        self.besides(run)
    }

    /// Writes those of `states`, of which the last is the run's `seen`th, for which its row has no room.
    fn spill(&self, number: RunNumber, created_at: i64, states: &[State], seen: u32) -> Outcome<()> {
        let mut add = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO states (run, n, state, after, message) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (n, state) in numbered(states, seen).filter(|(n, _)| *n >= KEPT_IN_ROW) {
            let after = state.at.wrapping_sub(created_at);
            add.execute(params![number.get(), n, state_code(state.name), after, state.message()])?;
        }
        Ok(())
    }

    fn tags(&self, run: &RunWrite) -> Outcome<()> {
        if run.tags.is_empty() {
            return Ok(());
        }
        let mut add = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO run_tags (tag, id, run) VALUES (?1, ?2, ?3)")?;
        for tag in &run.tags {
            add.execute(params![tag, bytes_of(&run.id), run.number.get()])?;
        }
        Ok(())
    }

    /// What stands in other tables.
    fn besides(&self, run: &RunWrite) -> Outcome<()> {
        if !run.upstream.is_empty() {
            let mut add = self
                .connection
                .prepare_cached("INSERT OR IGNORE INTO edges (parent, run, upstream) VALUES (?1, ?2, ?3)")?;
            let parent = run.parent.map_or(0, RunNumber::get);
            for upstream in &run.upstream {
                add.execute([parent, run.number.get(), upstream.get()])?;
            }
        }
        if let Some((key, expires_at)) = &run.cache {
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO cache (definition_key, cache_key, run, root, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![run.definition.key, key, run.number.get(), run.root.get(), expires_at])?;
        }
        Ok(())
    }
}

/// States with their places, the last of them the `seen`th.
fn numbered(states: &[State], seen: u32) -> impl Iterator<Item = (u32, &State)> {
    let first = seen.saturating_sub(count(states));
    (first..).zip(states)
}

/// Those of `states` for which the row has room.
fn within(states: &[State], seen: u32) -> impl Iterator<Item = &State> {
    numbered(states, seen)
        .filter(|(n, _)| *n < KEPT_IN_ROW)
        .map(|(_, state)| state)
}

fn count(states: &[State]) -> u32 {
    u32::try_from(states.len()).unwrap_or(u32::MAX)
}

pub(super) fn bytes_of(id: &RunId) -> &[u8; 16] {
    id.as_uuid().as_bytes()
}

/// A list as JSON; nothing for an empty one.
fn json_of(list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| serde_json::Value::from(list).to_string())
}

/// The list in that JSON.
pub(super) fn parse_list(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}

fn replay_of(run: &RunWrite) -> Option<String> {
    run.replay
        .as_ref()
        .and_then(|replay| serde_json::to_string(replay).ok())
}

/// Text, for people who read the file; bytes where only the head of the JSON is kept and it ends within a character.
fn value_of(result: &ResultWrite) -> ToSqlOutput<'_> {
    match std::str::from_utf8(&result.json) {
        Ok(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Err(_) => ToSqlOutput::Borrowed(ValueRef::Blob(&result.json)),
    }
}

fn write_logs(connection: &Connection, logs: &[LogWrite]) -> Outcome<()> {
    if logs.is_empty() {
        return Ok(());
    }
    let mut add = connection
        .prepare_cached("INSERT INTO logs (root, run, at, level, target, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for line in logs {
        let level = level_code(line.level);
        add.execute(params![
            line.root.get(),
            line.run.get(),
            line.at,
            level,
            line.target,
            line.message
        ])?;
    }
    Ok(())
}
