//! `show`: one run, and what is below it.

use clap::Args;
use serde_json::{Value, json};

use super::super::escaped::escaped;
use super::super::failure::{Exit, Outcome};
use super::super::json::{CountJson, Ids, ResultJson, RunJson, StateJson};
use super::super::shell::Shell;
use super::super::style::Paint;
use super::super::table::{Cell, Table};
use super::super::views::tree::{self, TreeOptions};
use super::super::{pick, text, times, units};
use crate::client::Client;
use crate::store::{Replay, RunRow};

const WIDEST: usize = 500;
const BEFORE_A_VALUE: usize = 13;
const NARROWEST_VALUE: usize = 20;

/// A run: its state, its parameters, why it failed, and the runs below it.
#[derive(Args)]
pub(in crate::cli) struct Show {
    /// The run.
    run: String,
    /// All the states it has seen.
    #[arg(long)]
    states: bool,
    /// What it returned.
    #[arg(long)]
    result: bool,
    /// How many levels of runs below it; as many as there is room for, unless told.
    #[arg(long, value_name = "LEVELS")]
    depth: Option<u32>,
    /// About how many lines the tree of runs may take.
    #[arg(long, value_name = "LINES", default_value_t = 60)]
    lines: usize,
    /// A line for every run as long as there is room, instead of one for equals.
    #[arg(long)]
    all: bool,
}

impl Show {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let run = pick::one(shell, &self.run)?;
        let client = shell.client()?;
        match shell.json {
            true => self.json(shell, &client, &run)?,
            false => self.text(shell, &client, &run)?,
        }
        Ok(Exit::Ok)
    }

    fn json(&self, shell: &mut Shell, client: &Client, run: &RunRow) -> Outcome<()> {
        let mut shown = json!(RunJson::of(client, &mut Ids::default(), run)?);
        let counts: Vec<CountJson> = client.counts(run.id)?.iter().map(CountJson::from).collect();
        shown["counts"] = json!(counts);
        if self.states {
            let states: Vec<StateJson> = client.states(run.id)?.iter().map(StateJson::from).collect();
            shown["states"] = json!(states);
        }
        if self.result {
            shown["result"] = match ResultJson::of(client, run)? {
                Some(result) => json!(result),
                None => Value::Null,
            };
        }
        shell.json_line(&shown)
    }

    fn text(&self, shell: &mut Shell, client: &Client, run: &RunRow) -> Outcome<()> {
        let style = shell.style;
        let state = style.state(run.state.kind(), run.state.name());
        let name = style.bold(escaped(&run.name));
        let kind = run.kind;
        shell.line(&format!("{kind} run '{name}' of {}  {state}", escaped(&run.definition)))?;
        for (name, value) in facts(client, run)? {
            fact(shell, name, &value, Paint::Plain)?;
        }
        for (index, cause) in run.error.iter().enumerate() {
            match index {
                0 => fact(shell, "error", cause, Paint::Bad)?,
                _ => fact(shell, "", &format!("caused by: {cause}"), Paint::Bad)?,
            }
        }
        if let Some(replay) = &run.replay {
            for (index, line) in replay_report(replay).iter().enumerate() {
                fact(shell, if index == 0 { "replay" } else { "" }, line, Paint::Plain)?;
            }
        }
        if self.states {
            self.history(shell, client, run)?;
        }
        if self.result {
            self.returned(shell, client, run)?;
        }
        self.tree(shell, client, run)
    }

    fn tree(&self, shell: &mut Shell, client: &Client, run: &RunRow) -> Outcome<()> {
        let options = TreeOptions {
            depth: self.depth,
            lines: self.lines,
            // A line in a file may be longer than any terminal, but not without end.
            width: shell.columns().min(WIDEST),
            all: self.all,
        };
        let text = tree::render(&**client.store(), run, &options, &shell.style)?;
        // A run without others below it has been told above.
        match text.lines().nth(1) {
            Some(_) => shell.text(&format!("\n{text}")),
            None => Ok(()),
        }
    }

    fn history(&self, shell: &mut Shell, client: &Client, run: &RunRow) -> Outcome<()> {
        shell.line("")?;
        let mut table = Table::new(&["STATE", "AT", "AFTER", "~MESSAGE"]);
        let mut before: Option<i64> = None;
        for state in client.states(run.id)? {
            let at = state.unix_nanos();
            let after = before.map(|before| units::duration(at - before)).unwrap_or_default();
            before = Some(at);
            table.row([
                Cell::painted(state.name(), Paint::State(state.kind())),
                times::local_millis(at).into(),
                after.into(),
                state.message().unwrap_or_default().into(),
            ]);
        }
        let text = table.render(shell.columns(), shell.style);
        shell.text(&text)
    }

    fn returned(&self, shell: &mut Shell, client: &Client, run: &RunRow) -> Outcome<()> {
        shell.line("")?;
        let Some((bytes, whole)) = client.store().result(run.number)? else {
            return shell.line("no result was kept");
        };
        let text = String::from_utf8_lossy(&bytes);
        let pretty = serde_json::from_str::<Value>(&text).and_then(|value| serde_json::to_string_pretty(&value));
        for line in pretty.as_deref().unwrap_or(&text).lines() {
            shell.line(&escaped(line).to_string())?;
        }
        match whole {
            true => Ok(()),
            false => shell.line("… only its head was kept"),
        }
    }
}

