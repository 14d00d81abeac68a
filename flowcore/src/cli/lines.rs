//! The lines of a tree, their columns lined up.

use super::style::{Paint, Style};
use super::text::{pad_left, pad_right, width};
use crate::state::StateType;

/// Below this a label says nothing.
const NARROWEST_LABEL: usize = 16;

/// One line of a tree.
pub(super) enum Line {
    /// A run or several: what leads to it in the tree, its name, its state, the duration, and what else there is to say.
    Run {
        lead: String,
        symbol: Option<StateType>,
        name: String,
        state: &'static str,
        kind: StateType,
        duration: String,
        notes: String,
    },
    /// Something said about the line before.
    Text { lead: String, text: String, paint: Paint },
}

impl Line {
    fn label_width(&self, style: &Style) -> usize {
        match self {
            Self::Run { lead, symbol, name, .. } => {
                let symbol = symbol.map_or(0, |kind| width(style.symbol(kind)) + 1);
                width(lead) + symbol + width(name)
            }
            Self::Text { .. } => 0,
        }
    }

    fn cells(&self) -> (&str, &str, &str) {
        match self {
            Self::Run {
                state, duration, notes, ..
            } => (state, duration, notes),
            Self::Text { .. } => ("", "", ""),
        }
    }
}

/// The lines in at most `columns`.
pub(super) fn lay_out(lines: &[Line], columns: usize, style: &Style) -> String {
    let widest = |measure: &dyn Fn(&Line) -> usize| lines.iter().map(measure).max().unwrap_or(0);
    let states = widest(&|line| width(line.cells().0));
    let durations = widest(&|line| width(line.cells().1));
    let notes = widest(&|line| width(line.cells().2));
    let rest = states + durations + notes + 3 * "  ".len();
    // Where room is short it is the names that tell the most.
    let least = NARROWEST_LABEL.max(columns / 2);
    let labels = widest(&|line| line.label_width(style)).min(columns.saturating_sub(rest).max(least));
    let mut text = String::new();
    for line in lines {
        let parts = match line {
            Line::Run {
                lead,
                symbol,
                name,
                state,
                kind,
                duration,
                notes,
            } => {
                let symbol = symbol.map_or(String::new(), |kind| format!("{} ", style.symbol(kind)));
                let room = labels.saturating_sub(width(lead) + width(&symbol));
                let name = pad_right(&style.cut(name, room), room);
                vec![
                    (lead.clone(), Paint::Dim),
                    (symbol, Paint::State(*kind)),
                    (name, Paint::Plain),
                    (format!("  {}", pad_right(state, states)), Paint::State(*kind)),
                    (format!("  {}", pad_left(duration, durations)), Paint::Plain),
                    (format!("  {notes}"), Paint::Dim),
                ]
            }
            Line::Text { lead, text, paint } => vec![(lead.clone(), Paint::Dim), (text.clone(), *paint)],
        };
        text.push_str(&style.line(&parts, columns));
        text.push('\n');
    }
    text
}
