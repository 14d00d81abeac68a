//! `cancel`: asks the process that runs it.

use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::super::failure::{Exit, Failure, Outcome};
use super::super::shell::Shell;
use super::super::{pick, times};
use super::runs;
use crate::client::Client;
use crate::store::RunRow;

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Asks the process that runs it to cancel a run, with everything below it.
#[derive(Args)]
pub(in crate::cli) struct Cancel {
    /// The runs.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Stay until they are over.
    #[arg(long)]
    wait: bool,
}

impl Cancel {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let runs = pick::many(shell, &self.runs)?;
        let client = shell.client()?;
        let mut requested = Vec::with_capacity(runs.len());
        for run in &runs {
            requested.push(client.cancel(run.id)?);
        }
        let mut exit = Exit::Ok;
        let mut shown = Vec::new();
        for (run, requested) in runs.iter().zip(requested) {
            let now = match requested && self.wait {
                true => ended(&client, run)?,
                false => client.run(run.id)?.unwrap_or_else(|| run.clone()),
            };
            let state = now.state.name();
            let stopped = requested && (!self.wait || now.state.kind() == crate::StateType::Cancelled);
            if !stopped {
                exit = Exit::Refused;
            }
            if shell.json {
                shown.push(json!({"id": run.id, "requested": requested, "state": state}));
                continue;
            }
            let what = runs::told(run);
            let what = super::super::escaped(&what);
            let line = match (requested, self.wait) {
                (true, false) => format!("{what} is asked to stop"),
                (true, true) => format!("{what} is {state}"),
                (false, _) => format!("{what} was over already: {state}"),
            };
            shell.line(&line)?;
        }
        if shell.json {
            shell.json_line(&shown)?;
        }
        Ok(exit)
    }
}

/// Waits until nothing follows the run's state.
fn ended(client: &Client, run: &RunRow) -> Outcome<RunRow> {
    loop {
        let Some(now) = client.run(run.id)? else {
            return Err(Failure::new(Exit::NotFound, format!("{} was deleted", runs::told(run))));
        };
        if now.state.is_final() {
            return Ok(now);
        }
        let processes = client.processes(false)?;
        let process = processes.iter().find(|process| process.number == now.process);
        if process.is_none_or(|process| process.lease_until < times::now()) && !now.state.is_final() {
            let message = format!(
                "is {}, and its process has not been seen to live of late: it will be Crashed once that is certain",
                now.state.name()
            );
            return Err(runs::refused(run, &message));
        }
        thread::sleep(LOOK_EVERY);
    }
}
