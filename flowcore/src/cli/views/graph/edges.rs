//! Whose results are inputs of whom, among what is shown.

use std::collections::{HashMap, HashSet};

use super::super::outline::{Outline, What};
use crate::store::{RunNumber, RunRow, Store, StoreResult};

/// Of a run's children so many dependencies are read for each node that may be drawn.
const EDGES_PER_NODE: usize = 8;

/// Pairs of nodes of the outline: whose result it is, and who takes it.
pub(super) fn read(store: &dyn Store, outline: &Outline, max_nodes: usize) -> StoreResult<Vec<(usize, usize)>> {
    let mut finder = Finder {
        store,
        outline,
        shown: HashMap::new(),
        found: HashMap::new(),
        reads: 4 * max_nodes + 100,
    };
    for (index, node) in outline.nodes.iter().enumerate() {
        if let Some(row) = node.run() {
            finder.shown.insert(row.number, index);
        }
    }
    let mut seen = HashSet::new();
    let mut edges = Vec::new();
    let mut left = EDGES_PER_NODE * max_nodes + 100;
    for node in &outline.nodes {
        let Some(row) = node.run().filter(|_| !node.children.is_empty()) else {
            continue;
        };
        for edge in store.edges(row.number, left)? {
            left = left.saturating_sub(1);
            let (Some(from), Some(to)) = (finder.node(edge.upstream)?, finder.node(edge.run)?) else {
                continue;
            };
            if from != to && seen.insert((from, to)) {
                edges.push((from, to));
            }
        }
        if left == 0 {
            break;
        }
    }
    Ok(edges)
}

struct Finder<'a> {
    store: &'a dyn Store,
    outline: &'a Outline,
    shown: HashMap<RunNumber, usize>,
    /// The nodes that stand for runs not shown on their own.
    found: HashMap<RunNumber, Option<usize>>,
    reads: usize,
}

impl Finder<'_> {
    /// The node that a run is shown as, or folded into, or is somewhere below.
    fn node(&mut self, number: RunNumber) -> StoreResult<Option<usize>> {
        let mut path = Vec::new();
        let mut next = number;
        let node = loop {
            if let Some(node) = self.shown.get(&next) {
                break Some(*node);
            }
            if let Some(node) = self.found.get(&next) {
                break *node;
            }
            if self.reads == 0 {
                return Ok(None);
            }
            self.reads -= 1;
            path.push(next);
            let Some(row) = self.store.run_numbered(next)? else {
                break None;
            };
            let Some(parent) = row.parent else {
                break None;
            };
            if let Some(parent) = self.shown.get(&parent) {
                break Some(self.group(*parent, &row));
            }
            next = parent;
        };
        self.found.extend(path.into_iter().map(|number| (number, node)));
        Ok(node)
    }

    fn group(&self, parent: usize, row: &RunRow) -> usize {
        let children = &self.outline.nodes[parent].children;
        let group = children.iter().find(|child| match &self.outline.nodes[**child].what {
            What::Group(group) => group.is_like(row),
            _ => false,
        });
        // Not among the children that are shown: somewhere in the parent.
        group.copied().unwrap_or(parent)
    }
}
