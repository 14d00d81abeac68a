//! A timeline as a picture.

use std::fmt::Write;

use super::super::super::style::Style;
use super::super::super::text::cut;
use super::super::colours::{ON_PAGE, colours};
use super::super::outline::Limits;
use super::super::svg::{Xml, head};
use super::axis::{label, ticks};
use super::{Phase, Row, Timeline};
use crate::store::{RunRow, Store, StoreResult};

const ROWS: usize = 200;
const LEVELS: u32 = 12;
const TICKS: usize = 8;

const MARGIN: i64 = 12;
/// The names, to the left of the bars.
const LABELS: i64 = 290;
const LABEL_COLUMNS: usize = 38;
const INDENT: i64 = 12;
const INDENT_COLUMNS: usize = 2;
const BARS: i64 = 760;
/// The durations, to the right of the bars.
const DURATIONS: i64 = 80;
const TOP: i64 = 46;
const ROW: i64 = 22;
const BAR: i64 = 14;

/// The run and what is below it as bars on a time axis, as an SVG picture.
///
/// # Errors
///
/// What the store gives when it can't be read.
///
/// # Examples
///
/// ```
/// use flowcore::cli::views::{timeline};
/// use flowcore::store::{MemoryStore, RunQuery, Store};
///
/// let store = MemoryStore::new();
/// for run in store.runs(&RunQuery { roots: true, ..RunQuery::default() })?.items {
///     println!("{}", timeline::svg(&store, &run)?);
/// }
/// # Ok::<(), flowcore::store::StoreError>(())
/// ```
pub fn svg(store: &dyn Store, run: &RunRow) -> StoreResult<String> {
    svg_at(store, run, super::super::now())
}

pub(super) fn svg_at(store: &dyn Store, run: &RunRow, now: i64) -> StoreResult<String> {
    let limits = Limits {
        lines: ROWS,
        levels: LEVELS,
        depth: None,
        all: false,
        messages: false,
    };
    let timeline = Timeline::read(store, run, limits, &Style::plain(), now)?;
    let bottom = TOP + ROW * timeline.rows.len() as i64;
    let title = timeline.rows.first().map_or("", |row| row.name.as_str());
    let mut text = head(2 * MARGIN + LABELS + BARS + DURATIONS, bottom + MARGIN, title);
    let began = super::began(timeline.from);
    let _ = writeln!(
        text,
        "<text x=\"{MARGIN}\" y=\"{}\" fill=\"{ON_PAGE}\">{}</text>",
        MARGIN + 8,
        Xml(&began)
    );
    for tick in ticks(timeline.span(), TICKS) {
        let x = x(&timeline, timeline.from.saturating_add(tick));
        let _ = writeln!(
            text,
            "<path d=\"M{x} {}V{bottom}\" stroke=\"{ON_PAGE}\" stroke-opacity=\"0.35\"/>\n\
             <text x=\"{x}\" y=\"{}\" fill=\"{ON_PAGE}\" text-anchor=\"middle\" font-size=\"11\">{}</text>",
            TOP - 4,
            TOP - 8,
            Xml(&label(tick))
        );
    }
    for (index, row) in timeline.rows.iter().enumerate() {
        draw(&timeline, row, TOP + ROW * index as i64, &mut text);
    }
    text.push_str("</svg>\n");
    Ok(text)
}

fn x(timeline: &Timeline, at: i64) -> i64 {
    let pixels = i128::from(at.saturating_sub(timeline.from)) * i128::from(BARS) / i128::from(timeline.span());
    MARGIN + LABELS + i64::try_from(pixels).unwrap_or(0).clamp(0, BARS)
}

fn draw(timeline: &Timeline, row: &Row, top: i64, text: &mut String) {
    let base = top + ROW / 2 + 4;
    let left = MARGIN + INDENT * i64::from(row.level);
    let symbol = row
        .state
        .map_or(String::new(), |state| format!("{} ", Style::plain().symbol(state)));
    let name = format!("{symbol}{}", row.name);
    let room = LABEL_COLUMNS.saturating_sub(INDENT_COLUMNS * row.level as usize);
    let colours = colours(row.state);
    let _ = writeln!(
        text,
        "<text x=\"{left}\" y=\"{base}\" fill=\"{ON_PAGE}\">{}</text>\n\
         <text x=\"{}\" y=\"{base}\" fill=\"{ON_PAGE}\" text-anchor=\"end\">{}</text>",
        Xml(&cut(&name, room, "…")),
        MARGIN + LABELS + BARS + DURATIONS,
        Xml(&row.duration)
    );
    for segment in &row.segments {
        let from = x(timeline, segment.from);
        let width = (x(timeline, segment.to) - from).max(1);
        let y = top + (ROW - BAR) / 2;
        let middle = top + ROW / 2;
        let line = colours.line;
        let _ = match segment.phase {
            Phase::Waiting => writeln!(
                text,
                "<path d=\"M{from} {middle}h{width}\" stroke=\"{ON_PAGE}\" stroke-dasharray=\"2 3\"/>"
            ),
            Phase::AwaitingRetry => writeln!(
                text,
                "<rect x=\"{from}\" y=\"{}\" width=\"{width}\" height=\"{}\" fill=\"none\" stroke=\"{line}\" \
                 stroke-dasharray=\"3 2\"/>",
                y + 3,
                BAR - 6
            ),
            Phase::Active if row.is_many => writeln!(
                text,
                "<rect x=\"{from}\" y=\"{}\" width=\"{width}\" height=\"{}\" rx=\"2\" fill=\"{line}\" fill-opacity=\"0.55\" \
                 stroke=\"{line}\"/>",
                y + 3,
                BAR - 6
            ),
            Phase::Active => writeln!(
                text,
                "<rect x=\"{from}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\" rx=\"2\" fill=\"{line}\"/>"
            ),
        };
    }
}
