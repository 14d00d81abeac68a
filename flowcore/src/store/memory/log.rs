//! The runs' logs.

use std::ops::Bound;

use super::super::batch::LogWrite;
use super::super::number::RunNumber;
use super::super::query::{LogQuery, Page};
use super::super::row::LogRow;
use super::Inner;

/// A line, among those of its tree.
pub(super) struct Line {
    number: i64,
    run: RunNumber,
    at: i64,
    level: tracing::Level,
    target: String,
    message: String,
}

impl Inner {
    /// Takes a line, unless its run isn't there (any more).
    pub(super) fn write_line(&mut self, line: &LogWrite) {
        let Some(run) = self.runs.get_mut(&line.run) else {
            return;
        };
        let Some(tree) = self.trees.get_mut(&run.root) else {
            return;
        };
        let Ok(place) = u32::try_from(tree.lines.len()) else {
            return;
        };
        self.last_line += 1;
        run.lines.push(place);
        tree.lines.push(Line {
            number: self.last_line,
            run: line.run,
            at: line.at,
            level: line.level,
            target: line.target.clone(),
            message: line.message.clone(),
        });
    }

    pub(super) fn log_page(&self, query: &LogQuery) -> Page<LogRow> {
        let none = || Page {
            items: Vec::new(),
            more: false,
        };
        let Some(run) = self.runs.get(&query.run) else {
            return none();
        };
        let Some(tree) = self.trees.get(&run.root) else {
            return none();
        };
        let beyond = match query.after {
            Some(after) => Bound::Excluded(after),
            None => Bound::Unbounded,
        };
        if query.below && run.number == run.root {
            let from = match beyond {
                Bound::Excluded(after) => tree.lines.partition_point(|line| line.number <= after),
                _ => 0,
            };
            self.page_of(tree.lines[from..].iter(), query)
        } else {
            let lines = run.lines.iter().map(|place| &tree.lines[*place as usize]);
            let from = match beyond {
                Bound::Excluded(after) => run
                    .lines
                    .partition_point(|place| tree.lines[*place as usize].number <= after),
                _ => 0,
            };
            self.page_of(lines.skip(from), query)
        }
    }

    fn page_of<'a>(
        &self,
        lines: impl DoubleEndedIterator<Item = &'a Line> + ExactSizeIterator,
        query: &LogQuery,
    ) -> Page<LogRow> {
        // The more it tells, the greater is a level.
        let mut lines = lines.filter(|line| line.level <= query.level);
        let row = |line: &Line| LogRow {
            number: line.number,
            run: line.run,
            run_name: self
                .runs
                .get(&line.run)
                .map(|run| run.name().to_owned())
                .unwrap_or_default(),
            at: line.at,
            level: line.level,
            target: line.target.clone(),
            message: line.message.clone(),
        };
        if query.last {
            let mut items: Vec<LogRow> = lines.by_ref().rev().take(query.limit).map(row).collect();
            items.reverse();
            let more = lines.next_back().is_some();
            Page { items, more }
        } else {
            let items: Vec<LogRow> = lines.by_ref().take(query.limit).map(row).collect();
            let more = lines.next().is_some();
            Page { items, more }
        }
    }
}
