//! The processes that write: their coming, their signs of life, their end.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::SqliteStore;
use super::codes::{open_states, state_code};
use super::fault::Outcome;
use super::history::{self, KEPT_IN_ROW};
use super::row;
use super::write::Counts;
use super::writer::Writing;
use crate::clock::wall_nanos;
use crate::failpoint;
use crate::state::{State, StateName};
use crate::store::{Beat, ProcessIdentity, ProcessRow, StoreError, StoreErrorKind, StoreResult};

/// So many runs are crashed in one transaction: others want to write meanwhile.
const AT_ONCE: usize = 10_000;

pub(super) fn register(store: &SqliteStore, process: &ProcessIdentity, lease: Duration) -> StoreResult<u32> {
    let number = store.write("enter this process", |writing| {
        let now = wall_nanos();
        let number = writing
            .connection
            .prepare_cached(
                "INSERT INTO processes (host, machine, boot, pid_namespace, pid, started, program, opened_at, seen_at, lease_until) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9)",
            )?
            .insert(params![
                process.host,
                process.machine,
                process.boot,
                process.pid_namespace,
                process.pid,
                process.started.cast_signed(),
                process.program,
                now,
                lease_end(now, lease),
            ])?;
        // The numbers of runs have so many bits for it.
        u32::try_from(number).ok().filter(|number| *number < 1 << 23).ok_or_else(|| {
            StoreError::new(StoreErrorKind::Refused, "8,388,607 processes have used this store: there is no number for another")
                .advise("begin a new file")
                .into()
        })
    })?;
    failpoint!("sqlite::registered");
    // A process that buried another may have died over it.
    for (dead, why) in store.read("look for unfinished burials", unsettled)? {
        settle(store, dead, &why)?;
    }
    Ok(number)
}

fn lease_end(now: i64, lease: Duration) -> i64 {
    now.saturating_add(i64::try_from(lease.as_nanos()).unwrap_or(i64::MAX))
}

