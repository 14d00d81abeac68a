//! The runs below one run, long lists of equals folded.

/// One run that is shown.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The order of making, over all runs.
    pub(super) order: u64,
    pub(super) name: &'static str,
    pub(super) run_name: String,
    pub(super) state: &'static str,
    pub(super) completed: bool,
    pub(super) nanos: Option<i64>,
    pub(super) attempts: u32,
    pub(super) below: Branch,
}

/// Several runs of one name and state, shown as one line.
#[derive(Clone, Debug)]
pub(super) struct Fold {
    pub(super) order: u64,
    pub(super) name: &'static str,
    pub(super) state: &'static str,
    pub(super) count: u64,
    pub(super) longest: Option<i64>,
    pub(super) attempts: u32,
    pub(super) below: Tally,
}

/// How many runs, and how many of them did not complete.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Tally {
    pub(super) runs: u64,
    pub(super) unwell: u64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.runs += other.runs;
        self.unwell += other.unwell;
    }
}

/// All runs below a run.
#[derive(Clone, Default, Debug)]
pub(super) struct Branch {
    pub(super) rows: Vec<Row>,
    pub(super) folds: Vec<Fold>,
    /// Everything below, at any depth, shown or not.
    pub(super) all: Tally,
}

impl Row {
    pub(super) fn tally(&self) -> Tally {
        let mut tally = self.below.all;
        tally.add(Tally {
            runs: 1,
            unwell: u64::from(!self.completed),
        });
        tally
    }

    fn is_leaf(&self) -> bool {
        self.below.all.runs == 0
    }
}

impl Fold {
    fn absorb(&mut self, row: &Row) {
        self.order = self.order.min(row.order);
        self.count += 1;
        self.longest = self.longest.max(row.nanos);
        self.attempts = self.attempts.max(row.attempts);
        self.below.add(row.below.all);
    }
}

impl Branch {
    /// Counts a run without showing it.
    pub(super) fn count(&mut self, row: &Row) {
        self.all.add(row.tally());
    }

    /// Takes a run in. Of equals, `keep` stay on their own; once there are more, those without runs below all become one line, and
    /// of those with runs below the first stay.
    pub(super) fn add(&mut self, row: Row, keep: usize) {
        self.count(&row);
        let (name, state) = (row.name, row.state);
        let same = |other: &Row| other.name == name && other.state == state;
        let mut fold = self
            .folds
            .iter()
            .position(|fold| fold.name == name && fold.state == state);
        if fold.is_none() && self.rows.iter().filter(|other| same(other)).count() >= keep {
            fold = Some(self.fold_leaves(&row));
        }
        let Some(fold) = fold else {
            return self.rows.push(row);
        };
        if !row.is_leaf() && self.rows.iter().filter(|other| same(other)).count() < keep {
            self.rows.push(row);
        } else {
            self.folds[fold].absorb(&row);
        }
    }

    /// Makes the line for runs like `row`, and moves those in that have nothing below.
    fn fold_leaves(&mut self, row: &Row) -> usize {
        let mut fold = Fold {
            order: row.order,
            name: row.name,
            state: row.state,
            count: 0,
            longest: None,
            attempts: 0,
            below: Tally::default(),
        };
        self.rows.retain(|other| {
            let folded = other.is_leaf() && other.name == row.name && other.state == row.state;
            if folded {
                fold.absorb(other);
            }
            !folded
        });
        self.folds.push(fold);
        self.folds.len() - 1
    }

    /// How many lines it takes.
    pub(super) fn lines(&self) -> usize {
        self.folds.len() + self.rows.iter().map(|row| 1 + row.below.lines()).sum::<usize>()
    }

    fn height(&self) -> usize {
        let below = self.rows.iter().map(|row| row.below.height()).max();
        below.map_or(usize::from(!self.folds.is_empty()), |below| below + 1)
    }

    /// Hides the deepest levels until no more than `most` lines are left, or one level.
    pub(super) fn prune(&mut self, most: usize) {
        if self.lines() <= most {
            return;
        }
        for level in (1..self.height()).rev() {
            self.hide(level);
            if self.lines() <= most {
                return;
            }
        }
    }

    fn hide(&mut self, level: usize) {
        for row in &mut self.rows {
            if level > 1 {
                row.below.hide(level - 1);
            } else {
                (row.below.rows, row.below.folds) = (Vec::new(), Vec::new());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(order: u64, state: &'static str, below: Branch) -> Row {
        Row {
            order,
            name: "work",
            run_name: format!("work-{order}"),
            state,
            completed: state == "Completed",
            nanos: i64::try_from(order).ok(),
            attempts: 1,
            below,
        }
    }

    fn leaves(count: u64) -> Branch {
        let mut branch = Branch::default();
        for order in 0..count {
            branch.add(row(order, "Completed", Branch::default()), 3);
        }
        branch
    }

    #[test]
    fn equals_are_shown_up_to_the_limit_and_folded_past_it() {
        assert_eq!((leaves(3).rows.len(), leaves(3).folds.len()), (3, 0));
        let many = leaves(1204);
        assert_eq!((many.rows.len(), many.folds.len()), (0, 1));
        let fold = &many.folds[0];
        assert_eq!((fold.count, fold.longest, fold.order), (1204, Some(1203), 0));
        assert_eq!(many.all.runs, 1204);
    }

    #[test]
    fn another_state_is_another_line() {
        let mut branch = leaves(10);
        branch.add(row(10, "Failed", Branch::default()), 3);
        assert_eq!((branch.rows.len(), branch.folds.len()), (1, 1));
        assert_eq!(branch.all, Tally { runs: 11, unwell: 1 });
    }

    #[test]
    fn the_first_runs_with_runs_below_stay_and_what_is_hidden_is_counted() {
        let mut branch = Branch::default();
        for order in 0..5 {
            let mut below = leaves(2);
            below.add(row(9, "Failed", Branch::default()), 3);
            branch.add(row(order, "Completed", below), 3);
        }
        assert_eq!(branch.rows.len(), 3);
        assert_eq!(branch.folds[0].count, 2);
        assert_eq!(branch.folds[0].below, Tally { runs: 6, unwell: 2 });
        assert_eq!(branch.all, Tally { runs: 20, unwell: 5 });
    }

    #[test]
    fn pruning_hides_the_deepest_level_first_and_keeps_the_counts() {
        let mut middle = Branch::default();
        middle.add(row(0, "Completed", leaves(3)), 3);
        middle.add(row(1, "Completed", leaves(3)), 3);
        let mut top = Branch::default();
        top.add(row(2, "Completed", middle), 3);
        assert_eq!(top.lines(), 9);
        top.prune(9);
        assert_eq!(top.lines(), 9);
        top.prune(5);
        assert_eq!(top.lines(), 3);
        top.prune(1);
        assert_eq!(top.lines(), 1);
        assert_eq!(top.all.runs, 9);
    }
}
