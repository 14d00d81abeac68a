//! What stands in a store's file, read past flowcore.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};

/// A run as its row has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The run's id.
    pub id: String,
    /// Its number.
    pub number: i64,
    /// Its parent's number.
    pub parent: Option<i64>,
    /// The number of the outermost run around it.
    pub root: i64,
    /// Whether it is a flow's.
    pub is_flow: bool,
    /// The flow's or task's name.
    pub definition: String,
    /// The run's place in the plan, which is its name.
    pub label: String,
    /// The present state's name.
    pub state: String,
    /// How many states it has seen.
    pub seen: u32,
    /// How many bodies were begun.
    pub attempt: u32,
    /// How many of them don't count as failures.
    pub forgiven: u32,
    /// How often a process died in its body.
    pub crashes: u32,
    /// When the next attempt may begin, if that was ever told. Unix nanoseconds.
    pub retry_at: Option<i64>,
    /// The process that had it last.
    pub process: u32,
    /// What tells the call from others.
    pub call_key: Option<String>,
    /// The result, if it was kept whole.
    pub result: Option<String>,
    /// How many recorded results a resumed run didn't ask for.
    pub orphans: Option<u64>,
    /// Whether the run is over.
    pub ended: bool,
}

impl Row {
    /// Whether it has its result.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.state == "Completed"
    }

    /// Whether its body was being run.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.state.as_str(), "Running" | "Retrying")
    }
}

/// All that a store has.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Look {
    /// All runs, by number.
    pub rows: Vec<Row>,
    /// All processes with what ended them.
    pub processes: Vec<(u32, Option<String>)>,
    /// What is wrong with the file itself.
    pub damage: Vec<String>,
}

impl Look {
    /// Reads the file; nothing if there is none yet.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn at(path: &Path) -> rusqlite::Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        let transaction = connection.unchecked_transaction()?;
        Ok(Self {
            rows: rows(&transaction)?,
            processes: processes(&transaction)?,
            damage: damage(&transaction)?,
        })
    }

    /// The outermost durable run.
    #[must_use]
    pub fn root(&self) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.parent.is_none() && row.call_key.is_some())
    }
}

fn rows(connection: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut find = connection.prepare(
        "SELECT lower(hex(r.id)), r.number, r.parent, r.root, d.kind = 1, d.name, r.name, s.name, r.seen, r.attempt, r.forgiven, \
             r.crashes, r.retry_at, r.process, lower(hex(r.call_key)), CASE WHEN r.result_whole = 1 THEN r.result END, \
             r.replay ->> '$.orphans', r.ended_after IS NOT NULL \
         FROM runs AS r JOIN definitions AS d ON d.code = r.definition JOIN state_names AS s ON s.code = r.state ORDER BY r.number",
    )?;
    let found = find.query_map([], |row| {
        let key: String = row.get(14)?;
        Ok(Row {
            id: row.get(0)?,
            number: row.get(1)?,
            parent: row.get(2)?,
            root: row.get(3)?,
            is_flow: row.get(4)?,
            definition: row.get(5)?,
            label: row.get(6)?,
            state: row.get(7)?,
            seen: row.get(8)?,
            attempt: row.get(9)?,
            forgiven: row.get(10)?,
            crashes: row.get(11)?,
            retry_at: row.get(12)?,
            process: row.get(13)?,
            call_key: Some(key).filter(|key| !key.is_empty()),
            result: row.get(15)?,
            orphans: row.get::<_, Option<i64>>(16)?.map(i64::cast_unsigned),
            ended: row.get(17)?,
        })
    })?;
    found.collect()
}

fn processes(connection: &Connection) -> rusqlite::Result<Vec<(u32, Option<String>)>> {
    let mut find = connection.prepare("SELECT number, end FROM processes ORDER BY number")?;
    let found = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    found.collect()
}

/// What the file's own consistency lacks.
fn damage(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut find = connection.prepare("PRAGMA integrity_check")?;
    let found = find.query_map([], |row| row.get::<_, String>(0))?;
    let mut damage = found.collect::<Result<Vec<_>, _>>()?;
    damage.retain(|found| found != "ok");
    let counted = "SELECT root, definition, state, count(*) AS count FROM runs GROUP BY root, definition, state";
    let kept = "SELECT root, definition, state, count FROM counts WHERE count <> 0";
    for (one, other) in [(counted, kept), (kept, counted)] {
        let wrong: i64 = connection.query_row(&format!("SELECT count(*) FROM ({one} EXCEPT {other})"), [], |row| {
            row.get(0)
        })?;
        if wrong > 0 {
            damage.push(format!("{wrong} counts of runs differ from the runs"));
        }
    }
    let alone: i64 = connection.query_row(
        "SELECT count(*) FROM runs AS r WHERE parent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM runs AS p WHERE p.number = r.parent)",
        [],
        |row| row.get(0),
    )?;
    if alone > 0 {
        damage.push(format!("{alone} runs have no parent in the store"));
    }
    Ok(damage)
}
