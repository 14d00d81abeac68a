//! The part of a tree that a view shows: what is opened, what is folded, what is left out.
//!
//! The store is asked only for what is shown. The tree may be of any size and depth: what is asked is bounded by
//! [`Limits::lines`], and nothing here recurses.

mod family;
mod tails;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use self::family::{Child, Family};
use crate::run::RunKind;
use crate::state::StateType;
use crate::store::{Count, Group, RunNumber, RunRow, Store, StoreResult};

/// How much is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// No more nodes than that.
    pub(super) lines: usize,
    /// No more levels below the first run than that, whatever the depth of the tree.
    pub(super) levels: u32,
    /// How many levels the user wants to see.
    pub(super) depth: Option<u32>,
    /// Whether nothing is folded as long as there is room.
    pub(super) all: bool,
    /// Whether a failure's message takes a line too.
    pub(super) messages: bool,
}

/// What a node stands for.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// One run.
    Run(Box<RunRow>),
    /// Several runs of one definition and state.
    Group(Folded),
    /// Levels that are left out between a run and one far below it.
    Gap(u64),
    /// Runs of several kinds that there was no room for.
    Rest(u64),
}

/// Several runs with one parent, definition and state.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    pub(super) kind: RunKind,
    pub(super) definition: String,
    pub(super) state: &'static str,
    pub(super) state_type: StateType,
    pub(super) count: u64,
    /// Whether some of the same stand before it, each on its own.
    pub(super) more: bool,
    pub(super) first_started_at: Option<i64>,
    pub(super) last_ended_at: Option<i64>,
    /// When the first of them was made, and which that is, as far as it is known.
    order: Option<(i64, RunNumber)>,
}

impl Folded {
    /// From the first beginning to the last end, or to `now` where some go on. Nanoseconds.
    pub(super) fn span_nanos(&self, now: i64) -> Option<i64> {
        let start = self.first_started_at?;
        Some((self.end(now) - start).max(0))
    }

    /// When the last of them ended, or `now` where some go on.
    pub(super) fn end(&self, now: i64) -> i64 {
        let is_over = self.state_type.is_terminal();
        self.last_ended_at.filter(|_| is_over).unwrap_or(now)
    }

    pub(super) fn is_like(&self, row: &RunRow) -> bool {
        self.kind == row.kind && self.definition == row.definition && self.state_type == row.state.kind()
    }
}

/// A node of the outline.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) what: What,
    pub(super) parent: Option<usize>,
    pub(super) children: Vec<usize>,
    /// How far below the first run it is shown.
    pub(super) level: u32,
    /// How many runs it made, where these are not shown.
    pub(super) hidden: u64,
    opened: bool,
}

impl Node {
    pub(super) fn run(&self) -> Option<&RunRow> {
        match &self.what {
            What::Run(row) => Some(row),
            _ => None,
        }
    }

    /// The order among siblings.
    fn key(&self) -> (i64, RunNumber) {
        const LAST: RunNumber = RunNumber::from_stored(i64::MAX);
        match &self.what {
            What::Run(row) => (row.created_at, row.number),
            What::Group(group) => group
                .order
                .unwrap_or((group.first_started_at.unwrap_or(i64::MAX), LAST)),
            What::Gap(_) | What::Rest(_) => (i64::MAX, LAST),
        }
    }
}

/// The part of a tree that is shown: node 0 is the first run, and a node stands before its children.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) nodes: Vec<Node>,
    /// What the whole tree has come to; empty where the first run isn't a root.
    pub(super) counts: Vec<Count>,
}

/// Reads what is shown of the tree below `run`.
pub(super) fn read(store: &dyn Store, run: &RunRow, limits: Limits) -> StoreResult<Outline> {
    let counts = store.counts(run.root)?;
    let mut builder = Builder {
        store,
        limits,
        left: limits.lines.max(1) - 1,
        nodes: Vec::new(),
        shown: HashMap::new(),
        wanted: HashMap::new(),
        waiting: BinaryHeap::new(),
    };
    let tails = builder.find_tails(run, &counts)?;
    builder.push(What::Run(Box::new(run.clone())), None);
    // Enough for the ends of the paths to what went wrong, which lie too deep to be reached line by line.
    let reserve = tails.lines().min(builder.left / 3);
    builder.left -= reserve;
    builder.open_all(tails.levels)?;
    builder.left += reserve;
    builder.attach(&tails, run);
    builder.open_all(tails.levels)?;
    builder.count_hidden()?;
    builder.sort();
    Ok(Outline {
        nodes: builder.nodes,
        counts: if run.root == run.number { counts } else { Vec::new() },
    })
}