fn unsettled(connection: &Connection) -> Outcome<Vec<(u32, String)>> {
    let mut find = connection
        .prepare_cached("SELECT number, end FROM processes WHERE settled = 0 AND end IS NOT NULL ORDER BY number")?;
    let found = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

pub(super) fn heartbeat(store: &SqliteStore, process: u32, lease: Duration) -> StoreResult<Beat> {
    store.write("show that this process lives", |writing| {
        let now = wall_nanos();
        let connection = writing.connection;
        let alive = connection
            .prepare_cached("UPDATE processes SET seen_at = ?2, lease_until = ?3 WHERE number = ?1 AND ended_at IS NULL")?
            .execute(params![process, now, lease_end(now, lease)])?;
        if alive == 0 {
            return Ok(Beat {
                fenced: true,
                ..Beat::default()
            });
        }
        let mut find = connection.prepare_cached(
            "SELECT r.number, r.id, r.ended_after IS NULL FROM requests AS q CROSS JOIN runs AS r ON r.number = q.run WHERE r.process = ?1",
        )?;
        let mut rows = find.query([process])?;
        let mut cancel = Vec::new();
        while let Some(row) = rows.next()? {
            withdraw_request(connection, row.get(0)?)?;
            // Those of runs that ended meanwhile are told to nobody.
            if row.get(2)? {
                cancel.push(row::id(row, 1)?);
            }
        }
        Ok(Beat { fenced: false, cancel })
    })
}

/// Forgets that somebody wants a run cancelled: it is over, or begins anew.
pub(super) fn withdraw_request(connection: &Connection, number: i64) -> Outcome<()> {
    connection
        .prepare_cached("DELETE FROM requests WHERE run = ?1")?
        .execute([number])?;
    Ok(())
}

pub(super) fn processes(connection: &Connection, ended: bool) -> Outcome<Vec<ProcessRow>> {
    let which = if ended { "" } else { "WHERE ended_at IS NULL" };
    let mut find = connection.prepare_cached(&format!(
        "SELECT number, host, machine, boot, pid_namespace, pid, started, program, opened_at, seen_at, lease_until, ended_at, end \
         FROM processes {which} ORDER BY number"
    ))?;
    let found = find.query_map([], process_row)?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn process_row(row: &Row<'_>) -> rusqlite::Result<ProcessRow> {
    Ok(ProcessRow {
        number: row.get(0)?,
        identity: ProcessIdentity {
            host: row.get(1)?,
            machine: row.get(2)?,
            boot: row.get(3)?,
            pid_namespace: row.get(4)?,
            pid: row.get(5)?,
            started: row.get::<_, i64>(6)?.cast_unsigned(),
            program: row.get(7)?,
        },
        opened_at: row.get(8)?,
        seen_at: row.get(9)?,
        lease_until: row.get(10)?,
        ended_at: row.get(11)?,
        end: row.get(12)?,
    })
}

/// Ends a process, and crashes what it left open. First it may not write any more; then its runs are dealt with some at a time. Who
/// registers next finishes what is interrupted.
pub(super) fn bury(store: &SqliteStore, process: u32, why: &str) -> StoreResult<u64> {
    let ended = store.write("end a process", |writing| {
        Ok(writing
            .connection
            .prepare_cached("UPDATE processes SET ended_at = ?2, end = ?3 WHERE number = ?1 AND ended_at IS NULL")?
            .execute(params![process, wall_nanos(), why])?)
    })?;
    if ended == 0 {
        return Ok(0);
    }
    failpoint!("sqlite::ended");
    settle(store, process, why)
}

/// An open run of a dead process.
struct Left {
    number: i64,
    /// Whether its body was being run.
    begun: bool,
    /// Whether a child's was.
    waited: bool,
}

fn settle(store: &SqliteStore, process: u32, why: &str) -> StoreResult<u64> {
    let left = store.read("find the runs of a dead process", |connection| {
        left_by(connection, process)
    })?;
    let mut crashed = 0;
    for some in left.chunks(AT_ONCE) {
        crashed += store.write("crash the runs of a dead process", |writing| {
            crash(writing, process, some, why)
        })?;
    }
    failpoint!("sqlite::crashed");
    store.write("end a process", |writing| {
        let mut settle = writing
            .connection
            .prepare_cached("UPDATE processes SET settled = 1 WHERE number = ?1")?;
        Ok(settle.execute([process])?)
    })?;
    Ok(crashed)
}

/// Parents before their children: whether a child was running must be seen before it is crashed, also by who finishes this.
fn left_by(connection: &Connection, process: u32) -> Outcome<Vec<Left>> {
    let open: Vec<String> = open_states().map(|code| code.to_string()).collect();
    let (running, retrying) = (state_code(StateName::Running), state_code(StateName::Retrying));
    let mut find = connection.prepare_cached(&format!(
        "SELECT number, state IN ({running}, {retrying}), EXISTS ( \
             SELECT 1 FROM runs AS c WHERE c.parent = r.number AND c.state IN ({running}, {retrying}) \
         ) FROM runs AS r INDEXED BY runs_uncompleted \
         WHERE state IN ({}) AND {} AND process = ?1 ORDER BY depth, number",
        open.join(", "),
        super::codes::UNCOMPLETED,
    ))?;
    let found = find.query_map([process], |row| {
        Ok(Left {
            number: row.get(0)?,
            begun: row.get(1)?,
            waited: row.get(2)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn crash(writing: &mut Writing<'_>, process: u32, left: &[Left], why: &str) -> Outcome<u64> {
    let connection = writing.connection;
    let now = wall_nanos();
    let mut counts = Counts::default();
    let mut crashed = 0;
    for run in left {
        let Some(mut ending) = Ending::of(connection, run.number, process)? else {
            continue;
        };
        ending.become_state(connection, &mut counts, StateName::Crashed, now, Some(why))?;
        connection
            .prepare_cached("UPDATE runs SET forgiven = forgiven + ?2, crashes = crashes + ?3 WHERE number = ?1")?
            .execute(params![run.number, run.begun, run.begun && !run.waited])?;
        withdraw_request(connection, run.number)?;
        failpoint!("sqlite::run-crashed");
        crashed += 1;
    }
    counts.write(connection)?;
    Ok(crashed)
}

/// A run whose state is changed by the store, not by the process that runs it.
pub(super) struct Ending {
    number: i64,
    root: i64,
    definition: i64,
    state: i64,
    seen: u32,
    created_at: i64,
    history: String,
}

impl Ending {
    /// The run, if it is open and that process's.
    fn of(connection: &Connection, number: i64, process: u32) -> Outcome<Option<Self>> {
        let found = connection
            .prepare_cached(
                "SELECT number, root, definition, state, seen, created_at, history FROM runs \
                 WHERE number = ?1 AND process = ?2 AND ended_after IS NULL",
            )?
            .query_row(params![number, process], Self::from_row)
            .optional()?;
        Ok(found)
    }

    /// The run of that number, which is there.
    pub(super) fn numbered(connection: &Connection, number: i64) -> Outcome<Self> {
        let mut find = connection.prepare_cached(
            "SELECT number, root, definition, state, seen, created_at, history FROM runs WHERE number = ?1",
        )?;
        Ok(find.query_row([number], Self::from_row)?)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            root: row.get(1)?,
            definition: row.get(2)?,
            state: row.get(3)?,
            seen: row.get(4)?,
            created_at: row.get(5)?,
            history: row.get(6)?,
        })
    }

    /// Adds a state, later than the one before.
    pub(super) fn become_state(
        &mut self,
        connection: &Connection,
        counts: &mut Counts,
        name: StateName,
        at: i64,
        message: Option<&str>,
    ) -> Outcome<()> {
        let before = row::present(connection, self.number, self.created_at, self.seen, &self.history)?;
        let state = State {
            name,
            message: message.map(Into::into),
            at: at.max(before.at.saturating_add(1)),
        };
        let (code, after) = (state_code(name), state.at.wrapping_sub(self.created_at));
        if self.seen < KEPT_IN_ROW {
            history::push(&mut self.history, self.created_at, &state);
        } else {
            connection
                .prepare_cached("INSERT INTO states (run, n, state, after, message) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![self.number, self.seen, code, after, message])?;
        }
        self.seen += 1;
        connection
            .prepare_cached("UPDATE runs SET state = ?2, seen = ?3, ended_after = ?4, history = ?5 WHERE number = ?1")?
            .execute(params![
                self.number,
                code,
                self.seen,
                state.is_final().then_some(after),
                self.history
            ])?;
        counts.add(self.root, self.definition, self.state, -1);
        counts.add(self.root, self.definition, code, 1);
        self.state = code;
        Ok(())
    }
}
