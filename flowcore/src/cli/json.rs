//! What `--json` prints. The shapes are a contract: members are added, none is renamed or removed; see [`cli`](super).

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::times;
use crate::client::Client;
use crate::definition::Definition;
use crate::error::Result;
use crate::run::{RunId, RunKind};
use crate::state::State;
use crate::store::{Count, LogRow, ProcessRow, Replay, RunNumber, RunRow};

/// Ids that are remembered; beyond that they are looked up again.
const REMEMBERED: usize = 100_000;

/// The ids of runs that others point to by their numbers.
#[derive(Default)]
pub(super) struct Ids(HashMap<RunNumber, RunId>);

impl Ids {
    fn of(&mut self, client: &Client, number: RunNumber) -> Result<Option<RunId>> {
        if let Some(id) = self.0.get(&number) {
            return Ok(Some(*id));
        }
        let run = client.store().run_numbered(number)?;
        Ok(run.map(|run| self.remember(number, run.id)))
    }

    fn remember(&mut self, number: RunNumber, id: RunId) -> RunId {
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(number, id);
        id
    }
}

/// A state.
#[derive(Serialize)]
pub(super) struct StateJson {
    r#type: &'static str,
    name: &'static str,
    message: Option<String>,
    timestamp: String,
}

impl From<&State> for StateJson {
    fn from(state: &State) -> Self {
        Self {
            r#type: state.kind().as_str(),
            name: state.name(),
            message: state.message().map(str::to_owned),
            timestamp: times::utc(state.unix_nanos()),
        }
    }
}

/// A run.
#[derive(Serialize)]
pub(super) struct RunJson {
    id: RunId,
    name: String,
    kind: RunKind,
    definition: String,
    version: Option<String>,
    state: StateJson,
    parent_id: Option<RunId>,
    root_id: Option<RunId>,
    depth: u32,
    attempt: u32,
    crashes: u32,
    durable: bool,
    tags: Vec<String>,
    parameters: Option<Value>,
    created_at: String,
    started_at: Option<String>,
    ended_at: Option<String>,
    duration_seconds: Option<f64>,
    error: Vec<String>,
    replay: Option<Replay>,
    process: u32,
}

impl RunJson {
    pub(super) fn of(client: &Client, ids: &mut Ids, run: &RunRow) -> Result<Self> {
        ids.remember(run.number, run.id);
        let parent_id = match run.parent {
            Some(parent) => ids.of(client, parent)?,
            None => None,
        };
        // What was cut is no JSON, and shown as the text it is.
        let parsed = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
        Ok(Self {
            id: run.id,
            name: run.name.clone(),
            kind: run.kind,
            definition: run.definition.clone(),
            version: run.version.clone(),
            state: (&run.state).into(),
            parent_id,
            root_id: ids.of(client, run.root)?,
            depth: run.depth,
            attempt: run.attempt,
            crashes: run.crashes,
            durable: run.durable,
            tags: run.tags.clone(),
            parameters: run.parameters.as_ref().map(parsed),
            created_at: times::utc(run.created_at),
            started_at: run.started_at.map(times::utc),
            ended_at: run.ended_at.map(times::utc),
            duration_seconds: run.duration_nanos(times::now()).map(|nanos| nanos as f64 / 1e9),
            error: run.error.clone(),
            replay: run.replay.clone(),
            process: run.process,
        })
    }
}

/// How many runs of a flow or task are in a state.
#[derive(Serialize)]
pub(super) struct CountJson {
    kind: RunKind,
    definition: String,
    state: &'static str,
    count: u64,
}

impl From<&Count> for CountJson {
    fn from(count: &Count) -> Self {
        Self {
            kind: count.kind,
            definition: count.definition.clone(),
            state: count.state.as_str(),
            count: count.count,
        }
    }
}

/// A run's result, or the head of it.
#[derive(Serialize)]
pub(super) struct ResultJson {
    /// All of it, as it was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
    /// What was kept of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
}

impl ResultJson {
    /// What the store has of the result; `None` if it has nothing.
    pub(super) fn of(client: &Client, run: &RunRow) -> Result<Option<Self>> {
        let Some((bytes, whole)) = client.store().result(run.number)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let value = whole.then(|| RawValue::from_string(text.clone()).ok()).flatten();
        let head = value.is_none().then_some(text);
        Ok(Some(Self { value, head }))
    }
}

/// A line of a log.
#[derive(Serialize)]
pub(super) struct LogJson {
    timestamp: String,
    level: &'static str,
    run_id: Option<RunId>,
    run_name: String,
    target: String,
    message: String,
}

impl LogJson {
    pub(super) fn of(client: &Client, ids: &mut Ids, line: &LogRow) -> Result<Self> {
        Ok(Self {
            timestamp: times::utc(line.at),
            level: line.level.as_str(),
            run_id: ids.of(client, line.run)?,
            run_name: line.run_name.clone(),
            target: line.target.clone(),
            message: line.message.clone(),
        })
    }
}

/// A process that has, or had, the store open.
#[derive(Serialize)]
pub(super) struct ProcessJson {
    number: u32,
    host: String,
    pid: u32,
    program: String,
    opened_at: String,
    seen_at: String,
    ended_at: Option<String>,
    end: Option<String>,
}

impl From<&ProcessRow> for ProcessJson {
    fn from(process: &ProcessRow) -> Self {
        Self {
            number: process.number,
            host: process.identity.host.clone(),
            pid: process.identity.pid,
            program: process.identity.program.clone(),
            opened_at: times::utc(process.opened_at),
            seen_at: times::utc(process.seen_at),
            ended_at: process.ended_at.map(times::utc),
            end: process.end.clone(),
        }
    }
}

/// A parameter of a flow or task.
#[derive(Serialize)]
pub(super) struct ParameterJson {
    pub(super) name: &'static str,
    pub(super) r#type: String,
}

/// A flow or task of the program.
#[derive(Serialize)]
pub(super) struct DefinitionJson {
    kind: RunKind,
    name: &'static str,
    description: &'static str,
    version: Option<&'static str>,
    tags: &'static [&'static str],
    key: String,
    location: String,
    durable: bool,
    parameters: Vec<ParameterJson>,
    schema: Value,
}

impl From<&Definition> for DefinitionJson {
    fn from(definition: &Definition) -> Self {
        let parameter = |(name, type_name): (&'static str, &'static str)| ParameterJson {
            name,
            r#type: super::types::short(type_name),
        };
        Self {
            kind: definition.kind(),
            name: definition.name(),
            description: definition.description(),
            version: definition.version(),
            tags: definition.tags(),
            key: definition.key(),
            location: definition.location(),
            durable: definition.meta.durable,
            parameters: definition.typed_parameters().into_iter().map(parameter).collect(),
            schema: definition.parameter_schema(),
        }
    }
}
