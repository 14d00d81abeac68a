//! `delete`: root runs, with everything below them.

use clap::Args;
use serde_json::json;

use super::super::failure::{Exit, Outcome};
use super::super::pick;
use super::super::shell::{Shell, tell};
use super::super::units;
use super::runs;

/// Deletes root runs that are over, each with everything below it.
#[derive(Args)]
pub(in crate::cli) struct Delete {
    /// The runs.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Don't ask.
    #[arg(short, long)]
    yes: bool,
}

impl Delete {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let runs = pick::many(shell, &self.runs)?;
        let client = shell.client()?;
        let mut shown = Vec::new();
        for run in &runs {
            let what = super::super::escaped(&runs::told(run)).to_string();
            if !self.yes {
                let all: u64 = client.counts(run.id)?.iter().map(|count| count.count).sum();
                let below = match all.saturating_sub(1) {
                    0 => String::new(),
                    1 => " with 1 run below it".to_owned(),
                    below => format!(" with {} runs below it", units::count(below)),
                };
                if !pick::confirmed(&format!("Delete {what}{below}?"), "--yes")? {
                    tell("nothing was deleted");
                    continue;
                }
            }
            let gone = client.delete(run.id)?;
            if shell.json {
                shown.push(json!({"id": run.id, "deleted": gone}));
            } else {
                let plural = if gone == 1 { "" } else { "s" };
                shell.line(&format!("deleted {what}: {} run{plural}", units::count(gone)))?;
            }
        }
        if shell.json {
            shell.json_line(&shown)?;
        }
        Ok(Exit::Ok)
    }
}
