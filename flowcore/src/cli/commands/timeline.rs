//! `timeline`: what waited, ran and was tried again, and when.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::super::failure::{Exit, Outcome};
use super::super::pick;
use super::super::shell::Shell;
use super::super::views::timeline;
use super::graph;

/// In a file or a pipe nothing tells how wide it may be.
const WIDTH: usize = 120;

/// When a run and those below it waited and ran, as bars.
#[derive(Args)]
pub(in crate::cli) struct Timeline {
    /// The run.
    run: String,
    /// Write it to that file, as a picture.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl Timeline {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let run = pick::one(shell, &self.run)?;
        let client = shell.client()?;
        let store = &**client.store();
        if let Some(file) = &self.svg {
            graph::save(file, &timeline::svg(store, &run)?)?;
            return Ok(Exit::Ok);
        }
        let columns = shell.columns();
        let width = if columns == usize::MAX { WIDTH } else { columns };
        let text = timeline::terminal(store, &run, width, &shell.style)?;
        match shell.json {
            true => shell.json_line(&json!({"timeline": text}))?,
            false => shell.text(&text)?,
        }
        Ok(Exit::Ok)
    }
}
