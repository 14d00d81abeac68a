//! The tree of a run, for a terminal.

use super::super::escaped::escaped;
use super::super::lines::{Line, lay_out};
use super::super::style::{Paint, Style};
use super::super::{names, units};
use super::outline::{self, Folded, Limits, Node, Outline, What};
use super::summary;
use crate::state::StateType;
use crate::store::{RunRow, Store, StoreResult};

/// Of a message no more than that is looked at; a line of a terminal is shorter.
const LONGEST_MESSAGE: usize = 1000;

/// How much of a tree is shown.
///
/// ```
/// use flowcore::cli::views::tree::TreeOptions;
/// let options = TreeOptions { width: 120, ..TreeOptions::default() };
/// assert_eq!((options.lines, options.all), (100, false));
/// ```
#[derive(Clone, Debug)]
pub struct TreeOptions {
    /// How many levels below the run; as many as there is room for, unless told.
    pub depth: Option<u32>,
    /// About how many lines it may take.
    pub lines: usize,
    /// How many columns it may take.
    pub width: usize,
    /// Whether every run has its own line as long as there is room, instead of one line for equals.
    pub all: bool,
}

impl Default for TreeOptions {
    fn default() -> Self {
        Self {
            depth: None,
            lines: 100,
            width: 80,
            all: false,
        }
    }
}

/// The run and what is below it: a line for each run, with its state, its duration and its attempts, and the message of what failed.
///
/// Runs of one flow or task in one state are folded to a line with their count and the time from the first beginning to the last end,
/// except for the first of those that failed or crashed. What went wrong is looked for in the whole tree and shown first. Of a root
/// run, the last line, or two, tell what the whole tree has come to.
///
/// # Errors
///
/// What the store gives when it can't be read.
///
/// # Examples
///
/// ```
/// use flowcore::cli::views::{Style, tree};
/// use flowcore::store::{MemoryStore, RunQuery, Store};
///
/// let store = MemoryStore::new();
/// for run in store.runs(&RunQuery { roots: true, ..RunQuery::default() })?.items {
///     println!("{}", tree::render(&store, &run, &tree::TreeOptions::default(), &Style::plain())?);
/// }
/// # Ok::<(), flowcore::store::StoreError>(())
/// ```
pub fn render(store: &dyn Store, run: &RunRow, options: &TreeOptions, style: &Style) -> StoreResult<String> {
    render_at(store, run, options, style, super::now())
}

pub(super) fn render_at(
    store: &dyn Store,
    run: &RunRow,
    options: &TreeOptions,
    style: &Style,
    now: i64,
) -> StoreResult<String> {
    let limits = Limits {
        lines: options.lines,
        levels: levels(options.width),
        depth: options.depth,
        all: options.all,
        messages: true,
    };
    let outline = outline::read(store, run, limits)?;
    let mut lines = Lines {
        outline: &outline,
        style,
        now,
        lines: Vec::new(),
        messages: 0,
    };
    lines.messages = options.lines.saturating_sub(outline.nodes.len());
    lines.collect();
    let mut text = lay_out(&lines.lines, options.width, style);
    text.push_str(&summary::lines(&outline.counts, options.width, style));
    Ok(text)
}

/// No more than two fifths of the width go into indentation.
fn levels(width: usize) -> u32 {
    u32::try_from(width / 5 * 2 / "├─ ".chars().count()).map_or(64, |levels| levels.clamp(4, 64))
}

struct Lines<'a> {
    outline: &'a Outline,
    style: &'a Style,
    now: i64,
    lines: Vec<Line>,
    /// How many messages there is room for.
    messages: usize,
}

