//! Reading runs.

use std::ops::Bound;

use super::super::error::{StoreError, StoreErrorKind, StoreResult};
use super::super::number::RunNumber;
use super::super::query::{Page, RunQuery};
use super::super::row::{Edge, Group, Recorded, RunRow};
use super::Inner;
use super::run::Run;
use crate::run::RunId;

fn matches(run: &Run, query: &RunQuery) -> bool {
    (query.states.is_empty() || query.states.contains(&run.state().kind()))
        && query
            .definition
            .as_ref()
            .is_none_or(|name| *name == run.definition.name)
        && query.kind.is_none_or(|kind| kind == run.definition.kind)
        && query.tags.iter().all(|tag| run.tags.contains(tag))
        && query.since.is_none_or(|since| run.created_at >= since)
        && query.until.is_none_or(|until| run.created_at < until)
        && (!query.roots || run.parent.is_none())
        && query.parent.is_none_or(|parent| run.parent == Some(parent))
        && query.root.is_none_or(|root| run.root == root)
}

impl Inner {
    pub(super) fn run_of(&self, id: RunId) -> Option<&Run> {
        self.runs.get(self.ids.get(&id)?).map(|run| &**run)
    }

    /// The run of that id, or an error that says that there is none.
    pub(super) fn known(&self, id: RunId) -> StoreResult<&Run> {
        self.run_of(id)
            .ok_or_else(|| StoreError::new(StoreErrorKind::NotFound, format!("no run has id {id}")))
    }

    /// In the order of their ids.
    pub(super) fn children_of(&self, parent: RunNumber) -> impl Iterator<Item = &Run> {
        let numbers = self
            .children
            .get(&parent)
            .into_iter()
            .flat_map(|children| children.numbers());
        numbers.filter_map(|number| self.runs.get(&number).map(|run| &**run))
    }

    pub(super) fn ids_from(&self, prefix: &str, limit: usize) -> StoreResult<Vec<RunId>> {
        let digits = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if prefix.is_empty() || prefix.len() > 32 || !prefix.bytes().all(digits) {
            let message = format!("{prefix:?} is no beginning of an id");
            let advice = "give 1 to 32 lowercase hexadecimal digits";
            return Err(StoreError::new(StoreErrorKind::Refused, message).advise(advice));
        }
        let edge = |filler: char| {
            let digits = format!("{prefix}{}", filler.to_string().repeat(32 - prefix.len()));
            digits.parse::<RunId>()
        };
        let (Ok(first), Ok(last)) = (edge('0'), edge('f')) else {
            return Ok(Vec::new());
        };
        Ok(self.ids.range(first..=last).map(|(id, _)| *id).take(limit).collect())
    }

    pub(super) fn page(&self, query: &RunQuery) -> Page<RunRow> {
        let bounds = match (query.after, query.oldest_first) {
            (None, _) => (Bound::Unbounded, Bound::Unbounded),
            (Some(after), true) => (Bound::Excluded(after), Bound::Unbounded),
            (Some(after), false) => (Bound::Unbounded, Bound::Excluded(after)),
        };
        // The fewest runs that hold all that are asked for.
        let some = match (query.parent, query.root) {
            (Some(parent), _) => Some(self.children.get(&parent)),
            (None, Some(root)) => Some(self.trees.get(&root).map(|tree| &tree.runs)),
            (None, None) => None,
        };
        match some {
            Some(None) => Page {
                items: Vec::new(),
                more: false,
            },
            Some(Some(runs)) => self.page_of_runs(runs.range(bounds), query),
            None => self.page_of_runs(self.ids.range(bounds).map(|(_, number)| *number), query),
        }
    }

    fn page_of_runs(&self, numbers: impl DoubleEndedIterator<Item = RunNumber>, query: &RunQuery) -> Page<RunRow> {
        if query.oldest_first {
            self.first_of(numbers, query)
        } else {
            self.first_of(numbers.rev(), query)
        }
    }

    fn first_of(&self, numbers: impl Iterator<Item = RunNumber>, query: &RunQuery) -> Page<RunRow> {
        let mut found = numbers
            .filter_map(|number| self.runs.get(&number))
            .filter(|run| matches(run, query));
        let items = found.by_ref().take(query.limit).map(|run| run.row()).collect();
        let more = found.next().is_some();
        Page { items, more }
    }

    pub(super) fn groups(&self, parent: RunNumber) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for run in self.children_of(parent) {
            let (kind, name, state) = (run.definition.kind, &run.definition.name, run.state().kind());
            let same = |group: &&mut Group| (group.kind, &group.definition, group.state) == (kind, name, state);
            match groups.iter_mut().find(same) {
                Some(group) => {
                    group.count += 1;
                    group.first_started_at = match (group.first_started_at, run.started_at) {
                        (Some(first), Some(started)) => Some(first.min(started)),
                        (first, started) => first.or(started),
                    };
                    group.last_ended_at = group.last_ended_at.max(run.ended_at);
                }
                None => groups.push(Group {
                    kind,
                    definition: name.clone(),
                    state,
                    count: 1,
                    first_started_at: run.started_at,
                    last_ended_at: run.ended_at,
                }),
            }
        }
        groups
    }

    pub(super) fn recorded(&self, parent: RunNumber) -> Vec<Recorded> {
        self.children_of(parent).filter_map(Run::recorded).collect()
    }

    pub(super) fn edges(&self, parent: RunNumber, limit: usize) -> Vec<Edge> {
        let edges = self.children_of(parent).flat_map(|run| {
            let edge = |upstream: &RunNumber| Edge {
                run: run.number,
                upstream: *upstream,
            };
            run.upstream.iter().map(edge)
        });
        edges.take(limit).collect()
    }
}
