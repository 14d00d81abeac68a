//! Results that later runs of their tasks may use.

use std::collections::HashMap;

use super::super::number::RunNumber;
use super::run::Run;

/// By the key of the task, and the cache key.
#[derive(Default)]
pub(super) struct CachedResults(HashMap<String, HashMap<String, Vec<Source>>>);

/// Where a result is.
enum Source {
    /// With its run, if that completed.
    Run(RunNumber),
    /// Here: its run was pruned.
    Kept(Kept),
}

struct Kept {
    at: i64,
    until: Option<i64>,
    result: Box<[u8]>,
}

fn lives(until: Option<i64>, now: i64) -> bool {
    until.is_none_or(|until| now < until)
}

/// The time, expiry and result of a run that later ones may use.
fn usable(run: &Run) -> Option<(i64, Option<i64>, &[u8])> {
    let (_, until) = run.cache.as_ref()?;
    Some((run.ended_at?, *until, run.whole_result()?))
}

impl CachedResults {
    pub(super) fn enter(&mut self, task: &str, key: &str, run: RunNumber) {
        if !self.0.contains_key(task) {
            self.0.insert(task.to_owned(), HashMap::new());
        }
        let Some(of_task) = self.0.get_mut(task) else { return };
        match of_task.get_mut(key) {
            Some(sources)
                if sources
                    .iter()
                    .any(|source| matches!(source, Source::Run(known) if *known == run)) => {}
            Some(sources) => sources.push(Source::Run(run)),
            None => {
                of_task.insert(key.to_owned(), vec![Source::Run(run)]);
            }
        }
    }

    pub(super) fn latest(
        &self,
        runs: &HashMap<RunNumber, Box<Run>>,
        task: &str,
        key: &str,
        now: i64,
    ) -> Option<Box<[u8]>> {
        let sources = self.0.get(task)?.get(key)?.iter();
        let found = sources.filter_map(|source| match source {
            Source::Run(number) => usable(runs.get(number)?),
            Source::Kept(kept) => Some((kept.at, kept.until, &*kept.result)),
        });
        let living = found.filter(|(_, until, _)| lives(*until, now));
        living.max_by_key(|(at, ..)| *at).map(|(.., result)| result.into())
    }

    /// Forgets a run that goes. With `keep_at`, its result is kept if it lives at that time.
    pub(super) fn leave(&mut self, run: &Run, keep_at: Option<i64>) {
        let Some((key, _)) = &run.cache else { return };
        let Some(of_task) = self.0.get_mut(&run.definition.key) else {
            return;
        };
        let Some(sources) = of_task.get_mut(key) else { return };
        sources.retain(|source| match source {
            Source::Run(number) => *number != run.number,
            // This is where results whose time has come are cleared away.
            Source::Kept(kept) => keep_at.is_none_or(|now| lives(kept.until, now)),
        });
        if let Some(now) = keep_at
            && let Some((at, until, result)) = usable(run)
            && lives(until, now)
        {
            // One that is newer and lives as long hides the older for good.
            let lasts = |until: Option<i64>| until.unwrap_or(i64::MAX);
            let hides =
                |new: (i64, Option<i64>), old: (i64, Option<i64>)| new.0 >= old.0 && lasts(new.1) >= lasts(old.1);
            let of_kept = |source: &Source| match source {
                Source::Kept(kept) => Some((kept.at, kept.until)),
                Source::Run(_) => None,
            };
            let hidden = sources.iter().filter_map(of_kept).any(|kept| hides(kept, (at, until)));
            if !hidden {
                sources.retain(|source| of_kept(source).is_none_or(|kept| !hides((at, until), kept)));
                let result = result.into();
                sources.push(Source::Kept(Kept { at, until, result }));
            }
        }
        if sources.is_empty() {
            of_task.remove(key);
        }
        if of_task.is_empty() {
            self.0.remove(&run.definition.key);
        }
    }
}
