//! Checks: here a panic is how a broken promise is told.

use std::fmt::Debug;

use super::super::error::{StoreErrorKind, StoreResult};
use super::super::number::RunNumber;
use super::super::row::{Count, Recorded, RunRow};
use super::super::store::Store;
use super::builder::Draft;
use crate::run::RunKind;
use crate::state::{State, StateType};

/// Texts longer than this are shown in part.
const SHOWN: usize = 2_000;

fn shown(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    if text.len() <= SHOWN {
        return text;
    }
    let head: String = text.chars().take(SHOWN).collect();
    format!("{head}… ({} bytes)", text.len())
}

/// What a store must give.
pub(super) trait Must<T> {
    /// The value; panics where there is none.
    fn must(self, what: &str) -> T;
}

impl<T> Must<T> for StoreResult<T> {
    #[track_caller]
    fn must(self, what: &str) -> T {
        self.unwrap_or_else(|error| panic!("{what}: {error}"))
    }
}

impl<T> Must<T> for Option<T> {
    #[track_caller]
    fn must(self, what: &str) -> T {
        self.unwrap_or_else(|| panic!("{what}: nothing was found"))
    }
}

#[track_caller]
pub(super) fn check(what: &str, is_so: bool) {
    assert!(is_so, "{what}: it isn't so");
}

#[track_caller]
pub(super) fn same<T: PartialEq<U> + Debug, U: Debug>(what: &str, found: &T, right: &U) {
    assert!(
        found == right,
        "{what}: found {}, and {} is right",
        shown(found),
        shown(right)
    );
}

/// The same values in any order.
#[track_caller]
pub(super) fn same_set<T: PartialEq + Debug>(what: &str, found: &[T], right: &[T]) {
    let all = |some: &[T], others: &[T]| some.iter().all(|one| others.contains(one));
    let is_so = found.len() == right.len() && all(found, right) && all(right, found);
    assert!(is_so, "{what}: found {}, and {} is right", shown(&found), shown(&right));
}

#[track_caller]
pub(super) fn error<T: Debug>(what: &str, result: StoreResult<T>, kind: StoreErrorKind) {
    match result {
        Ok(value) => panic!("{what}: {} was given, and an error ({kind}) is right", shown(&value)),
        Err(error) => assert!(
            error.kind() == kind,
            "{what}: {error:?}, and the kind {kind:?} is right"
        ),
    }
}

/// The store has the runs as the drafts tell, whichever way it is asked.
#[track_caller]
pub(super) fn same_runs<'a>(store: &dyn Store, process: u32, drafts: impl IntoIterator<Item = &'a Draft>) {
    for draft in drafts {
        let right = draft.row(process);
        same("the run by its id", &row(store, draft), &right);
        let numbered = store.run_numbered(draft.number()).must("the run by its number");
        same("the run by its number", &numbered, &Some(right));
        same("all its states", &states(store, draft), &draft.states());
    }
}

#[track_caller]
pub(super) fn row(store: &dyn Store, draft: &Draft) -> RunRow {
    store
        .run(draft.id())
        .must("the run by its id")
        .must("the run by its id")
}

#[track_caller]
pub(super) fn states(store: &dyn Store, draft: &Draft) -> Vec<State> {
    store.states(draft.number()).must("all its states")
}

#[track_caller]
pub(super) fn state_name(store: &dyn Store, draft: &Draft) -> &'static str {
    row(store, draft).state.name()
}

#[track_caller]
pub(super) fn is_gone(store: &dyn Store, draft: &Draft) {
    let found = store.run(draft.id()).must("a run that isn't there");
    same("a run that isn't there", &found, &None);
}

/// What is recorded of a call below `parent`.
#[track_caller]
pub(super) fn recorded(store: &dyn Store, parent: &Draft, draft: &Draft) -> Recorded {
    let all = store.recorded(parent.number()).must("recorded calls");
    let mut found = all.into_iter().filter(|recorded| recorded.number == draft.number());
    let one = found.next().must("the recorded call");
    check("a call is recorded once", found.next().is_none());
    one
}

/// The counts of a tree, as kind, definition, state and count.
#[track_caller]
pub(super) fn same_counts(what: &str, store: &dyn Store, root: RunNumber, right: &[(RunKind, &str, StateType, u64)]) {
    let counts = store.counts(root).must("counts");
    let counts = counts.iter().filter(|count| count.count > 0);
    let told = |count: &'_ Count| (count.kind, count.definition.clone(), count.state, count.count);
    let found: Vec<_> = counts.map(told).collect();
    let right: Vec<_> = (right.iter())
        .map(|(kind, name, state, count)| (*kind, (*name).to_owned(), *state, *count))
        .collect();
    same_set(what, &found, &right);
}
