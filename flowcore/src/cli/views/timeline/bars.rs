//! A timeline for a terminal.

use std::ops::Range;

use super::super::super::style::{Paint, Style};
use super::super::super::text::{pad_left, pad_right, width};
use super::super::outline::Limits;
use super::axis::{label, ticks};
use super::{Phase, Row, Segment, Timeline};
use crate::state::StateType;
use crate::store::{RunRow, Store, StoreResult};

/// A screen or two.
const LINES: usize = 50;
const LEVELS: u32 = 12;
/// A mark on the axis for so many columns.
const COLUMNS_PER_TICK: usize = 12;
/// Below this bars say nothing.
const NARROWEST_BARS: usize = 10;
const EIGHTHS: [&str; 8] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// The run and what is below it as bars on a time axis, in at most `width` columns.
///
/// What waits for a retry, what has not begun, and runs folded to one bar are drawn each in its own way, told in the last line.
///
/// # Errors
///
/// What the store gives when it can't be read.
///
/// # Examples
///
/// ```
/// use flowcore::cli::views::{Style, timeline};
/// use flowcore::store::{MemoryStore, RunQuery, Store};
///
/// let store = MemoryStore::new();
/// for run in store.runs(&RunQuery { roots: true, ..RunQuery::default() })?.items {
///     println!("{}", timeline::terminal(&store, &run, 80, &Style::plain())?);
/// }
/// # Ok::<(), flowcore::store::StoreError>(())
/// ```
pub fn terminal(store: &dyn Store, run: &RunRow, width: usize, style: &Style) -> StoreResult<String> {
    terminal_at(store, run, width, style, super::super::now())
}

pub(super) fn terminal_at(
    store: &dyn Store,
    run: &RunRow,
    columns: usize,
    style: &Style,
    now: i64,
) -> StoreResult<String> {
    let limits = Limits {
        lines: LINES,
        levels: LEVELS,
        depth: None,
        all: false,
        messages: false,
    };
    let timeline = Timeline::read(store, run, limits, style, now)?;
    let widest = |measure: &dyn Fn(&Row) -> usize| timeline.rows.iter().map(measure).max().unwrap_or(0);
    let lead = |row: &Row| "  ".repeat(row.level as usize);
    let label_width = |row: &Row| 2 * row.level as usize + 2 * usize::from(row.state.is_some()) + width(&row.name);
    let labels = widest(&label_width).min((columns * 2 / 5).max(16));
    let durations = widest(&|row| width(&row.duration));
    let bars = columns.saturating_sub(labels + durations + 4).max(NARROWEST_BARS);
    let scale = Scale::new(&timeline, bars);

    let began = super::began(timeline.from);
    let mut lines = vec![vec![(began, Paint::Dim)], scale.axis(labels, style)];
    for row in &timeline.rows {
        let symbol = row
            .state
            .map_or(String::new(), |kind| format!("{} ", style.symbol(kind)));
        let paint = row.state.map_or(Paint::Dim, Paint::State);
        let room = labels.saturating_sub(2 * row.level as usize + width(&symbol));
        let mut parts = vec![
            (lead(row), Paint::Plain),
            (symbol, paint),
            (
                pad_right(&style.cut(&row.name, room), room),
                if row.state.is_some() { Paint::Plain } else { Paint::Dim },
            ),
            ("  ".to_owned(), Paint::Plain),
        ];
        parts.extend(scale.bar(row, style));
        parts.push((format!("  {}", pad_left(&row.duration, durations)), Paint::Plain));
        lines.push(parts);
    }
    lines.push(Vec::new());
    lines.push(legend(&timeline.rows, style));
    let lines = lines.iter().map(|parts| style.line(parts, columns) + "\n");
    Ok(lines.collect())
}

/// A character of a bar.
#[derive(Clone, PartialEq, Eq)]
struct Cell {
    text: &'static str,
    paint: Paint,
}

struct Scale {
    from: i128,
    span: i128,
    columns: usize,
    /// The marks, and their columns.
    ticks: Vec<(usize, String)>,
}

impl Scale {
    fn new(timeline: &Timeline, columns: usize) -> Self {
        let mut scale = Self {
            from: timeline.from.into(),
            span: timeline.span().into(),
            columns,
            ticks: Vec::new(),
        };
        let ticks = ticks(timeline.span(), columns / COLUMNS_PER_TICK);
        scale.ticks = ticks
            .into_iter()
            .map(|tick| (scale.column(scale.from + i128::from(tick)), label(tick)))
            .collect();
        scale
    }

