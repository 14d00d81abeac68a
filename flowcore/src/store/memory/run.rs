//! One run.

use std::sync::Arc;

use smallvec::SmallVec;

use super::super::batch::{CallKey, DefinitionRow, ResultWrite, RunWrite};
use super::super::number::RunNumber;
use super::super::row::{Recorded, Replay, RunRow};
use crate::run::RunId;
use crate::state::{State, StateName, StateType};

pub(super) struct Run {
    pub(super) number: RunNumber,
    pub(super) id: RunId,
    pub(super) parent: Option<RunNumber>,
    pub(super) root: RunNumber,
    pub(super) definition: Arc<DefinitionRow>,
    depth: u32,
    name: String,
    parameters: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) durable: bool,
    call_key: Option<CallKey>,
    attempt: u32,
    forgiven: u32,
    crashes: u32,
    retry_at: Option<i64>,
    /// Never empty: `new` takes no run without a state.
    pub(super) states: SmallVec<[State; 3]>,
    /// How many states it has seen: more than there are, if some were never written.
    seen: u32,
    pub(super) created_at: i64,
    pub(super) started_at: Option<i64>,
    pub(super) ended_at: Option<i64>,
    pub(super) process: u32,
    pub(super) result: Option<ResultWrite>,
    error: Vec<String>,
    pub(super) upstream: Vec<RunNumber>,
    pub(super) cache: Option<(String, Option<i64>)>,
    replay: Option<Replay>,
    /// Its lines among those of its tree.
    pub(super) lines: Vec<u32>,
    /// Which of its tree's tallies counts it.
    pub(super) tally: usize,
}

impl Run {
    /// A run that the store hasn't seen, with the first of its new states; `None` if there is none.
    pub(super) fn new(write: &RunWrite, process: u32) -> Option<Self> {
        let first = write.states.first()?;
        let mut run = Self {
            number: write.number,
            id: write.id,
            parent: write.parent,
            root: write.root,
            definition: write.definition.clone(),
            depth: write.depth,
            name: write.name.clone(),
            parameters: None,
            tags: write.tags.clone(),
            durable: write.durable,
            call_key: write.call_key,
            attempt: 0,
            forgiven: 0,
            crashes: 0,
            retry_at: None,
            states: SmallVec::new(),
            seen: write.first_state,
            created_at: first.at,
            started_at: None,
            ended_at: None,
            process,
            result: None,
            error: Vec::new(),
            upstream: Vec::new(),
            cache: None,
            replay: None,
            lines: Vec::new(),
            tally: 0,
        };
        run.update(write, process);
        Some(run)
    }

    /// Takes over what is new. A write that knows less than the store is an old one, written once more.
    pub(super) fn update(&mut self, write: &RunWrite, process: u32) {
        let count = u32::try_from(write.states.len()).unwrap_or(u32::MAX);
        let end = write.first_state.saturating_add(count);
        if end < self.seen {
            return;
        }
        let known = self.seen.saturating_sub(write.first_state) as usize;
        for state in &write.states[known.min(write.states.len())..] {
            self.enter(state.clone());
        }
        self.seen = end;
        self.process = process;
        self.depth = write.depth;
        self.durable = write.durable;
        self.attempt = write.attempt;
        self.forgiven = write.forgiven;
        self.crashes = write.crashes;
        self.retry_at = write.retry_at;
        // What stays the same mostly is compared, which costs less than copying it.
        replace(&mut self.name, &write.name);
        replace(&mut self.tags, &write.tags);
        replace(&mut self.error, &write.error);
        keep(&mut self.parameters, &write.parameters);
        keep(&mut self.call_key, &write.call_key);
        keep(&mut self.result, &write.result);
        keep(&mut self.cache, &write.cache);
        keep(&mut self.replay, &write.replay);
        for upstream in &write.upstream {
            if !self.upstream.contains(upstream) {
                self.upstream.push(*upstream);
            }
        }
    }

    fn enter(&mut self, state: State) {
        if state.kind() == StateType::Running && self.started_at.is_none() {
            self.started_at = Some(state.at);
        }
        self.ended_at = state.is_final().then_some(state.at);
        self.states.push(state);
    }

    /// A state that the store itself gives it, later than the last.
    pub(super) fn enter_by_store(&mut self, name: StateName, message: Option<&Arc<str>>, at: i64) {
        let at = at.max(self.state().at.saturating_add(1));
        self.enter(State {
            name,
            message: message.cloned(),
            at,
        });
        self.seen = self.seen.saturating_add(1);
    }

    /// Its process is dead.
    pub(super) fn crash(&mut self, in_body: bool, why: &Arc<str>, at: i64) {
        if self.state().kind() == StateType::Running {
            self.forgiven = self.forgiven.saturating_add(1);
            if in_body {
                self.crashes = self.crashes.saturating_add(1);
            }
        }
        self.enter_by_store(StateName::Crashed, Some(why), at);
    }

    /// Another process goes on with it.
    pub(super) fn reopen(&mut self, process: u32, at: i64) {
        self.enter_by_store(StateName::Pending, None, at);
        self.process = process;
        self.error = Vec::new();
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn state(&self) -> &State {
        &self.states[self.states.len() - 1]
    }

    pub(super) fn is_open(&self) -> bool {
        !self.state().is_final()
    }

    /// The result, if it completed and all of it was kept.
    pub(super) fn whole_result(&self) -> Option<&[u8]> {
        let result = self.result.as_ref().filter(|result| result.whole)?;
        self.state().is_completed().then_some(&*result.json)
    }

    pub(super) fn row(&self) -> RunRow {
        RunRow {
            number: self.number,
            id: self.id,
            parent: self.parent,
            root: self.root,
            kind: self.definition.kind,
            definition: self.definition.name.clone(),
            definition_key: self.definition.key.clone(),
            version: self.definition.version.clone(),
            name: self.name.clone(),
            depth: self.depth,
            state: self.state().clone(),
            attempt: self.attempt,
            forgiven: self.forgiven,
            crashes: self.crashes,
            durable: self.durable,
            call_key: self.call_key,
            created_at: self.created_at,
            started_at: self.started_at,
            ended_at: self.ended_at,
            process: self.process,
            states: self.seen,
            tags: self.tags.clone(),
            parameters: self.parameters.clone(),
            error: self.error.clone(),
            replay: self.replay.clone(),
        }
    }

    /// How a resume finds it; `None` if it has no key to be found by.
    pub(super) fn recorded(&self) -> Option<Recorded> {
        Some(Recorded {
            call_key: self.call_key?,
            number: self.number,
            id: self.id,
            name: self.name.clone(),
            definition_key: self.definition.key.clone(),
            version: self.definition.version.clone(),
            state: self.state().clone(),
            states: self.seen,
            attempt: self.attempt,
            forgiven: self.forgiven,
            crashes: self.crashes,
            retry_at: self.retry_at,
            result: self.whole_result().map(Into::into),
        })
    }
}

fn replace<T: PartialEq + Clone>(kept: &mut T, new: &T) {
    if kept != new {
        kept.clone_from(new);
    }
}

/// What was told once isn't taken back by a write that doesn't tell it.
fn keep<T: PartialEq + Clone>(kept: &mut Option<T>, new: &Option<T>) {
    if new.is_some() {
        replace(kept, new);
    }
}
