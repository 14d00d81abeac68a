//! What is written to a store.

use std::sync::Arc;

use smallvec::SmallVec;

use super::number::RunNumber;
use crate::definition::Definition;
use crate::run::{RunId, RunKind};
use crate::state::State;

/// The 128 bits that tell a call below a durable run from all others.
///
/// ```
/// use flowcore::store::CallKey;
/// assert_eq!(CallKey([0xab; 16]).to_string(), "ab".repeat(16));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey(pub [u8; 16]);

impl std::fmt::Display for CallKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for CallKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CallKey({self})")
    }
}

/// What a store keeps of a definition.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DefinitionRow {
    /// Flow or task.
    pub kind: RunKind,
    /// Its name.
    pub name: String,
    /// What tells it from all others.
    pub key: String,
    /// Its version, if it has one.
    pub version: Option<String>,
}

impl From<&Definition> for DefinitionRow {
    fn from(definition: &Definition) -> Self {
        Self {
            kind: definition.kind(),
            name: definition.name().to_owned(),
            key: definition.key(),
            version: definition.version().map(ToOwned::to_owned),
        }
    }
}

/// A change of one run: all that is known of it, with the states that the store hasn't seen.
///
/// A store inserts the run, or updates what it has under the same number. Written twice, it changes nothing the second time.
#[derive(Clone, Debug)]
pub struct RunWrite {
    /// The run's number, unique in the store.
    pub number: RunNumber,
    /// The run's id, unique in the world.
    pub id: RunId,
    /// The run that made it.
    pub parent: Option<RunNumber>,
    /// The outermost run around it; itself, if there is none.
    pub root: RunNumber,
    /// What it is a run of.
    pub definition: Arc<DefinitionRow>,
    /// How many runs are around it.
    pub depth: u32,
    /// Its name.
    pub name: String,
    /// Its parameters as a JSON object, if it has any.
    pub parameters: Option<String>,
    /// All its tags.
    pub tags: Vec<String>,
    /// Whether it, or a run around it, is durable.
    pub durable: bool,
    /// What tells the call from others below the same durable run; `None` where nothing is durable.
    pub call_key: Option<CallKey>,
    /// How many bodies were begun.
    pub attempt: u32,
    /// How many of them don't count as failures: crashed ones, and those of a life before.
    pub forgiven: u32,
    /// How often a process died in its body.
    pub crashes: u32,
    /// When it may make its next attempt, if it waits for that. Unix nanoseconds.
    pub retry_at: Option<i64>,
    /// The place of the first of `states` among all states of the run.
    pub first_state: u32,
    /// The new states, oldest first; the last is the present one. None, if something else is new.
    pub states: SmallVec<[State; 3]>,
    /// The state before the first of `states`; `None` if the store hasn't seen the run.
    pub state_before: Option<State>,
    /// What it returned, if it is known and to be kept: JSON, or the head of it.
    pub result: Option<ResultWrite>,
    /// The chain of errors that ended it, outermost first.
    pub error: Vec<String>,
    /// The runs whose results are its inputs, and those it waits for.
    pub upstream: Vec<RunNumber>,
    /// Under what key later runs of its task find its result, and until when (Unix nanoseconds).
    pub cache: Option<(String, Option<i64>)>,
    /// What a resume found in the record and what it didn't: see [`Replay`](super::Replay). Roots only.
    pub replay: Option<super::Replay>,
}

impl RunWrite {
    /// A run without a parent, of which nothing else is known: for tests to fill in.
    pub(crate) fn bare(number: RunNumber, id: RunId, definition: Arc<DefinitionRow>) -> Self {
        Self {
            number,
            id,
            parent: None,
            root: number,
            definition,
            depth: 0,
            name: String::new(),
            parameters: None,
            tags: Vec::new(),
            durable: false,
            call_key: None,
            attempt: 0,
            forgiven: 0,
            crashes: 0,
            retry_at: None,
            first_state: 0,
            states: SmallVec::new(),
            state_before: None,
            result: None,
            error: Vec::new(),
            upstream: Vec::new(),
            cache: None,
            replay: None,
        }
    }
}

/// A run's result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResultWrite {
    /// JSON, or its first bytes.
    pub json: Box<[u8]>,
    /// Whether it is all there.
    pub whole: bool,
}

/// A line of a run's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogWrite {
    /// The run.
    pub run: RunNumber,
    /// The outermost run around it.
    pub root: RunNumber,
    /// Unix nanoseconds.
    pub at: i64,
    /// How bad it is.
    pub level: tracing::Level,
    /// Where it comes from, a module path unless told otherwise.
    pub target: String,
    /// The text, fields included.
    pub message: String,
}

/// Changes that are written together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The process that writes.
    pub process: u32,
    /// Counts the process's batches, from 1, in the order in which they are applied. One that the store has already is not written again.
    pub sequence: u64,
    /// Runs; a parent that is new stands before its children.
    pub runs: Vec<RunWrite>,
    /// Lines of their logs.
    pub logs: Vec<LogWrite>,
}

impl Batch {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.logs.is_empty()
    }
}
