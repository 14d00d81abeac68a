//! Text for a log: bounded, and without characters that would change how its line is read.

use std::fmt::{self, Write};

/// Collects what is written up to a bound; then it refuses, so that the rest is never formatted.
///
/// Newlines and tabs are kept: whoever prints the text sees to the lines. Other control characters are escaped (a terminal would obey
/// them), and so are the marks that reorder text.
pub(super) struct Text {
    out: String,
    limit: usize,
    cut: bool,
}

impl Text {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            out: String::new(),
            limit,
            cut: false,
        }
    }

    /// What was written, with a mark where it was cut.
    pub(super) fn finish(self) -> String {
        let mut out = self.out;
        out.truncate(out.trim_end_matches('\n').len());
        if self.cut {
            // Writing to a String can't fail.
            let _ = write!(out, "… (cut at {} bytes)", self.limit);
        }
        out
    }

    fn push(&mut self, part: &str) -> fmt::Result {
        if self.cut {
            return Err(fmt::Error);
        }
        let room = self.limit - self.out.len();
        if part.len() <= room {
            self.out.push_str(part);
            return Ok(());
        }
        self.cut = true;
        self.out.push_str(&part[..part.floor_char_boundary(room)]);
        Err(fmt::Error)
    }

    fn push_escaped(&mut self, character: char) -> fmt::Result {
        // An escape is written whole or not at all.
        let escaped = match u32::from(character) {
            code @ 0..=0xff => format!("\\x{code:02x}"),
            code => format!("\\u{{{code:x}}}"),
        };
        if escaped.len() > self.limit - self.out.len() {
            self.cut = true;
            return Err(fmt::Error);
        }
        self.push(&escaped)
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(misleads) {
            self.push(&rest[..at])?;
            let mut from = rest[at..].chars();
            from.next().map_or(Ok(()), |character| self.push_escaped(character))?;
            rest = from.as_str();
        }
        self.push(rest)
    }
}

/// Whether a character is obeyed or reorders, rather than shown.
fn misleads(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    }
}

/// A name, on one line whatever it holds.
pub(super) struct OneLine<'a>(pub(super) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if misleads(character) || matches!(character, '\n' | '\t') {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(limit: usize, parts: &[&str]) -> String {
        let mut text = Text::new(limit);
        for part in parts {
            if text.write_str(part).is_err() {
                break;
            }
        }
        text.finish()
    }

    #[test]
    fn plain_text_is_kept() {
        assert_eq!(written(100, &["käse ", "a\tb\nc"]), "käse a\tb\nc");
        assert_eq!(written(100, &["done\n\n"]), "done");
        assert_eq!(written(4, &["four"]), "four");
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(written(100, &["a\u{1b}[31mred\r\0"]), "a\\x1b[31mred\\x0d\\x00");
        assert_eq!(written(100, &["\u{9b}1m\u{7f}"]), "\\x9b1m\\x7f");
        assert_eq!(written(100, &["\u{202e}txt\u{2028}"]), "\\u{202e}txt\\u{2028}");
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark_between_characters() {
        assert_eq!(written(4, &["12345"]), "1234… (cut at 4 bytes)");
        assert_eq!(written(4, &["123ä5"]), "123… (cut at 4 bytes)");
        assert_eq!(
            written(4, &["12\u{1b}"]),
            "12\\x1b".replace("\\x1b", "… (cut at 4 bytes)")
        );
        assert_eq!(written(0, &["x"]), "… (cut at 0 bytes)");
        assert_eq!(written(0, &[""]), "");
    }

    #[test]
    fn nothing_is_formatted_past_the_bound() {
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("again ")?;
                }
            }
        }
        let mut text = Text::new(9);
        assert!(write!(text, "{Endless:?}").is_err());
        assert_eq!(text.finish(), "again aga… (cut at 9 bytes)");
    }

    #[test]
    fn a_name_stays_on_its_line() {
        assert_eq!(OneLine("a\nb\u{1b}[0m ü").to_string(), "a\\nb\\u{1b}[0m ü");
    }
}
