//! `export`: everything the store has of runs.

use clap::Args;

use super::super::failure::{Exit, Outcome};
use super::super::json::{Ids, LogJson, ResultJson, RunJson, StateJson};
use super::super::pick;
use super::super::shell::Shell;
use crate::client::Client;
use crate::store::RunRow;

/// Prints runs with their states, logs and results: one JSON object on each line, oldest first.
#[derive(Args)]
pub(in crate::cli) struct Export {
    /// Only these, each with everything below it; all there are, if none is named.
    #[arg(value_name = "RUN")]
    runs: Vec<String>,
}

impl Export {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let client = shell.client()?;
        let mut ids = Ids::default();
        if self.runs.is_empty() {
            for run in client.runs().oldest_first().iter() {
                export(shell, &client, &mut ids, &run?)?;
            }
            return Ok(Exit::Ok);
        }
        for run in pick::many(shell, &self.runs)? {
            tree(shell, &client, &mut ids, run)?;
        }
        Ok(Exit::Ok)
    }
}

/// A run, and what is below it.
fn tree(shell: &mut Shell, client: &Client, ids: &mut Ids, run: RunRow) -> Outcome<()> {
    if run.root == run.number {
        for run in client.runs().below(&run).oldest_first().iter() {
            export(shell, client, ids, &run?)?;
        }
        return Ok(());
    }
    // Only roots know all that is below them; others are walked, with one open iterator a level.
    export(shell, client, ids, &run)?;
    let mut levels = vec![client.runs().made_by(&run).oldest_first().iter()];
    while let Some(level) = levels.last_mut() {
        match level.next() {
            Some(run) => {
                let run = run?;
                export(shell, client, ids, &run)?;
                levels.push(client.runs().made_by(&run).oldest_first().iter());
            }
            None => drop(levels.pop()),
        }
    }
    Ok(())
}

/// One line. The log may be longer than memory, so it is written as it is read, into the run's object.
fn export(shell: &mut Shell, client: &Client, ids: &mut Ids, run: &RunRow) -> Outcome<()> {
    let states: Vec<StateJson> = client.store().states(run.number)?.iter().map(StateJson::from).collect();
    let result = ResultJson::of(client, run)?;
    let object = json(&RunJson::of(client, ids, run)?);
    let open = object.strip_suffix('}').unwrap_or(&object);
    shell.text(&format!(
        "{open},\"states\":{},\"result\":{},\"logs\":[",
        json(&states),
        json(&result)
    ))?;
    let mut comma = "";
    for page in client.logs(run.id)?.pages() {
        for line in page? {
            let line = json(&LogJson::of(client, ids, &line)?);
            shell.text(&format!("{comma}{line}"))?;
            comma = ",";
        }
    }
    shell.text("]}\n")
}

/// Our own shapes are always JSON.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
