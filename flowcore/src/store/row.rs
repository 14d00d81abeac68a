//! What is read from a store.

use serde::{Deserialize, Serialize};

use super::batch::CallKey;
use super::number::RunNumber;
use crate::run::{RunId, RunKind};
use crate::state::{State, StateType};

/// A run as its store knows it.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct RunRow {
    /// Its number in the store.
    pub number: RunNumber,
    /// Its id.
    pub id: RunId,
    /// The run that made it.
    pub parent: Option<RunNumber>,
    /// The outermost run around it; itself, if there is none.
    pub root: RunNumber,
    /// Flow or task.
    pub kind: RunKind,
    /// The name of the flow or task.
    pub definition: String,
    /// What tells the flow or task from all others.
    pub definition_key: String,
    /// The version of the flow or task.
    pub version: Option<String>,
    /// Its own name.
    pub name: String,
    /// How many runs are around it.
    pub depth: u32,
    /// Its present state.
    pub state: State,
    /// How many bodies were begun.
    pub attempt: u32,
    /// How many of them don't count as failures.
    pub forgiven: u32,
    /// How often a process died in its body.
    pub crashes: u32,
    /// Whether it, or a run around it, is durable.
    pub durable: bool,
    /// What tells the call from others below the same durable run.
    pub call_key: Option<CallKey>,
    /// When it was made. Unix nanoseconds, as all times here.
    pub created_at: i64,
    /// When its first body began.
    pub started_at: Option<i64>,
    /// When it was over.
    pub ended_at: Option<i64>,
    /// The process that runs it, or ran it last.
    pub process: u32,
    /// How many states it has seen.
    pub states: u32,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its parameters, a JSON object with marks for what isn't shown.
    pub parameters: Option<String>,
    /// The chain of errors that ended it, outermost first.
    pub error: Vec<String>,
    /// What a resume found in the record and what it didn't.
    pub replay: Option<Replay>,
}

impl RunRow {
    /// How long it has run, or ran: from its first body to its end, or to `now`. Nanoseconds, never negative.
    #[must_use]
    pub fn duration_nanos(&self, now: i64) -> Option<i64> {
        let start = self.started_at?;
        Some((self.ended_at.unwrap_or(now) - start).max(0))
    }
}

/// What a resumed run was answered from its record, and what not.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Replay {
    /// Calls answered by their recorded results.
    pub answered: u64,
    /// Calls that were interrupted or had failed, and were made again.
    pub again: u64,
    /// Calls that the record didn't know.
    pub new: u64,
    /// Recorded results that nobody asked for.
    pub orphans: u64,
    /// The names of the first of these runs.
    pub orphan_names: Vec<String>,
}

/// One call below a durable run, as its parent finds it when it is resumed.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded {
    /// What tells the call from others.
    pub call_key: CallKey,
    /// Its run's number.
    pub number: RunNumber,
    /// Its run's id.
    pub id: RunId,
    /// The name of its run.
    pub name: String,
    /// The flow's or task's key.
    pub definition_key: String,
    /// The version of the flow or task that was recorded.
    pub version: Option<String>,
    /// Its last state.
    pub state: State,
    /// How many states it has seen.
    pub states: u32,
    /// How many bodies were begun.
    pub attempt: u32,
    /// How many of them don't count as failures.
    pub forgiven: u32,
    /// How often a process died in its body.
    pub crashes: u32,
    /// When it may make its next attempt, if it waited for that when its process died. Unix nanoseconds.
    pub retry_at: Option<i64>,
    /// Its result, if it completed and all of it was kept.
    pub result: Option<Box<[u8]>>,
}

/// A root run handed to a process to go on with.
#[derive(Clone, PartialEq, Debug)]
pub struct Claimed {
    /// The run as it is now: Pending.
    pub run: RunRow,
}

/// Children of one run with the same definition and state, folded.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Group {
    /// Flow or task.
    pub kind: RunKind,
    /// The name of the flow or task.
    pub definition: String,
    /// What they have come to.
    pub state: StateType,
    /// How many they are.
    pub count: u64,
    /// When the first of them began.
    pub first_started_at: Option<i64>,
    /// When the last of them ended.
    pub last_ended_at: Option<i64>,
}

/// How many runs of one definition in one state a tree has.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Count {
    /// Flow or task.
    pub kind: RunKind,
    /// The name of the flow or task.
    pub definition: String,
    /// The state.
    pub state: StateType,
    /// How many runs.
    pub count: u64,
}

/// A line of a log.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct LogRow {
    /// Its place among all lines of the store: later lines of a process have larger ones.
    pub number: i64,
    /// The run that logged it.
    pub run: RunNumber,
    /// The name of that run.
    pub run_name: String,
    /// Unix nanoseconds.
    pub at: i64,
    /// How bad it is.
    pub level: tracing::Level,
    /// Where it comes from.
    pub target: String,
    /// The text.
    pub message: String,
}

/// A dependency: a run whose result is an input of another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Edge {
    /// The run that waits.
    pub run: RunNumber,
    /// The run it waits for.
    pub upstream: RunNumber,
}

/// What a check of the store found.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Health {
    /// Facts, as name and value: version, size, journal mode, rows.
    pub facts: Vec<(String, String)>,
    /// What is wrong, each with what to do.
    pub problems: Vec<String>,
}
