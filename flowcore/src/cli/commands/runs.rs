//! `runs`: what the store has.

use std::collections::HashMap;
use std::fmt::Write;
use std::thread;
use std::time::Duration;

use clap::Args;

use super::super::failure::{Exit, Failure, Outcome};
use super::super::json::{Ids, RunJson};
use super::super::shell::Shell;
use super::super::style::Paint;
use super::super::table::{Cell, Table};
use super::super::{pick, times};
use crate::client::{Client, When};
use crate::run::RunId;
use crate::state::StateType;
use crate::store::RunRow;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// From that many columns on there is room for more than the least.
const WIDE: usize = 120;

/// The runs in the store, newest first: the outermost ones, unless told otherwise.
#[derive(Args)]
pub(in crate::cli) struct Runs {
    /// In that state; may be given more than once.
    #[arg(long = "state", value_name = "STATE", value_parser = state)]
    states: Vec<StateType>,
    /// Of that flow.
    #[arg(long, conflicts_with = "task")]
    flow: Option<String>,
    /// Of that task, below flows too.
    #[arg(long)]
    task: Option<String>,
    /// With that tag; may be given more than once, for all of them.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Made at that time or later: 30m, 2h, 7d, 2026-11-24, '2026-11-24 17:30'.
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Made before that time.
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// Below that root run, itself included.
    #[arg(long, value_name = "RUN")]
    below: Option<String>,
    /// Those that others made, too.
    #[arg(long)]
    all: bool,
    /// The oldest first.
    #[arg(long)]
    oldest_first: bool,
    /// No more than that many.
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: usize,
    /// Look again every second, until Ctrl-C.
    #[arg(short, long)]
    watch: bool,
}

/// `failed` as well as `Failed`.
fn state(text: &str) -> Result<StateType, String> {
    let known = StateType::ALL
        .into_iter()
        .find(|state| state.as_str().eq_ignore_ascii_case(text));
    known.ok_or_else(|| {
        let names: Vec<_> = StateType::ALL.iter().map(|state| state.as_str()).collect();
        format!("there are: {}", names.join(", "))
    })
}

impl Runs {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let client = shell.client()?;
        let below = match &self.below {
            Some(named) => Some(pick::one(shell, named)?),
            None => None,
        };
        if self.watch {
            return self.watch(shell, &client, below.as_ref());
        }
        let runs = self.list(&client, below.as_ref(), self.limit)?;
        if shell.json {
            let mut ids = Ids::default();
            let mut shown = Vec::with_capacity(runs.len());
            for run in &runs {
                shown.push(RunJson::of(&client, &mut ids, run)?);
            }
            shell.json_line(&shown)?;
        } else if runs.is_empty() {
            shell.line(&format!("no such runs in {}", client.location()))?;
        } else {
            let text = table(shell, &runs)?;
            shell.text(&text)?;
        }
        Ok(Exit::Ok)
    }

    fn list(&self, client: &Client, below: Option<&RunRow>, limit: usize) -> Outcome<Vec<RunRow>> {
        let mut runs = client.runs();
        for state in &self.states {
            runs = runs.state(*state);
        }
        for tag in &self.tags {
            runs = runs.tag(tag);
        }
        if let Some(flow) = &self.flow {
            runs = runs.flow(flow);
        }
        if let Some(task) = &self.task {
            runs = runs.task(task);
        }
        if let Some(since) = self.since {
            runs = runs.since(since);
        }
        if let Some(until) = self.until {
            runs = runs.until(until);
        }
        if let Some(below) = below {
            runs = runs.below(below);
        }
        // Who asks for tasks, or for what is below a run, wants to see what isn't outermost.
        if !self.all && self.task.is_none() && below.is_none() {
            runs = runs.roots();
        }
        if self.oldest_first {
            runs = runs.oldest_first();
        }
        Ok(runs.list(limit)?)
    }

    /// On a terminal the table is drawn anew in its place; elsewhere each change is told.
    fn watch(&self, shell: &mut Shell, client: &Client, below: Option<&RunRow>) -> Outcome {
        let mut drawn = 0;
        let mut seen: HashMap<RunId, (u32, &'static str)> = HashMap::new();
        let mut ids = Ids::default();
        loop {
            // The headline, and the line that the cursor is on.
            let limit = self.limit.min(shell.lines().saturating_sub(2)).max(1);
            let runs = self.list(client, below, limit)?;
            if shell.terminal && !shell.json {
                let text = table(shell, &runs)?;
                shell.text(&redrawn(&text, drawn))?;
                drawn = text.lines().count();
            } else {
                let is_new = |run: &&RunRow| seen.get(&run.id) != Some(&(run.states, run.state.name()));
                let mut changed: Vec<RunRow> = runs.iter().filter(is_new).cloned().collect();
                seen = runs
                    .iter()
                    .map(|run| (run.id, (run.states, run.state.name())))
                    .collect();
                // What happened last is told last.
                changed.sort_by_key(|run| run.state.unix_nanos());
                for run in changed {
                    match shell.json {
                        true => shell.json_line(&RunJson::of(client, &mut ids, &run)?)?,
                        false => shell.line(&change(&run))?,
                    }
                }
            }
            shell.flush()?;
            thread::sleep(LOOK_EVERY);
        }
    }
}