    /// The column of a moment.
    fn column(&self, at: i128) -> usize {
        let column = (at - self.from) * self.columns as i128 / self.span;
        usize::try_from(column).unwrap_or(0).min(self.columns - 1)
    }

    /// How many eighths of a column are left of a moment, counted from the column's left side; 0 to 8.
    fn eighths(&self, column: usize, at: i128) -> i128 {
        let eighth = (at - self.from) * self.columns as i128 * 8 / self.span - column as i128 * 8;
        eighth.clamp(0, 8)
    }

    fn axis(&self, labels: usize, style: &Style) -> Vec<(String, Paint)> {
        let mut line = String::new();
        let mut taken = 0;
        for (column, label) in &self.ticks {
            let mark = format!("{}{label}", style.pick("╷", "|"));
            // The last may have no room, and a mark never stands on the label before it.
            if *column >= taken && column + width(&mark) <= self.columns {
                line.push_str(&" ".repeat(column - taken));
                line.push_str(&mark);
                taken = column + width(&mark);
            }
        }
        vec![(format!("{}  {line}", " ".repeat(labels)), Paint::Dim)]
    }

    fn bar(&self, row: &Row, style: &Style) -> Vec<(String, Paint)> {
        let mut cells = vec![
            Cell {
                text: " ",
                paint: Paint::Plain
            };
            self.columns
        ];
        for (column, _) in &self.ticks {
            cells[*column] = Cell {
                text: style.pick("┊", ":"),
                paint: Paint::Dim,
            };
        }
        // What runs is drawn over what waits, so that the shortest body is seen.
        let in_order = [Phase::Waiting, Phase::AwaitingRetry, Phase::Active];
        for phase in in_order {
            for segment in row.segments.iter().filter(|segment| segment.phase == phase) {
                self.draw(segment, row, style, &mut cells);
            }
        }
        let mut parts: Vec<(String, Paint)> = Vec::new();
        for cell in cells {
            match parts.last_mut() {
                Some((text, paint)) if *paint == cell.paint => text.push_str(cell.text),
                _ => parts.push((cell.text.to_owned(), cell.paint)),
            }
        }
        parts
    }

    fn draw(&self, segment: &Segment, row: &Row, style: &Style, cells: &mut [Cell]) {
        let (from, to) = (i128::from(segment.from), i128::from(segment.to));
        let Range { start, end } = self.column(from)..self.column(to);
        let paint = Paint::State(row.state.unwrap_or(StateType::Pending));
        for (column, cell) in cells.iter_mut().enumerate().take(end + 1).skip(start) {
            let (before, after) = (self.eighths(column, from), self.eighths(column, to));
            // It ends where the next column begins, or leaves most of it to the wait for a retry.
            let retry = style.pick("░", ".");
            if column > start && (after == 0 || (after < 4 && cell.text == retry)) {
                continue;
            }
            *cell = match segment.phase {
                Phase::Waiting => Cell {
                    text: style.pick("╌", "-"),
                    paint: Paint::Dim,
                },
                Phase::AwaitingRetry => Cell {
                    text: retry,
                    paint: Paint::State(StateType::Scheduled),
                },
                Phase::Active if row.is_many => Cell {
                    text: style.pick("▄", "="),
                    paint,
                },
                Phase::Active => Cell {
                    text: style.pick(block(before, after), "#"),
                    paint,
                },
            };
        }
    }
}

/// The block for what is filled of a column; but for the right half, all of them begin at its left side.
fn block(before: i128, after: i128) -> &'static str {
    match before {
        4.. if after == 8 => "▐",
        0..4 => EIGHTHS[usize::try_from(after - 1).unwrap_or(0).min(7)],
        _ => EIGHTHS[usize::try_from(after - before - 1).unwrap_or(0).min(7)],
    }
}

fn legend(rows: &[Row], style: &Style) -> Vec<(String, Paint)> {
    let has = |wanted: Phase| {
        rows.iter()
            .flat_map(|row| &row.segments)
            .any(|segment| segment.phase == wanted)
    };
    let is_many = rows.iter().any(|row| row.is_many && !row.segments.is_empty());
    let told = [
        (true, style.pick("█", "#"), "running"),
        (has(Phase::AwaitingRetry), style.pick("░", "."), "awaits retry"),
        (has(Phase::Waiting), style.pick("╌", "-"), "not begun"),
        (is_many, style.pick("▄", "="), "several runs"),
    ];
    let told = told.iter().filter(|(is_there, ..)| *is_there);
    let told: Vec<_> = told.map(|(_, sign, what)| format!("{sign} {what}")).collect();
    vec![(told.join("  "), Paint::Dim)]
}
