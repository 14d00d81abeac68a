//! `resume`: an interrupted run goes on.

use clap::Args;

use super::super::failure::Outcome;
use super::super::pick;
use super::super::shell::Shell;
use super::run::{self, Showing};
use super::{retry, runs};

/// Goes on with a durable run that was interrupted or has failed: what has completed is not run again.
///
/// Of a run below it, the outermost one is resumed.
#[derive(Args)]
pub(in crate::cli) struct Resume {
    /// The run.
    run: String,
    #[command(flatten)]
    showing: Showing,
}

impl Resume {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let run = pick::one(shell, &self.run)?;
        let client = shell.client()?;
        let root = client.store().run_numbered(run.root)?.unwrap_or(run);
        let definition = retry::definition(&client, &root)?;
        if !root.durable {
            return Err(runs::refused(
                &root,
                "can't be resumed, as it is not durable: write #[flow(durable)]; `retry` starts it anew",
            ));
        }
        let view = self.showing.start();
        let launched = crate::resume(root.id)?;
        run::finish(shell, definition, &launched, &view)
    }
}
