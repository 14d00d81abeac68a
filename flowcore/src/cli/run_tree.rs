//! The tree of runs, collected while it happens.

use std::collections::HashMap;
use std::fmt;

use parking_lot::Mutex;

use super::fold::{Branch, Row};
use super::{is_over, render};
use crate::RunContext;
use crate::observe::Observer;
use crate::run::RunId;
use crate::state::{State, StateType};

/// Collects the runs of this process as a tree, to print: names, states, durations, attempts.
///
/// Long lists of equal runs are folded into one line with their count while they end, so the memory it takes grows with the runs
/// that are in flight, not with those that are over. What is left out is counted.
///
/// ```text
/// hash_dir crimson-fox            Completed   1.2s
/// ├─ hash_dir brisk-otter         Completed   86ms
/// │  └─ hash_file ×1,204          Completed   12ms  max
/// └─ hash_file hash_file-3f2      Failed       3ms  2 attempts
/// ```
///
/// Observe before the first run: of runs that were under way by then, those that change their state again are shown. `Display` fits
/// the lines to the terminal that standard output goes to, or to 80 columns; a width given to the format is taken instead:
///
/// ```
/// use std::sync::Arc;
/// use flowcore::cli::RunTree;
/// use flowcore::observe::observe;
/// use flowcore::prelude::*;
///
/// #[task]
/// fn square(x: u64) -> u64 { x * x }
/// #[flow(run_name = "all of them")]
/// fn squares() -> flowcore::Result<Vec<u64>> { square.map(0..1204).result() }
///
/// let tree = Arc::new(RunTree::new());
/// let watched = observe(tree.clone());
/// squares().unwrap();
/// drop(watched);
///
/// let text = format!("{tree:100}");
/// assert!(text.starts_with("squares all of them"));
/// assert!(text.contains("└─ square ×1,204"));
/// ```
#[derive(Debug)]
pub struct RunTree {
    limits: Limits,
    collected: Mutex<Collected>,
}

/// Indented any further there is nothing left to read.
const MOST_LEVELS: u32 = 64;

#[derive(Clone, Copy, Debug)]
struct Limits {
    keep: usize,
    levels: u32,
    lines: usize,
}

impl Default for RunTree {
    fn default() -> Self {
        Self {
            limits: Limits {
                keep: 3,
                levels: 8,
                lines: 100,
            },
            collected: Mutex::default(),
        }
    }
}

impl RunTree {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many runs of one name and state below one run are shown each on a line of its own; 3 unless told.
    #[must_use]
    pub fn keep(mut self, runs: usize) -> Self {
        self.limits.keep = runs;
        self
    }

    /// How many levels of runs below the outermost are shown; 8 unless told, 64 at most.
    #[must_use]
    pub fn levels(mut self, levels: u32) -> Self {
        self.limits.levels = levels.min(MOST_LEVELS);
        self
    }

    /// How many lines the runs below one run may take before the deepest are hidden; 100 unless told.
    #[must_use]
    pub fn lines(mut self, lines: usize) -> Self {
        self.limits.lines = lines;
        self
    }
}

impl Observer for RunTree {
    fn on_state(&self, run: &RunContext, state: &State) {
        self.collected.lock().enter(run, state, self.limits);
    }
}

impl fmt::Display for RunTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = f.width().unwrap_or_else(terminal_columns);
        let mut collected = self.collected.lock().clone();
        collected.close_all(self.limits);
        f.write_str(&render::lines(&collected.roots, columns))
    }
}

fn terminal_columns() -> usize {
    let size = console::Term::stdout().size_checked();
    size.map_or(80, |(_, columns)| usize::from(columns))
}

#[derive(Clone, Default, Debug)]
struct Collected {
    /// Runs that are not over, or have a run below that isn't.
    open: HashMap<RunId, Open>,
    roots: Branch,
    made: u64,
}

#[derive(Clone, Debug)]
struct Open {
    run: RunContext,
    order: u64,
    state: &'static str,
    completed: bool,
    attempts: u32,
    began: Option<i64>,
    ended: Option<i64>,
    /// How many runs right below are open.
    children: usize,
    below: Branch,
}

impl Collected {
    fn enter(&mut self, run: &RunContext, state: &State, limits: Limits) {
        let id = run.run_id();
        if !self.open.contains_key(&id) {
            // A last state told twice, or of a run that began before anybody looked.
            if is_over(state) {
                return;
            }
            self.open(run);
        }
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        if open.ended.is_some() {
            return;
        }
        open.state = state.name();
        open.completed = state.is_completed();
        open.attempts = open.attempts.max(run.attempt());
        if state.kind() == StateType::Running {
            open.began.get_or_insert(state.at);
        }
        if is_over(state) {
            open.ended = Some(state.at);
            self.close(id, limits);
        }
    }

    fn open(&mut self, run: &RunContext) {
        self.made += 1;
        let open = Open {
            run: run.clone(),
            order: self.made,
            state: "",
            completed: false,
            attempts: 0,
            began: None,
            ended: None,
            children: 0,
            below: Branch::default(),
        };
        self.open.insert(run.run_id(), open);
        if let Some(parent) = run.parent_id().and_then(|parent| self.open.get_mut(&parent)) {
            parent.children += 1;
        }
    }

    /// Moves a run that is over, with all below it, to its parent; and then the parent, if it had only waited for that.
    fn close(&mut self, id: RunId, limits: Limits) {
        let mut next = Some(id);
        while let Some(id) = next {
            let is_done = |open: &Open| open.ended.is_some() && open.children == 0;
            if !self.open.get(&id).is_some_and(is_done) {
                return;
            }
            next = self.move_up(id, limits);
        }
    }