/// A name and a value, which goes on below itself where the line is too short for it.
fn fact(shell: &mut Shell, name: &str, value: &str, paint: Paint) -> Outcome<()> {
    let room = shell.columns().saturating_sub(BEFORE_A_VALUE).max(NARROWEST_VALUE);
    let value = escaped(value).to_string();
    for (index, line) in text::wrapped(&value, room).into_iter().enumerate() {
        let name = shell.style.dim(format!("{:<10}", if index == 0 { name } else { "" }));
        let line = match paint {
            Paint::Bad => shell.style.bad(line),
            _ => line.to_owned(),
        };
        shell.line(&format!("  {name} {line}"))?;
    }
    Ok(())
}

/// What there is to say of a run, as name and value.
fn facts(client: &Client, run: &RunRow) -> Outcome<Vec<(&'static str, String)>> {
    let now = times::now();
    let mut facts = vec![("id", run.id.to_string())];
    if let Some(parent) = run.parent
        && let Some(parent) = client.store().run_numbered(parent)?
    {
        facts.push(("made by", super::runs::told(&parent)));
    }
    let created = times::local(run.created_at);
    facts.push(("created", format!("{created} ({})", times::ago(run.created_at, now))));
    if let Some(started) = run.started_at {
        facts.push(("started", times::local(started)));
    }
    if let Some(ended) = run.ended_at {
        facts.push(("ended", times::local(ended)));
    }
    if let Some(took) = run.duration_nanos(now) {
        facts.push(("took", units::duration(took)));
    }
    if let Some(message) = run.state.message().filter(|_| run.error.is_empty()) {
        facts.push(("message", message.to_owned()));
    }
    if run.attempt > 1 || run.crashes > 0 {
        facts.push(("attempts", attempts(run)));
    }
    if let Some(version) = &run.version {
        facts.push(("version", version.clone()));
    }
    if !run.tags.is_empty() {
        facts.push(("tags", run.tags.join(", ")));
    }
    if run.durable {
        facts.push(("durable", "yes".to_owned()));
    }
    if let Some(parameters) = &run.parameters {
        facts.push(("parameters", parameters.clone()));
    }
    if let Some(process) = client
        .processes(true)?
        .iter()
        .find(|process| process.number == run.process)
    {
        let identity = &process.identity;
        let ended = if process.ended_at.is_some() { " (ended)" } else { "" };
        facts.push((
            "process",
            format!("pid {} on {}{ended}: {}", identity.pid, identity.host, identity.program),
        ));
    }
    Ok(facts)
}

fn attempts(run: &RunRow) -> String {
    let mut text = run.attempt.to_string();
    if run.crashes > 0 {
        text.push_str(&format!(", {} ended by a crash of the process", run.crashes));
    }
    text
}

/// What a resume was answered, in words.
fn replay_report(replay: &Replay) -> Vec<String> {
    let mut lines = vec![format!(
        "{} calls answered from the record, {} made again, {} new",
        units::count(replay.answered),
        units::count(replay.again),
        units::count(replay.new)
    )];
    if replay.orphans > 0 {
        let names = replay.orphan_names.join(", ");
        let more = if (replay.orphan_names.len() as u64) < replay.orphans {
            ", …"
        } else {
            ""
        };
        lines.push(format!(
            "{} recorded results nobody asked for: {names}{more}",
            units::count(replay.orphans)
        ));
    }
    lines
}
