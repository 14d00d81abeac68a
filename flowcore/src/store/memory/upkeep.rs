//! What goes, and whether all is in order.

use std::collections::HashMap;

use super::super::error::{StoreError, StoreErrorKind, StoreResult};
use super::super::number::RunNumber;
use super::super::row::{Count, Health};
use super::cached::usable;
use super::{Inner, Removed};
use crate::clock;
use crate::run::RunId;

impl Removed {
    pub(super) fn count(&self) -> u64 {
        self.runs.len() as u64
    }
}

impl Inner {
    pub(super) fn delete(&mut self, id: RunId) -> StoreResult<Removed> {
        let run = self.known(id)?;
        let root = run.number;
        let trouble = if run.parent.is_some() {
            Some("it isn't a root: delete the run that it is part of".to_owned())
        } else {
            let open = self.trees.get(&root).map_or(0, |tree| tree.open);
            (open > 0).then(|| format!("{open} of its runs are not over: cancel it first"))
        };
        if let Some(trouble) = trouble {
            let message = format!("run {id} can't be deleted: {trouble}");
            return Err(StoreError::new(StoreErrorKind::Refused, message));
        }
        let mut removed = Removed::default();
        self.remove(root, &mut removed);
        Ok(removed)
    }

    pub(super) fn prune(&mut self, before: i64, limit: usize) -> Removed {
        let now = clock::wall_nanos();
        let old = self.ended.iter().take_while(|(end, _)| *end < before);
        // Under the least of times stand trees whose root was never written.
        let old = old.filter(|(end, root)| *end > i64::MIN && !self.is_used(*root, now));
        let roots: Vec<RunNumber> = old.map(|(_, root)| *root).take(limit).collect();
        let mut removed = Removed::default();
        for root in roots {
            self.remove(root, &mut removed);
        }
        removed
    }

    /// Takes out trees that have ended, oldest first, as long as enough runs are left.
    pub(super) fn evict(&mut self) -> Removed {
        let mut removed = Removed::default();
        while self.runs.len() > self.most_runs {
            let Some((_, root)) = self.ended.first().copied() else {
                break;
            };
            let size = self.trees.get(&root).map_or(0, |tree| tree.runs.len());
            if self.runs.len() - size < self.most_runs {
                break;
            }
            self.remove(root, &mut removed);
        }
        removed
    }

    /// Whether a later run may still be answered with a result of the tree.
    fn is_used(&self, root: RunNumber, now: i64) -> bool {
        let runs = self.trees.get(&root).into_iter().flat_map(|tree| &tree.cached);
        runs.filter_map(|number| self.runs.get(number))
            .any(|run| usable(run, now).is_some())
    }

    fn remove(&mut self, root: RunNumber, removed: &mut Removed) {
        let Some(tree) = self.trees.remove(&root) else {
            return;
        };
        if let Some(end) = tree.ended {
            self.ended.remove(&(end, root));
        }
        for number in tree.runs.numbers() {
            self.children.remove(&number);
            if let Some(run) = self.runs.remove(&number) {
                self.ids.remove(&run.id);
                self.cached.leave(&run);
                self.requests.remove(&number);
                removed.runs.push(run);
            }
        }
        removed.lines.push(tree.lines);
    }

    pub(super) fn check(&self, deep: bool) -> Health {
        let lines: usize = self.trees.values().map(|tree| tree.lines.len()).sum();
        let fact = |name: &str, value: usize| (name.to_owned(), value.to_string());
        let mut health = Health {
            facts: vec![
                fact("runs", self.runs.len()),
                fact("trees", self.trees.len()),
                fact("log lines", lines),
                fact("processes", self.processes.len()),
                fact("runs kept", self.most_runs),
            ],
            problems: Vec::new(),
        };
        if deep {
            self.check_counts(&mut health.problems);
        }
        health
    }

    /// Counts everything anew.
    fn check_counts(&self, problems: &mut Vec<String>) {
        let advice = "this is a fault of flowcore: please report it";
        let mut found: HashMap<RunNumber, (Vec<Count>, usize)> = HashMap::new();
        for run in self.runs.values() {
            if self.ids.get(&run.id) != Some(&run.number) {
                problems.push(format!("run {} isn't found by its id; {advice}", run.id));
            }
            let (counts, open) = found.entry(run.root).or_default();
            *open += usize::from(run.is_open());
            let (kind, name, state) = (run.definition.kind, &run.definition.name, run.state().kind());
            match counts
                .iter_mut()
                .find(|count| (count.kind, &count.definition, count.state) == (kind, name, state))
            {
                Some(count) => count.count += 1,
                None => counts.push(Count {
                    kind,
                    definition: name.clone(),
                    state,
                    count: 1,
                }),
            }
        }
        for (root, tree) in &self.trees {
            let (counts, open) = found.remove(root).unwrap_or_default();
            let told = tree.counts();
            if tree.open != open || told.len() != counts.len() || told.iter().any(|count| !counts.contains(count)) {
                problems.push(format!("the runs below {root} are counted wrongly; {advice}"));
            }
        }
    }
}
