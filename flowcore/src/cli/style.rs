//! Colours, where they are wanted.

use std::fmt::Display;

use crate::state::StateType;

/// How text is painted: with colours, or plain.
///
/// Text that comes from others is [escaped](super::escaped()) before it is painted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Style {
    colours: bool,
}

impl Style {
    /// No colours at all.
    #[cfg(test)]
    pub(crate) const PLAIN: Style = Style::new(false);

    pub(crate) const fn new(colours: bool) -> Self {
        Self { colours }
    }

    /// Whether there are colours.
    pub(crate) const fn colours(self) -> bool {
        self.colours
    }

    /// A headline.
    pub(crate) fn bold(self, text: impl Display) -> String {
        self.paint(console::Style::new().bold(), text)
    }

    /// What matters less.
    pub(crate) fn dim(self, text: impl Display) -> String {
        self.paint(console::Style::new().dim(), text)
    }

    /// What went wrong.
    pub(crate) fn bad(self, text: impl Display) -> String {
        self.paint(console::Style::new().red(), text)
    }

    /// What went well.
    pub(crate) fn good(self, text: impl Display) -> String {
        self.paint(console::Style::new().green(), text)
    }

    /// What one should look at.
    pub(crate) fn odd(self, text: impl Display) -> String {
        self.paint(console::Style::new().yellow(), text)
    }

    /// Text in the colour of a state.
    pub(crate) fn state(self, state: StateType, text: impl Display) -> String {
        let style = console::Style::new();
        let style = match state {
            StateType::Completed => style.green(),
            StateType::Failed => style.red(),
            StateType::Crashed => style.red().bold(),
            StateType::Running => style.blue(),
            StateType::Cancelling | StateType::Cancelled => style.magenta(),
            StateType::Scheduled | StateType::Pending | StateType::Paused => style.yellow(),
        };
        self.paint(style, text)
    }

    fn paint(self, style: console::Style, text: impl Display) -> String {
        style.force_styling(self.colours).apply_to(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_there_or_not_whatever_the_terminal() {
        assert_eq!(Style::PLAIN.state(StateType::Failed, "Failed"), "Failed");
        assert_eq!(Style::PLAIN.bold("x"), "x");
        let painted = Style::new(true).state(StateType::Failed, "Failed");
        assert_eq!(painted, "\u{1b}[31mFailed\u{1b}[0m");
    }
}
