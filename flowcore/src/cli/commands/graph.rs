//! `graph`: what is nested in what, and whose results are inputs of whom.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::failure::{Exit, Failure, Outcome};
use super::super::pick;
use super::super::shell::{Shell, tell};
use super::super::views::graph::{self, Format};

/// The graph of a run: nesting and dependencies, long lists of equals folded.
#[derive(Args)]
pub(in crate::cli) struct Graph {
    /// The run.
    run: String,
    /// The language: mermaid, dot or svg. Unless told, what the name of the output ends in; else mermaid.
    #[arg(long)]
    format: Option<Format>,
    /// Write it to that file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// About how many boxes it may have.
    #[arg(long, value_name = "BOXES", default_value_t = 200)]
    max_nodes: usize,
}

impl Graph {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let run = pick::one(shell, &self.run)?;
        let client = shell.client()?;
        let ending = self
            .output
            .as_deref()
            .and_then(Path::extension)
            .and_then(|ending| ending.to_str());
        let by_name = match ending {
            Some("svg") => Format::Svg,
            Some("dot" | "gv") => Format::Dot,
            _ => Format::Mermaid,
        };
        let format = self.format.unwrap_or(by_name);
        let text = graph::render(&**client.store(), &run, format, self.max_nodes)?;
        match &self.output {
            Some(file) => save(file, &text)?,
            None if shell.json => shell.json_line(&json!({"format": format.to_string(), "graph": text}))?,
            None => shell.text(&text)?,
        }
        Ok(Exit::Ok)
    }
}

/// Writes the text to that file, and says so.
pub(super) fn save(file: &Path, text: &str) -> Outcome<()> {
    let failed = |error| Failure::new(Exit::Failed, format!("'{}' can't be written: {error}", file.display()));
    fs::write(file, text).map_err(failed)?;
    tell(&format!("wrote {}", super::super::escaped(&file.display().to_string())));
    Ok(())
}
