//! Text of others, made safe to print.

use std::fmt::{self, Write};

/// Shows `text` with everything a terminal would act upon written as an escape: control characters, ANSI sequences with them, and the
/// characters that change the direction of the text around them.
///
/// ```
/// use flowcore::cli::escaped;
///
/// assert_eq!(escaped("crimson-fox, naïve 木").to_string(), "crimson-fox, naïve 木");
/// assert_eq!(escaped("\x1b[2J\r\n").to_string(), r"\u{1b}[2J\r\n");
/// ```
#[must_use]
pub fn escaped(text: &str) -> Escaped<'_> {
    Escaped(text)
}

/// Text that is safe to print: made by [`escaped`].
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if is_unsafe(character) {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Direction marks, line and paragraph separators, embeddings, isolates.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_upon_is_escaped() {
        let table = [
            ("plain", "plain"),
            ("tab\there", r"tab\there"),
            ("\x1b]0;title\x07", r"\u{1b}]0;title\u{7}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("\x7f", r"\u{7f}"),
            ("evil\u{202e}txt.exe", r"evil\u{202e}txt.exe"),
            ("日本 😀", "日本 😀"),
        ];
        for (text, shown) in table {
            assert_eq!(escaped(text).to_string(), shown);
        }
    }
}
