//! Results that later runs of their tasks may use.

use std::collections::HashMap;

use super::super::number::RunNumber;
use super::run::Run;

/// Runs by the key of their task and their cache key.
#[derive(Default)]
pub(super) struct CachedResults(HashMap<String, HashMap<String, Vec<RunNumber>>>);

/// The time and the result of a run that later ones may use at `now`.
pub(super) fn usable(run: &Run, now: i64) -> Option<(i64, &[u8])> {
    let (_, until) = run.cache.as_ref()?;
    let lives = until.is_none_or(|until| now < until);
    lives.then(|| Some((run.ended_at?, run.whole_result()?)))?
}

impl CachedResults {
    /// False if it is there already.
    pub(super) fn enter(&mut self, task: &str, key: &str, run: RunNumber) -> bool {
        if !self.0.contains_key(task) {
            self.0.insert(task.to_owned(), HashMap::new());
        }
        let Some(of_task) = self.0.get_mut(task) else {
            return false;
        };
        match of_task.get_mut(key) {
            Some(runs) if runs.contains(&run) => return false,
            Some(runs) => runs.push(run),
            None => {
                of_task.insert(key.to_owned(), vec![run]);
            }
        }
        true
    }

    pub(super) fn latest(
        &self,
        runs: &HashMap<RunNumber, Box<Run>>,
        task: &str,
        key: &str,
        now: i64,
    ) -> Option<Box<[u8]>> {
        let found = self.0.get(task)?.get(key)?.iter();
        let usable = found.filter_map(|number| usable(runs.get(number)?, now));
        usable.max_by_key(|(at, _)| *at).map(|(_, result)| result.into())
    }

    /// Forgets a run that goes.
    pub(super) fn leave(&mut self, run: &Run) {
        let Some((key, _)) = &run.cache else { return };
        let Some(of_task) = self.0.get_mut(&run.definition.key) else {
            return;
        };
        let Some(runs) = of_task.get_mut(key) else { return };
        runs.retain(|number| *number != run.number);
        if runs.is_empty() {
            of_task.remove(key);
        }
        if of_task.is_empty() {
            self.0.remove(&run.definition.key);
        }
    }
}