impl Lines<'_> {
    fn collect(&mut self) {
        let (branch, last_branch) = (self.style.pick("├─ ", "|- "), self.style.pick("└─ ", "`- "));
        let through = self.style.pick("│  ", "|  ");
        // A node, what leads to its line, and what leads to the lines below it.
        let mut waiting = vec![(0, String::new(), String::new())];
        while let Some((index, lead, below)) = waiting.pop() {
            let node = &self.outline.nodes[index];
            self.node(node, lead, &below);
            let last = node.children.last();
            for child in node.children.iter().rev() {
                let (to, through) = match Some(child) == last {
                    true => (last_branch, "   "),
                    false => (branch, through),
                };
                waiting.push((*child, format!("{below}{to}"), format!("{below}{through}")));
            }
        }
    }

    fn node(&mut self, node: &Node, lead: String, below: &str) {
        match &node.what {
            What::Run(row) => self.run(node, row, lead, below),
            What::Group(group) => self.group(group, lead),
            What::Gap(levels) => self.left_out(lead, &names::runs(*levels, "level")),
            What::Rest(count) => self.left_out(lead, &format!("{} more", units::count(*count))),
        }
    }

    fn run(&mut self, node: &Node, row: &RunRow, lead: String, below: &str) {
        let mut notes = Vec::new();
        if row.attempt > 1 {
            notes.push(names::runs(row.attempt.into(), "attempt"));
        }
        if node.hidden > 0 {
            let more = if node.children.is_empty() { "run" } else { "more run" };
            notes.push(format!("{} below", names::runs(node.hidden, more)));
        }
        self.lines.push(Line::Run {
            lead,
            symbol: Some(row.state.kind()),
            name: names::run(&row.definition, &row.name),
            state: row.state.name(),
            kind: row.state.kind(),
            duration: row
                .duration_nanos(self.now)
                .map_or_else(|| "-".to_owned(), units::duration),
            notes: notes.join(", "),
        });
        let Some(message) = self.message(node, row).filter(|_| self.messages > 0) else {
            return;
        };
        self.messages -= 1;
        let through = if node.children.is_empty() {
            "  "
        } else {
            self.style.pick("│ ", "| ")
        };
        self.lines.push(Line::Text {
            lead: format!("{below}{through}"),
            text: message,
            paint: Paint::State(row.state.kind()),
        });
    }

    fn group(&mut self, group: &Folded, lead: String) {
        let span = group.span_nanos(self.now);
        self.lines.push(Line::Run {
            lead,
            symbol: Some(group.state_type),
            name: names::group(&group.definition, group.count, group.more, self.style),
            state: group.state,
            kind: group.state_type,
            duration: span.map_or_else(|| "-".to_owned(), units::duration),
            notes: span.map_or_else(String::new, |_| "in all".to_owned()),
        });
    }

    fn left_out(&mut self, lead: String, what: &str) {
        let dots = self.style.pick("…", "...");
        self.lines.push(Line::Text {
            lead,
            text: format!("{dots} {what} {dots}"),
            paint: Paint::Dim,
        });
    }

    /// Why a run went wrong, unless a run shown below it says the same.
    fn message(&self, node: &Node, row: &RunRow) -> Option<String> {
        let message = what_happened(row)?;
        let said_below = node
            .children
            .iter()
            .any(|child| match &self.outline.nodes[*child].what {
                What::Run(child) => what_happened(child).is_some_and(|below| says(message, below)),
                What::Gap(_) => true,
                What::Group(_) | What::Rest(_) => false,
            });
        (!said_below).then(|| first_line(message))
    }
}

/// Whether `message` tells of `below`: it is passed on by a `?` as it is, or with words around it.
fn says(message: &str, below: &str) -> bool {
    let head = below
        .char_indices()
        .nth(LONGEST_MESSAGE)
        .map_or(below, |(end, _)| &below[..end]);
    !head.is_empty() && message.contains(head)
}

/// The message of a run that didn't end well.
fn what_happened(row: &RunRow) -> Option<&str> {
    use StateType as T;
    if !matches!(row.state.kind(), T::Failed | T::Crashed | T::Cancelled) && row.state.name() != "NotReady" {
        return None;
    }
    let message = row.state.message().filter(|message| !message.trim().is_empty());
    message.or_else(|| row.error.first().map(String::as_str))
}

fn first_line(message: &str) -> String {
    let message = message.trim();
    let line = message.lines().next().unwrap_or_default();
    let head = line
        .char_indices()
        .nth(LONGEST_MESSAGE)
        .map_or(line, |(end, _)| &line[..end]);
    let more = if head.len() < message.len() { " …" } else { "" };
    format!("{}{more}", escaped(head))
}

#[cfg(test)]
mod tests;
