//! What a whole tree has come to, in few words.

use super::super::style::{Paint, Style};
use super::super::text::width;
use super::super::{names, units};
use crate::state::StateType;
use crate::store::Count;

/// The order in which states are told.
const ORDER: [StateType; 9] = [
    StateType::Completed,
    StateType::Failed,
    StateType::Crashed,
    StateType::Cancelled,
    StateType::Running,
    StateType::Cancelling,
    StateType::Paused,
    StateType::Pending,
    StateType::Scheduled,
];

/// An empty line and `1,204 runs: 1,203 Completed, 1 Failed`, on more lines if it is wide; nothing if there is nothing to tell.
pub(super) fn lines(counts: &[Count], columns: usize, style: &Style) -> String {
    let of = |state| {
        counts
            .iter()
            .filter(|count| count.state == state)
            .map(|count| count.count)
            .sum::<u64>()
    };
    let states = ORDER.map(|state| (of(state), state));
    let all: u64 = states.iter().map(|(count, _)| count).sum();
    if all == 0 {
        return String::new();
    }
    let told: Vec<_> = states.iter().filter(|(count, _)| *count > 0).collect();
    let mut text = String::from("\n");
    let mut line = format!("{}:", names::runs(all, "run"));
    for (index, (count, state)) in told.iter().enumerate() {
        let comma = if index + 1 < told.len() { "," } else { "" };
        let part = format!(" {} {state}{comma}", units::count(*count));
        if width(&line) + width(&part) > columns {
            text.push_str(&bold(&line, columns, style));
            line = " ".to_owned();
        }
        line.push_str(&part);
    }
    text + &bold(&line, columns, style)
}

fn bold(line: &str, columns: usize, style: &Style) -> String {
    style.line(&[(line.to_owned(), Paint::Bold)], columns) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunKind;

    #[test]
    fn states_are_told_in_order_and_summed_over_definitions() {
        let count = |definition: &str, state, count| Count {
            kind: RunKind::Task,
            definition: definition.to_owned(),
            state,
            count,
        };
        let counts = [
            count("a", StateType::Failed, 1),
            count("a", StateType::Completed, 1000),
            count("b", StateType::Completed, 203),
            count("b", StateType::Running, 0),
        ];
        let told = |counts: &[Count], columns| lines(counts, columns, &Style::plain());
        assert_eq!(told(&counts, 80), "\n1,204 runs: 1,203 Completed, 1 Failed\n");
        assert_eq!(told(&counts, 30), "\n1,204 runs: 1,203 Completed,\n  1 Failed\n");
        assert_eq!(told(&counts[1..2], 80), "\n1,000 runs: 1,000 Completed\n");
        assert_eq!(
            told(&[count("a", StateType::Completed, 1)], 80),
            "\n1 run: 1 Completed\n"
        );
        assert_eq!(told(&[], 80), "");
    }
}