fn change(run: &RunRow) -> String {
    let name = super::super::escaped(&run.name);
    let definition = super::super::escaped(&run.definition);
    let at = times::local(run.state.unix_nanos());
    format!("{at}  {}  {}  {definition} '{name}'", run.id, run.state.name())
}

/// The text in place of the `drawn` lines above the cursor; in one piece, so that it doesn't flicker.
fn redrawn(text: &str, drawn: usize) -> String {
    let mut frame = String::new();
    if drawn > 0 {
        let _ = write!(frame, "\x1b[{drawn}A");
    }
    for line in text.lines() {
        let _ = writeln!(frame, "\r{line}\x1b[K");
    }
    frame.push_str("\x1b[J");
    frame
}

/// The runs, a line each.
pub(super) fn table(shell: &mut Shell, runs: &[RunRow]) -> Outcome<String> {
    let now = times::now();
    let columns = shell.columns();
    let length = pick::id_length(shell, runs)?;
    let wide = columns >= WIDE;
    let mut table = Table::new(match wide {
        true => &[
            "ID",
            "STATE",
            "~FLOW OR TASK",
            "~NAME",
            "CREATED",
            "AGE",
            "TOOK",
            "ATTEMPTS",
            "~TAGS",
            "~ERROR",
        ],
        false => &["ID", "STATE", "~FLOW OR TASK", "~NAME", "CREATED", "TOOK"],
    });
    for run in runs {
        let id: String = run.id.to_string().chars().take(length).collect();
        let age = times::ago(run.created_at, now);
        let mut cells = vec![
            Cell::painted(id, Paint::Bold),
            Cell::painted(run.state.name(), Paint::State(run.state.kind())),
            run.definition.as_str().into(),
            run.name.as_str().into(),
            if wide {
                times::local(run.created_at)
            } else {
                age.clone()
            }
            .into(),
        ];
        let took = Cell::from(times::took(run.duration_nanos(now)));
        if wide {
            cells.push(Cell::painted(age, Paint::Dim));
            cells.push(took);
            cells.push(run.attempt.to_string().into());
            cells.push(run.tags.join(", ").into());
            let error = run.error.first().map(String::as_str).or(run.state.message());
            cells.push(Cell::painted(error.unwrap_or_default(), Paint::Bad));
        } else {
            cells.push(took);
        }
        table.row(cells);
    }
    Ok(table.render(columns, shell.style))
}

/// For the commands that take a run which must be there.
pub(super) fn told(run: &RunRow) -> String {
    format!("{} run '{}' of {} ({})", run.kind, run.name, run.definition, run.id)
}

/// `Failure::Refused` with the run in front.
pub(super) fn refused(run: &RunRow, why: &str) -> Failure {
    Failure::refused(format!("{} {why}", told(run)))
}
