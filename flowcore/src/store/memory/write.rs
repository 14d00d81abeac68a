//! Writing runs and lines, and handing runs over.

use super::super::batch::{Batch, RunWrite};
use super::super::error::{StoreError, StoreErrorKind, StoreResult};
use super::super::number::RunNumber;
use super::super::row::Claimed;
use super::Inner;
use super::run::Run;
use crate::run::RunId;

impl Inner {
    pub(super) fn apply(&mut self, batch: &Batch) -> StoreResult<()> {
        if batch.sequence == 0 {
            return Err(StoreError::new(
                StoreErrorKind::Refused,
                "batch 0: batches count from 1",
            ));
        }
        if self.living(batch.process)?.applied.has(batch.sequence) {
            return Ok(());
        }
        self.enter_ids(&batch.runs)?;
        // Nothing fails from here on, so that a batch is never there in part.
        for write in &batch.runs {
            self.write(write, batch.process);
        }
        for line in &batch.logs {
            self.write_line(line);
        }
        self.living(batch.process)?.applied.add(batch.sequence);
        Ok(())
    }

    /// Gives their ids to runs that are new, or to none of them.
    fn enter_ids(&mut self, writes: &[RunWrite]) -> StoreResult<()> {
        for (done, write) in writes.iter().enumerate() {
            let trouble = match self.runs.get(&write.number) {
                Some(known) => (known.id != write.id).then_some("its number is another's"),
                None => match self.ids.get(&write.id) {
                    // Twice in this batch.
                    Some(number) if *number == write.number => None,
                    Some(_) => Some("its id is another's"),
                    None if write.states.is_empty() => Some("it is new and has no state"),
                    None => {
                        self.ids.insert(write.id, write.number);
                        None
                    }
                },
            };
            if let Some(trouble) = trouble {
                for write in &writes[..done] {
                    if !self.runs.contains_key(&write.number) {
                        self.ids.remove(&write.id);
                    }
                }
                let (number, id) = (write.number, write.id);
                let message = format!("run {id}, number {number}, can't be written: {trouble}");
                return Err(StoreError::new(StoreErrorKind::Refused, message));
            }
        }
        Ok(())
    }

    fn write(&mut self, write: &RunWrite, process: u32) {
        if self.runs.contains_key(&write.number) {
            self.change(write.number, |run| run.update(write, process));
        } else if let Some(run) = Run::new(write, process) {
            self.insert(run);
        }
        if let Some((key, _)) = &write.cache
            && self.cached.enter(&write.definition.key, key, write.number)
            && let Some(tree) = self.trees.get_mut(&write.root)
        {
            tree.cached.push(write.number);
        }
    }

    fn insert(&mut self, mut run: Run) {
        let number = run.number;
        if let Some(parent) = run.parent {
            self.children.entry(parent).or_default().insert(run.id, number);
        }
        let tree = self.trees.entry(run.root).or_default();
        tree.runs.insert(run.id, number);
        run.tally = tree.tally_of(&run.definition);
        tree.count(run.tally, None, run.state().kind());
        tree.open += usize::from(run.is_open());
        if number == run.root {
            tree.root_ended_at = run.ended_at;
        }
        let root = run.root;
        self.runs.insert(number, Box::new(run));
        self.place(root);
    }

    /// Changes a run, and what is counted of it.
    pub(super) fn change(&mut self, number: RunNumber, change: impl FnOnce(&mut Run)) {
        let Some(run) = self.runs.get_mut(&number) else {
            return;
        };
        let (before, was_open) = (run.state().kind(), run.is_open());
        change(run);
        let (after, is_open) = (run.state().kind(), run.is_open());
        if (before, was_open) == (after, is_open) {
            return;
        }
        let Some(tree) = self.trees.get_mut(&run.root) else {
            return;
        };
        tree.count(run.tally, Some(before), after);
        tree.open = tree.open + usize::from(is_open) - usize::from(was_open);
        if number == run.root {
            tree.root_ended_at = run.ended_at;
        }
        let root = run.root;
        if is_open && !was_open {
            // What was asked of its life before is no longer asked.
            self.requests.remove(&number);
        }
        self.place(root);
    }

    /// Puts a tree among those that have ended, or takes it from there.
    fn place(&mut self, root: RunNumber) {
        let Some(tree) = self.trees.get_mut(&root) else {
            return;
        };
        let end = tree.end();
        if end == tree.ended {
            return;
        }
        if let Some(old) = std::mem::replace(&mut tree.ended, end) {
            self.ended.remove(&(old, root));
        }
        if let Some(new) = end {
            self.ended.insert((new, root));
        }
    }

    pub(super) fn claim(&mut self, id: RunId, process: u32, at: i64) -> StoreResult<Claimed> {
        let run = self.known(id)?;
        let (number, state) = (run.number, run.state());
        let trouble = match () {
            () if run.parent.is_some() => Some("it isn't a root: claim the run that it is part of".to_owned()),
            () if !run.durable => Some("it isn't durable".to_owned()),
            () if state.is_completed() => Some("it has completed".to_owned()),
            () if run.is_open() => Some(format!("it is {} in process {}", state.name(), run.process)),
            () => None,
        };
        if let Some(trouble) = trouble {
            let message = format!("run {id} can't be resumed: {trouble}");
            return Err(StoreError::new(StoreErrorKind::Refused, message));
        }
        self.living(process)?;
        self.change(number, |run| run.reopen(process, at));
        Ok(Claimed {
            run: self.known(id)?.row(),
        })
    }
}
