//! Runs to write in tests, without an engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::super::batch::{Batch, CallKey, DefinitionRow, LogWrite, ResultWrite, RunWrite};
use super::super::error::StoreResult;
use super::super::number::RunNumber;
use super::super::process::ProcessIdentity;
use super::super::row::RunRow;
use super::super::store::Store;
use super::check::Must;
use crate::run::{RunId, RunKind};
use crate::state::{State, StateType};

/// A time in the past, from which test runs are dated on. Unix nanoseconds.
const LONG_AGO: i64 = 1_700_000_000_000_000_000;

/// A time, a millisecond later with each call. Unix nanoseconds, in the year 2023 unless it is called very often.
///
/// ```
/// use flowcore::store::conformance::instant;
/// assert!(instant() < instant());
/// ```
pub fn instant() -> i64 {
    static MILLIS: AtomicI64 = AtomicI64::new(0);
    LONG_AGO + MILLIS.fetch_add(1, Ordering::Relaxed) * 1_000_000
}

/// A process that writes to a store in a test. May be shared by threads.
///
/// ```
/// use std::sync::Arc;
/// use flowcore::store::conformance::Writer;
/// use flowcore::store::{MemoryStore, Store};
///
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// let writer = Writer::new(&store);
/// let mut flow = writer.flow("nightly");
/// writer.write([flow.begin()]);
/// assert_eq!(store.bury(writer.process(), "power cut")?, 1);
/// assert_eq!(store.run(flow.id())?.unwrap().state.message(), Some("power cut"));
/// # Ok::<(), flowcore::store::StoreError>(())
/// ```
#[derive(Debug)]
pub struct Writer {
    store: Arc<dyn Store>,
    process: u32,
    batches: AtomicU64,
    runs: AtomicU64,
}

impl Writer {
    /// A new process, entered in the store with a lease of an hour.
    ///
    /// # Panics
    /// If the store gives an error.
    #[must_use]
    #[track_caller]
    pub fn new(store: &Arc<dyn Store>) -> Self {
        let process = store.register(&ProcessIdentity::default(), Duration::from_secs(3600));
        Self {
            store: store.clone(),
            process: process.must("entering a process"),
            batches: AtomicU64::new(0),
            runs: AtomicU64::new(0),
        }
    }

    /// Its number in the store.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.process
    }

    /// A flow run without a parent.
    #[must_use]
    pub fn flow(&self, name: &str) -> Draft {
        self.draft(None, RunKind::Flow, name)
    }

    /// A task run without a parent.
    #[must_use]
    pub fn task(&self, name: &str) -> Draft {
        self.draft(None, RunKind::Task, name)
    }

    /// A flow run that `parent` makes.
    #[must_use]
    pub fn flow_below(&self, parent: &Draft, name: &str) -> Draft {
        self.draft(Some(parent), RunKind::Flow, name)
    }

    /// A task run that `parent` makes.
    #[must_use]
    pub fn task_below(&self, parent: &Draft, name: &str) -> Draft {
        self.draft(Some(parent), RunKind::Task, name)
    }

    fn draft(&self, parent: Option<&Draft>, kind: RunKind, name: &str) -> Draft {
        let count = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        let number = RunNumber::new(self.process, count);
        let at = instant();
        let definition = DefinitionRow {
            kind,
            name: name.to_owned(),
            key: format!("tests::{name}"),
            version: None,
        };
        let mut draft = Draft {
            write: RunWrite {
                parent: parent.map(Draft::number),
                root: parent.map_or(number, |parent| parent.write.root),
                depth: parent.map_or(0, |parent| parent.write.depth + 1),
                name: format!("{name}-{count}"),
                durable: parent.is_some_and(|parent| parent.write.durable),
                ..RunWrite::bare(number, RunId::generate(at), Arc::new(definition))
            },
            states: Vec::new(),
            written: 0,
        };
        draft.enter_at("Pending", at, None);
        if draft.write.durable {
            draft.write.call_key = Some(call_key_of(number));
        }
        draft
    }

    /// The next batch of this process, with what is new of those runs.
    pub fn batch<'a>(&self, drafts: impl IntoIterator<Item = &'a mut Draft>) -> Batch {
        Batch {
            process: self.process,
            sequence: self.batches.fetch_add(1, Ordering::Relaxed) + 1,
            runs: drafts.into_iter().map(Draft::take).collect(),
            logs: Vec::new(),
        }
    }

    /// Writes what is new of those runs, in one batch; or tells why it can't be written.
    ///
    /// # Errors
    /// As [`Store::apply`] gives them.
    pub fn try_write<'a>(&self, drafts: impl IntoIterator<Item = &'a mut Draft>) -> StoreResult<()> {
        self.store.apply(&self.batch(drafts))
    }

    /// Writes what is new of those runs, in one batch.
    ///
    /// # Panics
    /// If the store gives an error.
    #[track_caller]
    pub fn write<'a>(&self, drafts: impl IntoIterator<Item = &'a mut Draft>) {
        self.try_write(drafts).must("writing a batch");
    }

    /// Writes those runs once more, as they were written.
    ///
    /// # Panics
    /// If the store gives an error.
    #[track_caller]
    pub fn write_again(&self, writes: &[RunWrite]) {
        let mut batch = self.batch([]);
        batch.runs = writes.to_vec();
        self.store.apply(&batch).must("writing a batch once more");
    }

    /// Writes lines of a run's log.
    ///
    /// # Panics
    /// If the store gives an error.
    #[track_caller]
    pub fn log<'a>(&self, run: &Draft, lines: impl IntoIterator<Item = (tracing::Level, &'a str)>) {
        let mut batch = self.batch([]);
        batch.logs = lines.into_iter().map(|(level, text)| run.line(level, text)).collect();
        self.store.apply(&batch).must("writing lines");
    }
}

