//! Pictures as text: XML that any text can be put into.

use std::fmt;

use super::super::escaped::escaped;

/// Text within an element, or within the quotes of an attribute.
///
/// What a terminal would act upon is shown as an escape, as elsewhere, and so is what XML can't hold.
pub(super) struct Xml<'a>(pub(super) &'a str);

impl fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in escaped(self.0).to_string().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\u{fffe}' | '\u{ffff}' => write!(f, "{}", character.escape_unicode())?,
                _ => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}

/// The head of a picture of that size. Its text is grey unless it stands in a box.
pub(super) fn head(width: i64, height: i64, title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<title>{}</title>\n",
        Xml(title)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(
            Xml("<a href='\"'>&").to_string(),
            "&lt;a href=&#39;&quot;&#39;&gt;&amp;"
        );
        assert_eq!(
            Xml("\0\u{1b}\u{ffff}\u{202e}木").to_string(),
            r"\u{0}\u{1b}\u{ffff}\u{202e}木"
        );
    }
}
