//! The processes.

use std::sync::Arc;
use std::time::Duration;

use super::super::error::{StoreError, StoreErrorKind, StoreResult};
use super::super::number::RunNumber;
use super::super::process::{Beat, ProcessIdentity, ProcessRow};
use super::Inner;
use super::run::Run;
use super::sequences::Sequences;
use crate::clock;
use crate::run::RunId;
use crate::state::StateType;

/// Why a process that ends in good order is no longer alive.
pub(super) const LEFT: &str = "the process has ended";

pub(super) struct Process {
    row: ProcessRow,
    pub(super) applied: Sequences,
}

fn unknown(process: u32) -> StoreError {
    StoreError::new(StoreErrorKind::NotFound, format!("no process has number {process}"))
}

fn until(now: i64, lease: Duration) -> i64 {
    now.saturating_add(i64::try_from(lease.as_nanos()).unwrap_or(i64::MAX))
}

impl Inner {
    pub(super) fn register(&mut self, identity: &ProcessIdentity, lease: Duration) -> StoreResult<u32> {
        let number = u32::try_from(self.processes.len() + 1)
            .map_err(|_| StoreError::new(StoreErrorKind::Full, "no numbers are left for processes"))?;
        let now = clock::wall_nanos();
        self.processes.push(Process {
            row: ProcessRow {
                number,
                identity: identity.clone(),
                opened_at: now,
                seen_at: now,
                lease_until: until(now, lease),
                ended_at: None,
                end: None,
            },
            applied: Sequences::default(),
        });
        Ok(number)
    }

    fn process(&mut self, number: u32) -> StoreResult<&mut Process> {
        let place = (number as usize).checked_sub(1);
        let process = place.and_then(|place| self.processes.get_mut(place));
        process.ok_or_else(|| unknown(number))
    }

    /// The process, unless it has ended.
    pub(super) fn living(&mut self, number: u32) -> StoreResult<&mut Process> {
        let process = self.process(number)?;
        match &process.row.end {
            None => Ok(process),
            Some(why) => Err(StoreError::new(
                StoreErrorKind::Fenced,
                format!("process {number} counts as ended ({why})"),
            )
            .advise("start it again")),
        }
    }

    pub(super) fn heartbeat(&mut self, number: u32, lease: Duration) -> StoreResult<Beat> {
        let process = self.process(number)?;
        if process.row.ended_at.is_some() {
            return Ok(Beat {
                fenced: true,
                cancel: Vec::new(),
            });
        }
        // A clock that was set back makes no lease shorter.
        process.row.seen_at = clock::wall_nanos().max(process.row.seen_at);
        process.row.lease_until = until(process.row.seen_at, lease).max(process.row.lease_until);
        let mut cancel = Vec::new();
        let runs = &self.runs;
        self.requests.retain(|request| match runs.get(request) {
            Some(run) if run.is_open() && run.process == number => {
                cancel.push(run.id);
                false
            }
            other => other.is_some_and(|run| run.is_open()),
        });
        Ok(Beat { fenced: false, cancel })
    }

    pub(super) fn process_rows(&self, ended: bool) -> Vec<ProcessRow> {
        let rows = self.processes.iter().map(|process| &process.row);
        rows.filter(|row| ended || row.ended_at.is_none()).cloned().collect()
    }

    pub(super) fn request_cancel(&mut self, id: RunId) -> StoreResult<bool> {
        let run = self.known(id)?;
        if !run.is_open() {
            return Ok(false);
        }
        let number = run.number;
        self.requests.insert(number);
        Ok(true)
    }

    /// Ends a process and crashes its open runs. Gives how many these were.
    pub(super) fn end(&mut self, number: u32, why: &str) -> StoreResult<u64> {
        let now = clock::wall_nanos();
        let process = self.process(number)?;
        if process.row.ended_at.is_some() {
            return Ok(0);
        }
        process.row.ended_at = Some(now.max(process.row.seen_at));
        process.row.end = Some(why.to_owned());

        // Who has a running child is looked up before any of them is crashed.
        let open = (self.runs.values()).filter(|run| run.process == number && run.is_open());
        let lost: Vec<(RunNumber, bool)> = open
            .map(|run| (run.number, !self.has_running_child(run.number)))
            .collect();
        let why: Arc<str> = why.into();
        for (run, in_body) in &lost {
            self.change(*run, |run| run.crash(*in_body, &why, now));
        }
        Ok(lost.len() as u64)
    }

    fn has_running_child(&self, parent: RunNumber) -> bool {
        let running = |run: &&Run| run.state().kind() == StateType::Running;
        self.children_of(parent).any(|run| running(&run))
    }
}
