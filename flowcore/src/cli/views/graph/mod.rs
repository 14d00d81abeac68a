//! The graph of a run: what is nested in what, and whose results are inputs of whom.

mod dot;
mod edges;
mod layout;
mod mermaid;
mod svg;

use std::fmt;
use std::str::FromStr;

use super::super::style::Style;
use super::super::{names, units};
use super::colours::{ON_PAGE, colours};
use super::outline::{self, Limits, Outline, What};
use crate::run::RunKind;
use crate::state::StateType;
use crate::store::{RunRow, Store, StoreResult};

/// Boxes in boxes past that can't be read.
const MOST_LEVELS: u32 = 12;

/// The language a graph is written in.
///
/// ```
/// use flowcore::cli::views::graph::Format;
/// assert_eq!("svg".parse(), Ok(Format::Svg));
/// assert!("png".parse::<Format>().unwrap_err().contains("mermaid, dot or svg"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Mermaid's flowchart, which Markdown viewers show.
    Mermaid,
    /// Graphviz's language.
    Dot,
    /// A picture.
    Svg,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 3] = [Self::Mermaid, Self::Dot, Self::Svg];

    /// Its name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mermaid => "mermaid",
            Self::Dot => "dot",
            Self::Svg => "svg",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is no format of a graph: mermaid, dot or svg"))
    }
}

/// The run and what is below it as a graph: a box for each run that made others, with those in it, and an arrow from each run to those
/// that have its result as an input.
///
/// No more than about `max_nodes` nodes are drawn: runs of one flow or task in one state are folded to one, with their count. Of arrows
/// between folded runs, those are drawn that a bounded look at the store finds.
///
/// # Errors
///
/// What the store gives when it can't be read.
///
/// # Examples
///
/// ```
/// use flowcore::cli::views::{graph};
/// use flowcore::store::{MemoryStore, RunQuery, Store};
///
/// let store = MemoryStore::new();
/// for run in store.runs(&RunQuery { roots: true, ..RunQuery::default() })?.items {
///     println!("{}", graph::render(&store, &run, graph::Format::Mermaid, 100)?);
/// }
/// # Ok::<(), flowcore::store::StoreError>(())
/// ```
pub fn render(store: &dyn Store, run: &RunRow, format: Format, max_nodes: usize) -> StoreResult<String> {
    render_at(store, run, format, max_nodes, super::now())
}

fn render_at(store: &dyn Store, run: &RunRow, format: Format, max_nodes: usize, now: i64) -> StoreResult<String> {
    let limits = Limits {
        lines: max_nodes,
        levels: MOST_LEVELS,
        depth: None,
        all: false,
        messages: false,
    };
    let outline = outline::read(store, run, limits)?;
    let edges = edges::read(store, &outline, max_nodes)?;
    let graph = Graph::new(outline, edges, now);
    Ok(match format {
        Format::Mermaid => mermaid::write(&graph),
        Format::Dot => dot::write(&graph),
        Format::Svg => svg::write(&graph),
    })
}

/// What is drawn.
struct Graph {
    /// A node stands before its children.
    nodes: Vec<Node>,
    /// From the one whose result it is to the one that takes it.
    edges: Vec<(usize, usize)>,
}

/// A step of the way through a graph.
enum Step {
    /// A node without nodes in it.
    Node(usize),
    /// A box begins.
    Box(usize),
    /// The last box that began, and has not ended, ends.
    End,
}

struct Node {
    /// Its name, and what else there is to say of it. Escaped for people, not for a format.
    label: Vec<String>,
    kind: Option<RunKind>,
    state: Option<StateType>,
    children: Vec<usize>,
    parent: Option<usize>,
    /// Whether it stands for several runs.
    is_many: bool,
}

impl Node {
    /// Its label in a format's own words.
    fn label(&self, escaped: fn(&str) -> String, line_break: &str) -> String {
        let lines: Vec<_> = self.label.iter().map(|line| escaped(line)).collect();
        lines.join(line_break)
    }
}

impl Graph {
    fn new(outline: Outline, edges: Vec<(usize, usize)>, now: i64) -> Self {
        let nodes = outline.nodes.into_iter().map(|node| {
            let mut new = Node {
                label: Vec::new(),
                kind: None,
                state: None,
                children: node.children,
                parent: node.parent,
                is_many: true,
            };
            match node.what {
                What::Run(row) => {
                    new.is_many = false;
                    (new.kind, new.state) = (Some(row.kind), Some(row.state.kind()));
                    new.label
                        .push(marked(row.state.kind(), &names::run(&row.definition, &row.name)));
                    let mut said = row.state.name().to_owned();
                    if let Some(nanos) = row.duration_nanos(now) {
                        said = format!("{said} {}", units::duration(nanos));
                    }
                    if row.attempt > 1 {
                        said = format!("{said}, {}", names::runs(row.attempt.into(), "attempt"));
                    }
                    new.label.push(said);
                    if node.hidden > 0 {
                        new.label.push(format!("{} below", names::runs(node.hidden, "run")));
                    }
                }
                What::Group(group) => {
                    (new.kind, new.state) = (Some(group.kind), Some(group.state_type));
                    let name = names::group(&group.definition, group.count, group.more, &Style::plain());
                    new.label.push(marked(group.state_type, &name));
                    let span = group.span_nanos(now).map_or_else(String::new, units::duration);
                    new.label.push(format!("{} {span}", group.state).trim_end().to_owned());
                }
                What::Gap(levels) => new.label.push(format!("… {} …", names::runs(levels, "level"))),
                What::Rest(count) => new.label.push(format!("… {} more …", units::count(count))),
            }
            new
        });
        Self {
            nodes: nodes.collect(),
            edges,
        }
    }

    /// All nodes, those of a box between its opening and its end, each with its level from 1. A deep graph costs no stack.
    fn walk(&self) -> impl Iterator<Item = (Step, usize)> {
        let mut waiting = vec![(Step::Node(0), 1)];
        std::iter::from_fn(move || {
            let (step, level) = waiting.pop()?;
            let Step::Node(index) = step else {
                return Some((step, level));
            };
            let children = &self.nodes[index].children;
            if children.is_empty() {
                return Some((step, level));
            }
            waiting.push((Step::End, level));
            waiting.extend(children.iter().rev().map(|child| (Step::Node(*child), level + 1)));
            Some((Step::Box(index), level))
        })
    }

    /// The edges that are drawn: a box has no arrow to what is in it.
    fn arrows(&self) -> impl Iterator<Item = (usize, usize)> {
        let drawn = |(from, to): &(usize, usize)| !self.is_above(*from, *to) && !self.is_above(*to, *from);
        self.edges.iter().copied().filter(drawn)
    }

    fn is_above(&self, above: usize, node: usize) -> bool {
        std::iter::successors(Some(node), |node| self.nodes[*node].parent).any(|node| node == above)
    }
}

fn marked(state: StateType, name: &str) -> String {
    format!("{} {name}", Style::plain().symbol(state))
}

/// A state's name as a class of a style sheet.
fn class(state: Option<StateType>) -> String {
    state.map_or("none".to_owned(), |state| state.as_str().to_lowercase())
}

#[cfg(test)]
mod tests;
