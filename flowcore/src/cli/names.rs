//! What a run is called in a view.

use super::escaped::escaped;
use super::style::Style;
use super::text::cut;
use super::units;

/// A name longer than this is cut, however wide the terminal.
const LONGEST_NAME: usize = 100;

/// `hash_file crimson-fox`, or the run's name alone if it begins with that of its flow or task.
pub(super) fn run(definition: &str, run_name: &str) -> String {
    let name = if run_name.starts_with(definition) {
        short(run_name)
    } else {
        format!("{} {}", short(definition), short(run_name))
    };
    name.trim_end().to_owned()
}

/// `hash_file ×1,204`, and `more` if some of them stand before it.
pub(super) fn group(definition: &str, count: u64, more: bool, style: &Style) -> String {
    let more = if more { " more" } else { "" };
    let times = style.pick("×", "x");
    format!("{} {times}{}{more}", short(definition), units::count(count))
}

/// `1 run`, `1,204 runs`.
pub(super) fn runs(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", units::count(count))
}

/// Escaped; of a megabyte of a name only the head is looked at.
fn short(name: &str) -> String {
    let head = name
        .char_indices()
        .nth(LONGEST_NAME + 1)
        .map_or(name, |(end, _)| &name[..end]);
    cut(&escaped(head).to_string(), LONGEST_NAME, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_tells_its_task_stands_alone() {
        assert_eq!(run("work", "work-3f2"), "work-3f2");
        assert_eq!(run("work", "crimson-fox"), "work crimson-fox");
        assert_eq!(run("work", ""), "work");
        assert_eq!(group("work", 1204, true, &Style::plain()), "work ×1,204 more");
    }

    #[test]
    fn long_and_unsafe_names_are_made_fit() {
        assert_eq!(
            run("w", &format!("w{}", "x".repeat(1 << 20))).chars().count(),
            LONGEST_NAME
        );
        assert_eq!(run("a\nb", "\u{202e}"), r"a\nb \u{202e}");
    }
}
