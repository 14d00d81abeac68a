//! `completions`: what a shell wants to know.

use clap::Args;
use clap_complete::{Shell as Which, generate};

use super::super::args;
use super::super::failure::{Exit, Outcome};
use super::super::shell::Shell;

/// A script that completes the commands in a shell.
#[derive(Args)]
pub(in crate::cli) struct Completions {
    /// The shell.
    shell: Which,
}

impl Completions {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let mut script = Vec::new();
        generate(
            self.shell,
            &mut args::command(&shell.program),
            shell.program.clone(),
            &mut script,
        );
        shell.text(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Ok)
    }
}
