//! How text looks: with colours or without, in Unicode or in ASCII.

use std::borrow::Cow;
use std::fmt::Display;

use super::text;
use crate::state::StateType;

/// How text looks on the terminal it is made for.
///
/// Text that comes from others is [escaped](super::escaped()) before it is painted.
///
/// ```
/// use flowcore::cli::views::Style;
///
/// let is_terminal = false;
/// let style = if is_terminal { Style::colored() } else { Style::plain() };
/// assert_eq!(style, Style::plain());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    colours: bool,
    unicode: bool,
}

/// What a piece of a line is, which tells how it is painted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Paint {
    Plain,
    Dim,
    Bold,
    Bad,
    State(StateType),
}

impl Style {
    /// No colours at all.
    #[cfg(test)]
    pub(crate) const PLAIN: Style = Style::plain();

    /// Unicode without colours: for files and pipes.
    #[must_use]
    pub const fn plain() -> Self {
        Self::new(false)
    }

    /// Unicode with the terminal's sixteen colours: those are the user's own choice, and can be read on the user's background.
    #[must_use]
    pub const fn colored() -> Self {
        Self::new(true)
    }

    /// The same with nothing but ASCII for lines, symbols and bars. Names stay as they are.
    ///
    /// ```
    /// use flowcore::cli::views::Style;
    /// assert_ne!(Style::plain().ascii(), Style::plain());
    /// ```
    #[must_use]
    pub const fn ascii(self) -> Self {
        Self { unicode: false, ..self }
    }

    pub(crate) const fn new(colours: bool) -> Self {
        Self { colours, unicode: true }
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

    pub(super) fn pick<'a>(&self, unicode: &'a str, ascii: &'a str) -> &'a str {
        if self.unicode { unicode } else { ascii }
    }

    /// A state in one column.
    pub(super) fn symbol(&self, kind: StateType) -> &'static str {
        let (unicode, ascii) = match kind {
            StateType::Completed => ("✓", "+"),
            StateType::Failed => ("✗", "x"),
            StateType::Crashed => ("‼", "!"),
            StateType::Cancelling => ("⊖", "/"),
            StateType::Cancelled => ("⊘", "/"),
            StateType::Running => ("●", "*"),
            StateType::Scheduled => ("◌", "~"),
            StateType::Paused => ("‖", "="),
            StateType::Pending => ("○", "o"),
        };
        if self.unicode { unicode } else { ascii }
    }

    pub(super) fn cut<'a>(&self, text: &'a str, columns: usize) -> Cow<'a, str> {
        text::cut(text, columns, self.pick("…", "..."))
    }

    fn part(&self, text: &str, paint: Paint) -> String {
        match paint {
            _ if text.is_empty() => String::new(),
            Paint::Plain => text.to_owned(),
            Paint::Dim => self.dim(text),
            Paint::Bold => self.bold(text),
            Paint::Bad => self.bad(text),
            Paint::State(kind) => self.state(kind, text),
        }
    }

    /// A line of such parts, cut to `columns`, without blanks at its end.
    pub(super) fn line(&self, parts: &[(String, Paint)], columns: usize) -> String {
        let whole: String = parts.iter().map(|(text, _)| text.as_str()).collect();
        let whole = whole.trim_end();
        let shown = self.cut(whole, columns);
        let mut kept = whole.bytes().zip(shown.bytes()).take_while(|(a, b)| a == b).count();
        while !whole.is_char_boundary(kept) || !shown.is_char_boundary(kept) {
            kept -= 1;
        }
        let (mut rest, mark) = shown.split_at(kept);
        let mut line = String::new();
        let mut last = Paint::Plain;
        for (text, paint) in parts {
            let (part, more) = rest.split_at(text.len().min(rest.len()));
            line.push_str(&self.part(part, *paint));
            rest = more;
            last = *paint;
            if rest.is_empty() {
                break;
            }
        }
        line.push_str(&self.part(mark, last));
        line
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

    #[test]
    fn every_symbol_takes_one_column() {
        for kind in StateType::ALL {
            for style in [Style::plain(), Style::plain().ascii()] {
                assert_eq!(text::width(style.symbol(kind)), 1, "{kind}");
            }
            assert!(Style::plain().ascii().symbol(kind).is_ascii());
        }
    }

    #[test]
    fn a_line_is_cut_before_it_is_painted() {
        let parts = || vec![("abc".to_owned(), Paint::Bold), ("defg".to_owned(), Paint::Plain)];
        let cut = |columns| Style::plain().line(&parts(), columns);
        assert_eq!(
            [7, 6, 4, 3, 1, 0].map(cut),
            ["abcdefg", "abcde…", "abc…", "ab…", "…", ""]
        );
        assert_eq!(Style::colored().line(&parts(), 6), "\x1b[1mabc\x1b[0mde…");
        assert_eq!(Style::plain().ascii().line(&parts(), 6), "abc...");
    }

    #[test]
    fn blanks_at_the_end_are_left_out() {
        let parts = vec![("abc ".to_owned(), Paint::Bold), ("   ".to_owned(), Paint::Plain)];
        assert_eq!(Style::colored().line(&parts, 80), "\x1b[1mabc\x1b[0m");
    }
}
