//! A tree as lines of text.

use super::fold::{Branch, Fold, Row, Tally};
use super::lines::{Line, lay_out};
use super::style::Style;
use super::{names, units};
use crate::state::{StateName, StateType};

enum Item<'a> {
    Row(&'a Row),
    Fold(&'a Fold, bool),
}

/// The tree in lines of at most `columns`.
pub(super) fn lines(roots: &Branch, columns: usize) -> String {
    let mut lines = Vec::new();
    below(roots, None, &mut lines);
    lay_out(&lines, columns, &Style::plain())
}

/// `indent` is what stands before the branch's own connectors; the roots have none.
fn below(branch: &Branch, indent: Option<&str>, lines: &mut Vec<Line>) {
    let rows = branch.rows.iter().map(|row| (row.order, Item::Row(row)));
    let folds = branch.folds.iter().map(|fold| {
        let more = branch
            .rows
            .iter()
            .any(|row| row.name == fold.name && row.state == fold.state);
        // What is said of the rest comes after those it is the rest of.
        let order = if more { u64::MAX } else { fold.order };
        (order, Item::Fold(fold, more))
    });
    let mut items: Vec<_> = rows.chain(folds).collect();
    items.sort_by_key(|(order, _)| *order);
    let last = items.len().saturating_sub(1);
    for (index, (_, item)) in items.into_iter().enumerate() {
        let (connector, deeper) = match indent {
            None => (String::new(), String::new()),
            Some(indent) if index == last => (format!("{indent}└─ "), format!("{indent}   ")),
            Some(indent) => (format!("{indent}├─ "), format!("{indent}│  ")),
        };
        match item {
            Item::Row(row) => {
                lines.push(of_row(row, &connector));
                below(&row.below, Some(&deeper), lines);
            }
            Item::Fold(fold, more) => lines.push(of_fold(fold, more, &connector)),
        }
    }
}

fn of_row(row: &Row, connector: &str) -> Line {
    let is_shown = !(row.below.rows.is_empty() && row.below.folds.is_empty());
    Line::Run {
        lead: connector.to_owned(),
        symbol: None,
        name: names::run(row.name, &row.run_name),
        state: row.state,
        kind: kind(row.state),
        duration: row.nanos.map_or_else(|| "-".to_owned(), units::duration),
        notes: notes(row.attempts, if is_shown { Tally::default() } else { row.below.all }),
    }
}

fn of_fold(fold: &Fold, more: bool, connector: &str) -> Line {
    let mut said = notes(fold.attempts, fold.below);
    if fold.longest.is_some() {
        said = if said.is_empty() {
            "max".to_owned()
        } else {
            format!("max, {said}")
        };
    }
    Line::Run {
        lead: connector.to_owned(),
        symbol: None,
        name: names::group(fold.name, fold.count, more, &Style::plain()),
        state: fold.state,
        kind: kind(fold.state),
        duration: fold.longest.map_or_else(|| "-".to_owned(), units::duration),
        notes: said,
    }
}

fn kind(state: &str) -> StateType {
    StateName::parse(state).map_or(StateType::Pending, StateName::kind)
}

fn notes(attempts: u32, below: Tally) -> String {
    let mut notes = Vec::new();
    if attempts > 1 {
        notes.push(names::runs(attempts.into(), "attempt"));
    }
    if below.runs > 0 {
        notes.push(format!("{} below", names::runs(below.runs, "run")));
    }
    if below.unwell > 0 {
        notes.push(format!("{} not completed", units::count(below.unwell)));
    }
    notes.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::text::width;
    use super::*;

    fn row(order: u64, run_name: &str, below: Branch) -> Row {
        Row {
            order,
            name: "work",
            run_name: run_name.to_owned(),
            state: "Completed",
            completed: true,
            nanos: Some(1_290_000_000),
            attempts: 1,
            below,
        }
    }

    fn tree() -> Branch {
        let mut below = Branch::default();
        for order in 2..1206 {
            below.add(row(order, "work-1", Branch::default()), 3);
        }
        let mut top = Branch::default();
        top.add(row(1, "crimson-fox", below), 3);
        let mut last = row(2000, "work-3f2", Branch::default());
        (last.state, last.completed, last.attempts, last.nanos) = ("Failed", false, 2, None);
        top.add(last, 3);
        let mut roots = Branch::default();
        roots.add(row(0, "木 tree", top), 3);
        roots
    }

    #[test]
    fn columns_line_up() {
        let expected = "\
work 木 tree         Completed  1.2s
├─ work crimson-fox  Completed  1.2s
│  └─ work ×1,204    Completed  1.2s  max
└─ work-3f2          Failed        -  2 attempts
";
        assert_eq!(lines(&tree(), 80), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut roots = tree();
        roots.add(row(3000, &"x\u{1b}木".repeat(200), Branch::default()), 3);
        for columns in [1, 20, 40, 80, 200] {
            for line in lines(&roots, columns).lines() {
                assert!(width(line) <= columns, "{columns}: {line}");
                assert!(!line.contains('\u{1b}'));
            }
        }
    }

    #[test]
    fn what_is_hidden_is_counted() {
        let tally = |runs, unwell| notes(1, Tally { runs, unwell });
        assert_eq!(tally(0, 0), "");
        assert_eq!(tally(1, 0), "1 run below");
        assert_eq!(tally(5120, 2), "5,120 runs below, 2 not completed");
    }
}
