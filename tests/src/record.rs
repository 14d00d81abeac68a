//! What the store of this process knows of runs.

use std::sync::Arc;

use flowcore::RunId;
use flowcore::store::{RunQuery, RunRow, Store, of_settings};

/// The store that this process's runs are kept in.
///
/// # Panics
/// If it can't be opened, or there is none.
#[must_use]
pub fn store() -> Arc<dyn Store> {
    match of_settings() {
        Ok(Some(store)) => store,
        other => panic!("no store: {other:?}"),
    }
}

/// What it knows of a run.
///
/// # Panics
/// If it doesn't know it.
#[must_use]
pub fn row(run: RunId) -> RunRow {
    match store().run(run) {
        Ok(Some(row)) => row,
        other => panic!("run {run}: {other:?}"),
    }
}

/// The outermost run of a call that failed.
///
/// # Panics
/// If it didn't fail, or the store doesn't know its run.
#[must_use]
pub fn failed<T>(outcome: flowcore::Result<T>) -> RunId {
    let Some(run) = outcome.err().and_then(|error| error.run_id()) else {
        panic!("it did not fail");
    };
    // The error may be that of a run below.
    match store().run_numbered(row(run).root) {
        Ok(Some(root)) => root.id,
        other => panic!("the root of run {run}: {other:?}"),
    }
}

/// The runs that a run has made, in the order of their making.
#[must_use]
pub fn children(run: RunId) -> Vec<RunRow> {
    let parent = Some(row(run).number);
    page(RunQuery {
        parent,
        ..RunQuery::default()
    })
}

/// An outermost run and all runs below it, in the order of their making.
#[must_use]
pub fn tree(root: RunId) -> Vec<RunRow> {
    let root = Some(row(root).number);
    page(RunQuery {
        root,
        ..RunQuery::default()
    })
}

fn page(query: RunQuery) -> Vec<RunRow> {
    let query = RunQuery {
        limit: 1_000_000,
        oldest_first: true,
        ..query
    };
    match store().runs(&query) {
        Ok(page) => page.items,
        Err(error) => panic!("{error}"),
    }
}

/// The names of the flow or task and of the state of each of some runs.
#[must_use]
pub fn told(rows: &[RunRow]) -> Vec<(&str, &str)> {
    rows.iter()
        .map(|row| (row.definition.as_str(), row.state.name()))
        .collect()
}
