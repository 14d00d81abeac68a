//! Columns that fit the terminal.

use super::escaped::escaped;
use super::style::{Paint, Style};
use super::text;

const GAP: &str = "  ";
/// A cut column is at least that wide, unless the terminal is narrower than all of them together.
const NARROWEST: usize = 10;

/// Text in a table: escaped, and painted after it was measured.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    pub(super) fn painted(text: impl AsRef<str>, paint: Paint) -> Self {
        Self {
            text: escaped(text.as_ref()).to_string(),
            paint,
        }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::painted(text, Paint::Plain)
    }
}

/// A table with a headline. Columns that may be cut give way where room is short.
#[derive(Debug)]
pub(super) struct Table {
    titles: Vec<&'static str>,
    may_be_cut: Vec<bool>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// The titles; those of columns that may be cut begin with `~`.
    pub(super) fn new(titles: &[&'static str]) -> Self {
        Self {
            may_be_cut: titles.iter().map(|title| title.starts_with('~')).collect(),
            titles: titles.iter().map(|title| title.trim_start_matches('~')).collect(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, none wider than `columns`.
    pub(super) fn render(&self, columns: usize, style: Style) -> String {
        let widths = self.widths(columns);
        let titles: Vec<Cell> = self
            .titles
            .iter()
            .map(|title| Cell::painted(title, Paint::Dim))
            .collect();
        let rows = std::iter::once(&titles).chain(&self.rows);
        rows.map(|row| line(row, &widths, columns, style) + "\n").collect()
    }

    fn widths(&self, columns: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self.titles.iter().map(|title| text::width(title)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(text::width(&cell.text));
            }
        }
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        // The widest of them gives way first.
        while widths.iter().sum::<usize>() + gaps > columns {
            let widest = (0..widths.len())
                .filter(|column| self.may_be_cut[*column] && widths[*column] > NARROWEST)
                .max_by_key(|column| widths[*column]);
            match widest {
                Some(column) => widths[column] -= 1,
                None => break,
            }
        }
        widths
    }
}

fn line(row: &[Cell], widths: &[usize], columns: usize, style: Style) -> String {
    let mut parts = Vec::with_capacity(2 * row.len());
    for (cell, width) in row.iter().zip(widths) {
        let cut = style.cut(&cell.text, *width);
        parts.push((text::pad_right(&cut, *width), cell.paint));
        parts.push((GAP.to_owned(), Paint::Plain));
    }
    style.line(&parts, columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::StateType;

    fn table() -> Table {
        let mut table = Table::new(&["ID", "~NAME", "~ERROR"]);
        table.row(["0192".into(), "木 tree".into(), "".into()]);
        table.row(["0193".into(), "\x1b[31mx".into(), "no such file or directory".into()]);
        table
    }

    #[test]
    fn columns_line_up_and_ends_are_not_padded() {
        let expected = "\
ID    NAME         ERROR
0192  木 tree
0193  \\u{1b}[31mx  no such file or directory
";
        assert_eq!(table().render(80, Style::PLAIN), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for columns in [0, 1, 5, 20, 30, 80, 200, usize::MAX] {
            for line in table().render(columns, Style::PLAIN).lines() {
                assert!(text::width(line) <= columns, "{columns}: {line}");
            }
        }
        let narrow = table().render(30, Style::PLAIN);
        assert!(narrow.contains("0193") && narrow.contains('…'), "{narrow}");
    }

    #[test]
    fn colours_take_no_room() {
        let mut table = Table::new(&["STATE", "N"]);
        table.row([Cell::painted("Failed", Paint::State(StateType::Failed)), "1".into()]);
        let plain = console::strip_ansi_codes(&table.render(80, Style::new(true))).into_owned();
        assert_eq!(plain, table.render(80, Style::PLAIN));
    }
}
