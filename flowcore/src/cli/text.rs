//! The room that text takes on a terminal.

use std::borrow::Cow;

use console::measure_text_width;

/// How many columns `text` takes.
pub(super) fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// `text`, or its head and `tail` if it takes more than `columns`; never more than that.
pub(super) fn cut<'a>(text: &'a str, columns: usize, tail: &str) -> Cow<'a, str> {
    // No character that takes room is passed over here, so the rest needn't be measured.
    if text.len() <= columns && text.is_ascii() || width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let tail = if width(tail) <= columns { tail } else { "" };
    let room = columns - width(tail);
    let mut taken = 0;
    let mut head = String::new();
    for character in text.chars() {
        taken += width(character.encode_utf8(&mut [0; 4]));
        if taken > room {
            break;
        }
        head.push(character);
    }
    // Some characters take more together than each by itself.
    while width(&head) > room {
        head.pop();
    }
    head.push_str(tail);
    Cow::Owned(head)
}

/// `text` in pieces of no more than `columns`, but one character at least; one empty piece for an empty text.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<&str> {
    let (mut pieces, mut start, mut taken) = (Vec::new(), 0, 0);
    for (at, character) in text.char_indices() {
        let room = width(character.encode_utf8(&mut [0; 4]));
        if taken + room > columns && at > start {
            pieces.push(&text[start..at]);
            (start, taken) = (at, 0);
        }
        taken += room;
    }
    pieces.push(&text[start..]);
    pieces
}

/// `text` with blanks after it, up to `columns`.
pub(super) fn pad_right(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` with blanks before it, up to `columns`.
pub(super) fn pad_left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_fits() {
        let table = [
            ("plain", 5, "plain"),
            ("plainer", 5, "plai…"),
            ("木木木", 6, "木木木"),
            ("木木木", 5, "木木…"),
            ("木木木", 4, "木…"),
            ("x", 0, ""),
            ("xyz", 1, "…"),
        ];
        for (text, columns, expected) in table {
            assert_eq!(cut(text, columns, "…"), expected, "{text} {columns}");
        }
        // A heart takes one column, and two with the mark that colours it.
        for columns in 0..8 {
            assert!(width(&cut("\u{2764}\u{fe0f}\u{2764}\u{fe0f}\u{2764}\u{fe0f}", columns, "…")) <= columns);
        }
    }

    #[test]
    fn what_is_wrapped_is_whole_and_fits() {
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("plain", 5), ["plain"]);
        assert_eq!(wrapped("plainer", 5), ["plain", "er"]);
        assert_eq!(wrapped("木木木", 5), ["木木", "木"]);
        assert_eq!(wrapped("木木", 1), ["木", "木"]);
        assert_eq!(wrapped("xyz", usize::MAX), ["xyz"]);
    }

    #[test]
    fn padding_counts_columns_not_characters() {
        assert_eq!(pad_right("木", 4), "木  ");
        assert_eq!(pad_left("木", 4), "  木");
        assert_eq!(pad_left("long", 2), "long");
    }
}
