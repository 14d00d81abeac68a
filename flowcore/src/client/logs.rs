//! Which lines of a log one asks for, and their pages.

use super::Client;
use crate::error::Result;
use crate::store::{LogQuery, LogRow, RunNumber};

const PAGE: usize = 1000;

/// Which lines one asks for: made by [`Client::logs`]. All of the run's own unless told otherwise, oldest first.
#[derive(Clone, Debug)]
#[must_use = "it reads nothing until it is listed or iterated"]
pub struct Logs<'c> {
    client: &'c Client,
    query: LogQuery,
}

impl<'c> Logs<'c> {
    pub(super) fn new(client: &'c Client, run: RunNumber) -> Self {
        Self {
            client,
            query: LogQuery {
                run,
                below: false,
                level: tracing::Level::TRACE,
                after: None,
                last: false,
                limit: PAGE,
            },
        }
    }

    fn with(mut self, change: impl FnOnce(&mut LogQuery)) -> Self {
        change(&mut self.query);
        self
    }

    /// No lines of less weight: `WARN` gives WARN and ERROR.
    pub fn level(self, level: tracing::Level) -> Self {
        self.with(|query| query.level = level)
    }

    /// With the logs of all runs below it, if it is a root.
    pub fn below(self) -> Self {
        self.with(|query| query.below = true)
    }

    /// Beyond the line of that [number](LogRow::number): the last one of a page before.
    pub fn after(self, line: i64) -> Self {
        self.with(|query| query.after = Some(line))
    }

    /// How many lines are read at a time; 1,000 unless told, 1 at least.
    pub fn page_size(self, lines: usize) -> Self {
        self.with(|query| query.limit = lines.max(1))
    }

    /// The last `lines` of them, oldest first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn tail(mut self, lines: usize) -> Result<Vec<LogRow>> {
        if lines == 0 {
            return Ok(Vec::new());
        }
        (self.query.last, self.query.limit) = (true, lines);
        Ok(self.client.store.logs(&self.query)?.items)
    }

    /// Page after page, each read when it is asked for.
    pub fn pages(self) -> LogPages<'c> {
        LogPages(Some(self))
    }

    /// All of them.
    ///
    /// # Errors
    /// If the store fails.
    pub fn list(self) -> Result<Vec<LogRow>> {
        let mut lines = Vec::new();
        for page in self.pages() {
            lines.extend(page?);
        }
        Ok(lines)
    }
}

/// The pages of [`Logs::pages`]. After an error there are no more.
#[derive(Clone, Debug)]
#[must_use = "it reads nothing until it is iterated"]
pub struct LogPages<'c>(Option<Logs<'c>>);

impl Iterator for LogPages<'_> {
    type Item = Result<Vec<LogRow>>;

    fn next(&mut self) -> Option<Self::Item> {
        let logs = self.0.as_mut()?;
        let page = match logs.client.store.logs(&logs.query) {
            Ok(page) => page,
            Err(error) => {
                self.0 = None;
                return Some(Err(error.into()));
            }
        };
        match page.items.last() {
            Some(line) => logs.query.after = Some(line.number),
            None => {
                self.0 = None;
                return None;
            }
        }
        if !page.more {
            self.0 = None;
        }
        Some(Ok(page.items))
    }
}
