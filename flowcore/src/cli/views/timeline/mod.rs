//! The timeline of a run: when it and what is below it waited, ran, and waited for a retry.

mod axis;
mod bars;
mod picture;

pub use self::bars::terminal;
pub use self::picture::svg;

use super::super::style::Style;
use super::super::{names, units};
use super::outline::{self, Folded, Limits, What};
use crate::state::{State, StateName, StateType};
use crate::store::{RunRow, Store, StoreResult};

/// What a run does for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Its body has not begun, or is halted.
    Waiting,
    /// Its next attempt has not begun.
    AwaitingRetry,
    /// Its body runs.
    Active,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Segment {
    from: i64,
    to: i64,
    phase: Phase,
}

struct Row {
    level: u32,
    state: Option<StateType>,
    name: String,
    duration: String,
    segments: Vec<Segment>,
    /// Whether it stands for several runs.
    is_many: bool,
}

struct Timeline {
    from: i64,
    to: i64,
    rows: Vec<Row>,
}

impl Timeline {
    fn read(store: &dyn Store, run: &RunRow, limits: Limits, style: &Style, now: i64) -> StoreResult<Self> {
        let outline = outline::read(store, run, limits)?;
        let mut rows = Vec::new();
        let mut waiting = vec![0];
        while let Some(index) = waiting.pop() {
            let node = &outline.nodes[index];
            waiting.extend(node.children.iter().rev());
            let dots = style.pick("…", "...");
            let mut row = Row {
                level: node.level,
                state: None,
                name: String::new(),
                duration: String::new(),
                segments: Vec::new(),
                is_many: true,
            };
            match &node.what {
                What::Run(run) => {
                    row.state = Some(run.state.kind());
                    row.name = names::run(&run.definition, &run.name);
                    row.duration = run.duration_nanos(now).map_or_else(|| "-".to_owned(), units::duration);
                    row.segments = of_run(store, run, now)?;
                    row.is_many = false;
                }
                What::Group(group) => {
                    row.state = Some(group.state_type);
                    row.name = names::group(&group.definition, group.count, group.more, style);
                    row.duration = group.span_nanos(now).map_or_else(|| "-".to_owned(), units::duration);
                    row.segments.extend(of_group(group, now));
                }
                What::Gap(levels) => row.name = format!("{dots} {} {dots}", names::runs(*levels, "level")),
                What::Rest(count) => row.name = format!("{dots} {} more {dots}", units::count(*count)),
            }
            rows.push(row);
        }
        let segments = || rows.iter().flat_map(|row| &row.segments);
        let from = segments().map(|segment| segment.from).min().unwrap_or(run.created_at);
        let to = segments().map(|segment| segment.to).max().unwrap_or(from);
        Ok(Self {
            from,
            // Something has to be divided by.
            to: to.max(from.saturating_add(1)),
            rows,
        })
    }

    fn span(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }
}

/// When the axis begins.
fn began(from: i64) -> String {
    let at = jiff::Timestamp::from_nanosecond(from.into()).unwrap_or_default();
    format!("from {}", at.strftime("%Y-%m-%d %H:%M:%S UTC"))
}

fn of_group(group: &Folded, now: i64) -> Option<Segment> {
    let from = group.first_started_at?;
    Some(Segment {
        from,
        to: group.end(now).max(from),
        phase: Phase::Active,
    })
}

fn of_run(store: &dyn Store, run: &RunRow, now: i64) -> StoreResult<Vec<Segment>> {
    // What most runs do can be told without asking for their states.
    let is_plain = run.states <= 3 && run.attempt <= 1 && run.started_at.is_some();
    if is_plain && (run.state.is_final() || run.state.kind() == StateType::Running) {
        let started = run.started_at.unwrap_or(run.created_at);
        let ended = run.ended_at.unwrap_or(now).max(started);
        let waited = (run.created_at < started).then_some(Segment {
            from: run.created_at,
            to: started,
            phase: Phase::Waiting,
        });
        let ran = Segment {
            from: started,
            to: ended,
            phase: Phase::Active,
        };
        return Ok(waited.into_iter().chain([ran]).collect());
    }
    Ok(of_states(&store.states(run.number)?, now))
}

fn of_states(states: &[State], now: i64) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for (index, state) in states.iter().enumerate() {
        let next = states.get(index + 1).map(State::unix_nanos);
        let from = state.unix_nanos();
        let to = if state.is_final() {
            from
        } else {
            next.unwrap_or(now).max(from)
        };
        let phase = match state.kind() {
            // It was over at once: answered from a cache, or cancelled before it began.
            kind if kind.is_terminal() && segments.iter().all(|segment| segment.phase == Phase::Waiting) => {
                Phase::Active
            }
            _ if state.is_final() => continue,
            StateType::Running | StateType::Cancelling => Phase::Active,
            _ if state.name() == StateName::AwaitingRetry.as_str() => Phase::AwaitingRetry,
            _ => Phase::Waiting,
        };
        match segments.last_mut() {
            Some(last) if last.phase == phase && last.to == from => last.to = to,
            _ => segments.push(Segment { from, to, phase }),
        }
    }
    segments
}

#[cfg(test)]
mod tests;
