//! What is asked of a store.

use super::number::RunNumber;
use crate::run::{RunId, RunKind};
use crate::state::StateType;

/// Which runs, in which order, and how many.
///
/// ```
/// use flowcore::StateType;
/// use flowcore::store::RunQuery;
/// let failed = RunQuery { states: vec![StateType::Failed], roots: true, limit: 20, ..RunQuery::default() };
/// assert!(!failed.oldest_first);
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct RunQuery {
    /// In one of these states; in any, if there are none.
    pub states: Vec<StateType>,
    /// Of the flow or task of that name.
    pub definition: Option<String>,
    /// Of that kind.
    pub kind: Option<RunKind>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// Made at that time or later. Unix nanoseconds.
    pub since: Option<i64>,
    /// Made before that time. Unix nanoseconds.
    pub until: Option<i64>,
    /// Without a parent.
    pub roots: bool,
    /// Made by that run.
    pub parent: Option<RunNumber>,
    /// Below that root, itself included.
    pub root: Option<RunNumber>,
    /// From the oldest to the newest; else from the newest.
    pub oldest_first: bool,
    /// Beyond that run in the order: the last of the page before.
    pub after: Option<RunId>,
    /// No more than that many.
    pub limit: usize,
}

impl Default for RunQuery {
    fn default() -> Self {
        Self {
            states: Vec::new(),
            definition: None,
            kind: None,
            tags: Vec::new(),
            since: None,
            until: None,
            roots: false,
            parent: None,
            root: None,
            oldest_first: false,
            after: None,
            limit: 100,
        }
    }
}

/// Which lines of which log.
#[derive(Clone, PartialEq, Debug)]
pub struct LogQuery {
    /// The run.
    pub run: RunNumber,
    /// With the logs of all runs below it, if it is a root.
    pub below: bool,
    /// No worse lines than this are left out: `INFO` gives INFO, WARN and ERROR.
    pub level: tracing::Level,
    /// Beyond that line.
    pub after: Option<i64>,
    /// Only the last `limit` lines, not the first.
    pub last: bool,
    /// No more than that many.
    pub limit: usize,
}

/// Part of an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Page<T> {
    /// What was found.
    pub items: Vec<T>,
    /// Whether there is more.
    pub more: bool,
}