struct Builder<'a> {
    store: &'a dyn Store,
    limits: Limits,
    /// How many lines are left.
    left: usize,
    nodes: Vec<Node>,
    shown: HashMap<RunNumber, usize>,
    /// Runs to show on their own, by their parents: they went wrong, or lead to one that did.
    wanted: HashMap<RunNumber, Vec<RunRow>>,
    /// Runs that can be opened: the most urgent first, then from the top.
    waiting: BinaryHeap<Reverse<(u8, u32, usize)>>,
}

impl Builder<'_> {
    fn push(&mut self, what: What, parent: Option<usize>) -> usize {
        let index = self.nodes.len();
        let level = parent.map_or(0, |parent| self.nodes[parent].level + 1);
        if let What::Run(row) = &what {
            let urgency = match row.state.kind() {
                _ if self.wanted.contains_key(&row.number) => 0,
                kind if is_unwell(kind) => 1,
                kind if !kind.is_terminal() => 2,
                _ => 3,
            };
            self.shown.insert(row.number, index);
            self.waiting.push(Reverse((urgency, level, index)));
        }
        if let Some(parent) = parent {
            self.nodes[parent].children.push(index);
        }
        self.nodes.push(Node {
            what,
            parent,
            children: Vec::new(),
            level,
            hidden: 0,
            opened: false,
        });
        index
    }

    /// Opens runs, down to `levels`, until there is no line left.
    fn open_all(&mut self, levels: u32) -> StoreResult<()> {
        let levels = self.limits.depth.map_or(levels, |depth| depth.min(levels));
        let mut later = Vec::new();
        while self.left > 0 {
            let Some(Reverse((urgency, level, index))) = self.waiting.pop() else {
                break;
            };
            if level >= levels {
                later.push(Reverse((urgency, level, index)));
            } else if !self.nodes[index].opened && self.nodes[index].children.is_empty() {
                self.open(index)?;
            }
        }
        self.waiting.extend(later);
        Ok(())
    }

    fn open(&mut self, index: usize) -> StoreResult<()> {
        let Some(number) = self.nodes[index].run().map(|row| row.number) else {
            return Ok(());
        };
        let families = self.families(number)?;
        self.nodes[index].opened = true;
        for child in family::fit(families, self.left, &self.limits) {
            self.left = self.left.saturating_sub(child.lines(&self.limits));
            let what = match child {
                Child::Run(row) => What::Run(row),
                Child::Group(group) => What::Group(group),
                Child::Rest(count) => What::Rest(count),
            };
            self.push(what, Some(index));
        }
        Ok(())
    }

    /// Says of each run that could not be opened how many runs it made.
    fn count_hidden(&mut self) -> StoreResult<()> {
        for index in 0..self.nodes.len() {
            let node = &self.nodes[index];
            let Some(row) = node.run().filter(|_| !node.opened) else {
                continue;
            };
            let made: u64 = self.store.groups(row.number)?.iter().map(|group| group.count).sum();
            let shown = node.children.iter().filter(|child| match &self.nodes[**child].what {
                What::Run(child) => child.parent == Some(row.number),
                What::Gap(_) => true,
                What::Group(_) | What::Rest(_) => false,
            });
            self.nodes[index].hidden = made.saturating_sub(shown.count() as u64);
        }
        Ok(())
    }

    /// Puts children in the order of their beginnings, and what is said of the rest after those it is the rest of.
    fn sort(&mut self) {
        for index in 0..self.nodes.len() {
            let mut children = std::mem::take(&mut self.nodes[index].children);
            let nodes = &self.nodes;
            let place = |child: usize| match &nodes[child].what {
                What::Group(group) if group.more => {
                    let alike = children
                        .iter()
                        .filter_map(|other| nodes[*other].run().map(|row| (*other, row)));
                    let last = alike
                        .filter(|(_, row)| group.is_like(row))
                        .map(|(other, _)| nodes[other].key())
                        .max();
                    (last.unwrap_or(nodes[child].key()), 1)
                }
                _ => (nodes[child].key(), 0),
            };
            let mut placed: Vec<_> = children.iter().map(|child| (place(*child), *child)).collect();
            placed.sort_unstable();
            children.clear();
            children.extend(placed.into_iter().map(|(_, child)| child));
            self.nodes[index].children = children;
        }
    }
}

/// Whether that is what one looks for first.
fn is_unwell(state: StateType) -> bool {
    matches!(state, StateType::Failed | StateType::Crashed)
}

impl From<Group> for Family {
    fn from(group: Group) -> Self {
        Self {
            folded: Folded {
                kind: group.kind,
                definition: group.definition,
                state: group.state.as_str(),
                state_type: group.state,
                count: group.count,
                more: false,
                first_started_at: group.first_started_at,
                last_ended_at: group.last_ended_at,
                order: None,
            },
            rows: Vec::new(),
        }
    }
}