fn call_key_of(number: RunNumber) -> CallKey {
    let mut key = [0x5a; 16];
    key[8..].copy_from_slice(&number.get().to_be_bytes());
    CallKey(key)
}

/// A run on its way to a store in a test: all that is known of it, and how much of that was written.
///
/// It is born `Pending`, with an id and times of the year 2023.
///
/// ```
/// use std::sync::Arc;
/// use flowcore::store::conformance::Writer;
/// use flowcore::store::{MemoryStore, Store};
///
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// let writer = Writer::new(&store);
/// let mut task = writer.task("charge");
/// task.write.tags = vec!["money".into()];
/// task.begin().fail("no funds");
/// writer.write([&mut task]);
/// let row = store.run(task.id())?.unwrap();
/// assert_eq!((row.attempt, row.error), (1, vec!["no funds".to_owned()]));
/// # Ok::<(), flowcore::store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Draft {
    /// What is written next, but for the states: change what is to be different.
    pub write: RunWrite,
    states: Vec<State>,
    written: usize,
}

impl Draft {
    /// Its number.
    #[must_use]
    pub fn number(&self) -> RunNumber {
        self.write.number
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.write.id
    }

    /// All its states, oldest first.
    #[must_use]
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// The state of that name comes next, a while after the last.
    ///
    /// # Panics
    /// If no state bears the name.
    #[track_caller]
    pub fn enter(&mut self, name: &str) -> &mut Self {
        self.enter_at(name, instant(), None)
    }

    /// The state of that name comes next, at that time (Unix nanoseconds) and with that message.
    ///
    /// # Panics
    /// If no state bears the name.
    #[track_caller]
    pub fn enter_at(&mut self, name: &str, at: i64, message: Option<&str>) -> &mut Self {
        self.states.push(State::restored(name, at, message).must(name));
        self
    }

    /// The states that the store itself gave it come next: a process that goes on with a run counts on from them.
    pub fn adopt(&mut self, states: &[State]) -> &mut Self {
        self.states.extend_from_slice(&states[self.states.len()..]);
        self.written = self.states.len();
        self
    }

    /// A body begins: the first, or after `AwaitingRetry` another.
    pub fn begin(&mut self) -> &mut Self {
        self.write.attempt += 1;
        self.write.retry_at = None;
        let name = if self.write.attempt == 1 { "Running" } else { "Retrying" };
        self.enter(name)
    }

    /// It ends well, with that JSON as its result.
    pub fn complete(&mut self, json: &str) -> &mut Self {
        self.write.result = Some(ResultWrite {
            json: json.as_bytes().into(),
            whole: true,
        });
        self.enter("Completed")
    }

    /// It ends with an error.
    pub fn fail(&mut self, error: &str) -> &mut Self {
        self.write.error = vec![error.to_owned()];
        self.enter_at("Failed", instant(), Some(error))
    }

    /// It, and what it makes from now on, is durable.
    pub fn durable(&mut self) -> &mut Self {
        self.write.durable = true;
        if self.write.parent.is_some() {
            self.write.call_key = Some(call_key_of(self.write.number));
        }
        self
    }

    /// A line of its log.
    #[must_use]
    pub fn line(&self, level: tracing::Level, message: &str) -> LogWrite {
        LogWrite {
            run: self.write.number,
            root: self.write.root,
            at: instant(),
            level,
            target: "tests".to_owned(),
            message: message.to_owned(),
        }
    }

    /// What is new of it. From then on it counts as written.
    pub fn take(&mut self) -> RunWrite {
        let mut write = self.write.clone();
        write.first_state = u32::try_from(self.written).unwrap_or(u32::MAX);
        write.states = self.states[self.written..].iter().cloned().collect();
        write.state_before = self.written.checked_sub(1).map(|last| self.states[last].clone());
        self.written = self.states.len();
        write
    }

    /// How a store tells of it, once all of it is written by that process.
    ///
    /// # Panics
    /// If it has no states.
    #[must_use]
    pub fn row(&self, process: u32) -> RunRow {
        let write = &self.write;
        let state = self.states.last().must("a state").clone();
        let started = self.states.iter().find(|state| state.kind() == StateType::Running);
        RunRow {
            number: write.number,
            id: write.id,
            parent: write.parent,
            root: write.root,
            kind: write.definition.kind,
            definition: write.definition.name.clone(),
            definition_key: write.definition.key.clone(),
            version: write.definition.version.clone(),
            name: write.name.clone(),
            depth: write.depth,
            attempt: write.attempt,
            forgiven: write.forgiven,
            crashes: write.crashes,
            durable: write.durable,
            call_key: write.call_key,
            created_at: self.states[0].at,
            started_at: started.map(|state| state.at),
            ended_at: state.is_final().then_some(state.at),
            process,
            states: u32::try_from(self.states.len()).unwrap_or(u32::MAX),
            tags: write.tags.clone(),
            parameters: write.parameters.clone(),
            error: write.error.clone(),
            replay: write.replay.clone(),
            state,
        }
    }
}
