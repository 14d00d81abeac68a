//! Paths to runs far below: those that went wrong, or the newest of a deep tree.

use std::collections::{HashMap, HashSet};

use super::{Builder, What, is_unwell};
use crate::state::StateType;
use crate::store::{Count, RunNumber, RunQuery, RunRow, StoreResult};

/// So many failures are looked for, the latest of them.
const FAILURES: usize = 10;
/// So many paths lead to what can't be reached line by line.
const TAILS: usize = 3;
/// So many levels are shown at the end of such a path.
const END: u32 = 3;

/// Runs that a view is to lead to.
pub(super) struct Tails {
    targets: Vec<RunNumber>,
    /// The targets and what is above them, as far as it was read.
    rows: HashMap<RunNumber, RunRow>,
    /// How many levels are opened line by line: the ends of paths are below those.
    pub(super) levels: u32,
}

impl Tails {
    pub(super) fn lines(&self) -> usize {
        self.targets.len().min(TAILS) * (END as usize + 2)
    }
}

impl Builder<'_> {
    /// Finds the latest failures, wherever in the tree they are, and the way to them; in a tree without any that is too deep to show,
    /// the newest run.
    pub(super) fn find_tails(&mut self, run: &RunRow, counts: &[Count]) -> StoreResult<Tails> {
        let levels = self.limits.levels;
        let mut tails = Tails {
            targets: Vec::new(),
            rows: HashMap::new(),
            levels,
        };
        let is_root = run.root == run.number;
        let mut deep = false;
        let has_failures = counts.iter().any(|count| count.count > 0 && is_unwell(count.state));
        if has_failures {
            let found = self.newest(run, vec![StateType::Failed, StateType::Crashed], FAILURES)?;
            let mut steps = 2 * self.limits.lines + 100;
            for row in found.into_iter().filter(|row| row.number != run.number) {
                let is_deep = row.depth.saturating_sub(run.depth) > levels;
                let (target, is_known) = (row.number, tails.rows.contains_key(&row.number));
                let is_below = self.climb(row, run, &mut steps, &mut tails)?;
                if is_known || is_below.unwrap_or(is_root) {
                    deep |= is_deep;
                    tails.targets.push(target);
                }
            }
        }
        if tails.targets.is_empty() && is_root {
            // One call tells a tree that is deep from one that isn't, as far as the newest run can tell.
            for row in self.newest(run, Vec::new(), 1)? {
                if row.depth.saturating_sub(run.depth) > levels {
                    deep = true;
                    tails.targets.push(row.number);
                    self.climb(row, run, &mut (END as usize), &mut tails)?;
                }
            }
        }
        // Who leads to another isn't the end of a path.
        let above: HashSet<RunNumber> = tails.rows.values().filter_map(|row| row.parent).collect();
        tails.targets.retain(|target| !above.contains(target));
        if let Some(depth) = self.limits.depth {
            let rows = &tails.rows;
            let is_above = |row: &RunRow| row.depth.saturating_sub(run.depth) <= depth;
            tails.targets.retain(|number| rows.get(number).is_some_and(is_above));
            deep &= !tails.targets.is_empty();
        }
        if deep {
            tails.levels = levels.saturating_sub(END + 1).max(1);
        }
        Ok(tails)
    }

    fn newest(&self, run: &RunRow, states: Vec<StateType>, limit: usize) -> StoreResult<Vec<RunRow>> {
        let query = RunQuery {
            states,
            root: Some(run.root),
            limit,
            ..RunQuery::default()
        };
        Ok(self.store.runs(&query)?.items)
    }

    /// Reads what is above a run. Whether that leads to `run`; `None` if it wasn't read to the end.
    fn climb(&mut self, row: RunRow, run: &RunRow, steps: &mut usize, tails: &mut Tails) -> StoreResult<Option<bool>> {
        let mut row = row;
        let mut path = Vec::new();
        let is_below = loop {
            let parent = row.parent;
            let is_known = tails.rows.contains_key(&row.number);
            path.push(row);
            let Some(parent) = parent else {
                break Some(false);
            };
            if is_known || parent == run.number {
                break Some(true);
            }
            if *steps == 0 {
                break None;
            }
            *steps -= 1;
            match self.store.run_numbered(parent)? {
                Some(above) => row = above,
                // Deleted meanwhile.
                None => break Some(false),
            }
        };
        if is_below.unwrap_or(run.root == run.number) {
            for row in path {
                let known = tails.rows.insert(row.number, row.clone());
                if let (None, Some(parent)) = (known, row.parent) {
                    self.wanted.entry(parent).or_default().push(row);
                }
            }
        }
        Ok(is_below)
    }

    /// Shows the ends of the paths that have not been opened line by line.
    pub(super) fn attach(&mut self, tails: &Tails, run: &RunRow) {
        let mut attached = 0;
        for target in &tails.targets {
            if attached == TAILS || self.shown.contains_key(target) {
                continue;
            }
            let mut path = Vec::new();
            let mut next = Some(*target);
            let mut above = None;
            while let Some(row) = next.and_then(|number| tails.rows.get(&number)) {
                path.push(row);
                above = row.parent.and_then(|parent| self.shown.get(&parent)).copied();
                next = if above.is_some() { None } else { row.parent };
            }
            let above = above.unwrap_or_else(|| self.only_way());
            let depth = path.last().map_or(0, |row| row.depth);
            let above_depth = self.nodes[above].run().map_or(run.depth, |row| row.depth);
            path.truncate(END as usize);
            let top = path.last().map_or(depth, |row| row.depth);
            let gap = u64::from(top.saturating_sub(above_depth + 1));
            let lines: usize = path
                .iter()
                .map(|row| 1 + usize::from(is_unwell(row.state.kind())))
                .sum();
            let levels = self.nodes[above].level + path.len() as u32 + u32::from(gap > 0);
            if lines + 1 > self.left || levels > self.limits.levels {
                continue;
            }
            self.left -= lines + usize::from(gap > 0);
            attached += 1;
            self.nest(above, gap, path);
        }
    }

    fn nest(&mut self, above: usize, gap: u64, path: Vec<&RunRow>) {
        let mut above = above;
        if gap > 0 {
            above = self.push(What::Gap(gap), Some(above));
        }
        for row in path.into_iter().rev() {
            self.leave_group(above, row);
            above = self.push(What::Run(Box::new(row.clone())), Some(above));
        }
    }

    /// A run that is shown on its own is no longer one of those folded.
    fn leave_group(&mut self, parent: usize, row: &RunRow) {
        let children = self.nodes[parent].children.clone();
        for child in children {
            if let What::Group(group) = &mut self.nodes[child].what
                && group.is_like(row)
            {
                group.count = group.count.saturating_sub(1);
                group.more = true;
                if group.count == 0 {
                    self.nodes[parent].children.retain(|other| *other != child);
                }
                return;
            }
        }
    }

    /// The lowest run shown that everything not shown must be below.
    fn only_way(&self) -> usize {
        let mut at = 0;
        loop {
            let node = &self.nodes[at];
            let is_leaf = |child: &&usize| {
                let child = &self.nodes[**child];
                child.opened && child.children.is_empty()
            };
            let mut ways = node.children.iter().filter(|child| !is_leaf(child));
            match (ways.next(), ways.next()) {
                (Some(way), None) if node.opened && self.nodes[*way].run().is_some() => at = *way,
                _ => return at,
            }
        }
    }
}