    fn move_up(&mut self, id: RunId, limits: Limits) -> Option<RunId> {
        let Open {
            run,
            order,
            state,
            completed,
            attempts,
            began,
            ended,
            mut below,
            ..
        } = self.open.remove(&id)?;
        let shown = run.depth() <= limits.levels;
        below.prune(limits.lines);
        let row = Row {
            order,
            name: run.definition().name(),
            run_name: if shown { run.run_name() } else { String::new() },
            state,
            completed,
            nanos: began.zip(ended).map(|(began, ended)| ended - began),
            attempts,
            below,
        };
        let parent = run.parent_id().and_then(|parent| self.open.get_mut(&parent));
        let (branch, parent) = match parent {
            Some(parent) => {
                parent.children = parent.children.saturating_sub(1);
                (&mut parent.below, run.parent_id())
            }
            None => (&mut self.roots, None),
        };
        if shown {
            branch.add(row, limits.keep)
        } else {
            branch.count(&row)
        }
        parent
    }

    /// Puts what is still open in its place, from the leaves up.
    fn close_all(&mut self, limits: Limits) {
        let mut open: Vec<(u32, RunId)> = self.open.iter().map(|(id, open)| (open.run.depth(), *id)).collect();
        open.sort_unstable_by(|a, b| b.cmp(a));
        for (_, id) in open {
            self.move_up(id, limits);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;

    use super::*;
    use crate::cli::testing::observe_below;
    use crate::prelude::*;

    fn lines(tree: &RunTree) -> Vec<String> {
        // Durations vary.
        let text = format!("{tree:100}");
        let words = |line: &str| {
            let kept = line
                .split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty() && *cell != "max");
            let kept = kept.filter(|cell| !cell.starts_with(|c: char| c.is_ascii_digit()) || cell.contains("attempt"));
            kept.collect::<Vec<_>>().join("|")
        };
        text.lines().map(words).collect()
    }

    #[task(run_name = "leaf {x}")]
    fn tree_leaf(x: u32) -> Result<u32, String> {
        if x == 7 { Err("seven".to_owned()) } else { Ok(x) }
    }

    #[flow(run_name = "root")]
    fn tree_of_two() -> flowcore::Result<()> {
        tree_leaf.map([1, 7]).settle_blocking();
        Ok(())
    }

    #[test]
    fn names_and_states_stand_in_the_tree() {
        let tree = Arc::new(RunTree::new());
        let watched = observe_below("tree_of_two", &tree);
        tree_of_two().unwrap();
        drop(watched);
        assert_eq!(
            lines(&tree),
            [
                "tree_of_two root|Completed",
                "├─ tree_leaf leaf 1|Completed",
                "└─ tree_leaf leaf 7|Failed"
            ]
        );
    }

    #[task(retries = 2, run_name = "\x1b[31mred")]
    fn tree_flaky() -> Result<(), String> {
        let attempt = flowcore::context().map_or(0, |run| run.attempt());
        if attempt < 3 { Err("not yet".to_owned()) } else { Ok(()) }
    }

    #[flow(run_name = "root")]
    fn tree_of_attempts() -> flowcore::Result<()> {
        tree_flaky()
    }

    #[test]
    fn attempts_are_told_and_names_are_escaped() {
        let tree = Arc::new(RunTree::new());
        let watched = observe_below("tree_of_attempts", &tree);
        tree_of_attempts().unwrap();
        drop(watched);
        assert_eq!(
            lines(&tree),
            [
                "tree_of_attempts root|Completed",
                r"└─ tree_flaky \u{1b}[31mred|Completed|3 attempts"
            ]
        );
    }

    #[flow(run_name = "level {level}")]
    async fn tree_of_levels(level: u32) -> flowcore::Result<()> {
        if level == 0 {
            Ok(())
        } else {
            tree_of_levels(level - 1).await
        }
    }

    #[test]
    fn deep_levels_are_counted_not_shown() {
        let tree = Arc::new(RunTree::new().levels(2));
        let watched = observe_below("tree_of_levels", &tree);
        tree_of_levels(3000).run().unwrap();
        drop(watched);
        let text = format!("{tree:100}");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.lines().last().unwrap().contains("2,998 runs below"), "{text}");
        assert!(tree.collected.lock().open.is_empty());
    }

    #[task]
    fn tree_many(x: u32) -> u32 {
        x
    }

    #[flow(run_name = "root")]
    fn tree_of_many() -> flowcore::Result<Vec<u32>> {
        tree_many.map(0..5000).result()
    }

    #[test]
    fn many_equal_runs_take_one_line_and_no_memory() {
        let tree = Arc::new(RunTree::new());
        let watched = observe_below("tree_of_many", &tree);
        tree_of_many().unwrap();
        drop(watched);
        assert_eq!(
            lines(&tree),
            ["tree_of_many root|Completed", "└─ tree_many ×5,000|Completed"]
        );
        let collected = tree.collected.lock();
        assert!(collected.open.is_empty());
        assert_eq!(collected.roots.lines(), 2);
    }

    #[flow(run_name = "root")]
    async fn tree_half_way(started: mpsc::Sender<()>) {
        started.send(()).unwrap();
        std::future::pending::<()>().await;
    }

    #[test]
    fn runs_under_way_are_shown_with_their_present_state() {
        let tree = Arc::new(RunTree::new());
        let watched = observe_below("tree_half_way", &tree);
        let (started, begun) = mpsc::channel();
        let run = tree_half_way.submit(started);
        begun.recv().unwrap();
        assert_eq!(lines(&tree), ["tree_half_way root|Running|-"]);
        run.cancel();
        run.wait();
        drop(watched);
        assert_eq!(lines(&tree), ["tree_half_way root|Cancelled"]);
    }
}
