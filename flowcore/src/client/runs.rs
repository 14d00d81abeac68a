//! Which runs one asks for, and their pages.

use std::vec;

use super::{Client, When};
use crate::error::Result;
use crate::run::RunKind;
use crate::state::StateType;
use crate::store::{RunQuery, RunRow, StoreError, StoreErrorKind};

/// Which runs one asks for: made by [`Client::runs`]. All of them unless narrowed down, newest first.
#[derive(Clone, Debug)]
#[must_use = "it reads nothing until it is listed or iterated"]
pub struct Runs<'c> {
    client: &'c Client,
    query: RunQuery,
    /// What can't be asked for, told when it is.
    refused: Option<StoreError>,
}

impl<'c> Runs<'c> {
    pub(super) fn new(client: &'c Client) -> Self {
        Self {
            client,
            query: RunQuery::default(),
            refused: None,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut RunQuery)) -> Self {
        change(&mut self.query);
        self
    }

    /// In that state; called more than once, in any of these.
    pub fn state(self, state: StateType) -> Self {
        self.with(|query| query.states.push(state))
    }

    /// Of the flow of that name.
    pub fn flow(self, name: impl Into<String>) -> Self {
        self.with(|query| (query.kind, query.definition) = (Some(RunKind::Flow), Some(name.into())))
    }

    /// Of the task of that name.
    pub fn task(self, name: impl Into<String>) -> Self {
        self.with(|query| (query.kind, query.definition) = (Some(RunKind::Task), Some(name.into())))
    }

    /// Of all flows, or of all tasks.
    pub fn kind(self, kind: RunKind) -> Self {
        self.with(|query| query.kind = Some(kind))
    }

    /// With that tag; called more than once, with all of these.
    pub fn tag(self, tag: impl Into<String>) -> Self {
        self.with(|query| query.tags.push(tag.into()))
    }

    /// Made at that time or later: a `Timestamp`, or how long ago as a `Duration`.
    pub fn since(self, when: impl Into<When>) -> Self {
        self.with(|query| query.since = Some(when.into().unix_nanos()))
    }

    /// Made before that time: a `Timestamp`, or how long ago as a `Duration`.
    pub fn until(self, when: impl Into<When>) -> Self {
        self.with(|query| query.until = Some(when.into().unix_nanos()))
    }

    /// Only the outermost ones.
    pub fn roots(self) -> Self {
        self.with(|query| query.roots = true)
    }

    /// The outermost ones and those below them, as is the default.
    pub fn all(self) -> Self {
        self.with(|query| query.roots = false)
    }

    /// Below that root run, itself included. For a run that is no root it is [`Client::children`] that tells what is below; this is
    /// refused then.
    pub fn below(mut self, root: &RunRow) -> Self {
        if root.root != root.number {
            let message = format!(
                "run {} is not a root: only a root can be asked for everything below it",
                root.id
            );
            let error = StoreError::new(StoreErrorKind::Refused, message);
            self.refused = Some(error.advise("ask for its children"));
        }
        self.with(|query| query.root = Some(root.number))
    }

    /// Made by that run itself.
    pub fn made_by(self, parent: &RunRow) -> Self {
        self.with(|query| query.parent = Some(parent.number))
    }

    /// From the oldest to the newest.
    pub fn oldest_first(self) -> Self {
        self.with(|query| query.oldest_first = true)
    }

    /// From the newest to the oldest, as is the default.
    pub fn newest_first(self) -> Self {
        self.with(|query| query.oldest_first = false)
    }

    /// Beyond that run in the order: the last one of a page before.
    pub fn after(self, run: crate::RunId) -> Self {
        self.with(|query| query.after = Some(run))
    }

    /// How many runs are read at a time; 100 unless told, 1 at least.
    pub fn page_size(self, runs: usize) -> Self {
        self.with(|query| query.limit = runs.max(1))
    }

    /// The first `limit` of them.
    ///
    /// # Errors
    /// If the store fails.
    pub fn list(mut self, limit: usize) -> Result<Vec<RunRow>> {
        let mut found = Vec::new();
        let page = self.query.limit;
        loop {
            let missing = limit.saturating_sub(found.len());
            self.query.limit = missing.min(page);
            if missing == 0 {
                return Ok(found);
            }
            match self.next_page()? {
                Some(items) => found.extend(items),
                None => return Ok(found),
            }
        }
    }

    /// Page after page, each read when it is asked for: what is made or deleted meanwhile moves none of the others.
    pub fn pages(self) -> Pages<'c> {
        Pages(Some(self))
    }

    /// Run after run, read a page at a time.
    ///
    /// ```
    /// use flowcore::Client;
    /// # fn store() -> std::sync::Arc<dyn flowcore::store::Store> {
    /// #     std::sync::Arc::new(flowcore::store::MemoryStore::new())
    /// # }
    ///
    /// # fn main() -> flowcore::Result<()> {
    /// let client = Client::of(store());
    /// let runs: Vec<_> = client.runs().roots().oldest_first().iter().collect::<flowcore::Result<_>>()?;
    /// assert!(runs.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(self) -> Iter<'c> {
        Iter {
            pages: self.pages(),
            page: Vec::new().into_iter(),
        }
    }

    /// The next page, and the place after it. `None` after the last.
    fn next_page(&mut self) -> Result<Option<Vec<RunRow>>> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone().into());
        }
        let page = self.client.store.runs(&self.query)?;
        self.query.after = page.items.last().map(|run| run.id).or(self.query.after);
        Ok((!page.items.is_empty()).then_some(page.items))
    }
}

/// The pages of [`Runs::pages`]. After an error there are no more.
#[derive(Clone, Debug)]
#[must_use = "it reads nothing until it is iterated"]
pub struct Pages<'c>(Option<Runs<'c>>);

impl Iterator for Pages<'_> {
    type Item = Result<Vec<RunRow>>;

    fn next(&mut self) -> Option<Self::Item> {
        let page = self.0.as_mut()?.next_page();
        if !matches!(page, Ok(Some(_))) {
            self.0 = None;
        }
        page.transpose()
    }
}

/// The runs of [`Runs::iter`]. After an error there are no more.
#[derive(Clone, Debug)]
#[must_use = "it reads nothing until it is iterated"]
pub struct Iter<'c> {
    pages: Pages<'c>,
    page: vec::IntoIter<RunRow>,
}

impl Iterator for Iter<'_> {
    type Item = Result<RunRow>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(run) = self.page.next() {
                return Some(Ok(run));
            }
            match self.pages.next()? {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
