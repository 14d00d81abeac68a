//! `run`: a flow, from here.

use std::io;
use std::sync::Arc;

use clap::Args;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::super::escaped::escaped;
use super::super::failure::{Exit, Failure, Outcome};
use super::super::shell::{Shell, tell};
use super::super::{Progress, RunTree};
use super::{flows, parameters};
use crate::definition::Definition;
use crate::engine::Launched;
use crate::error::Error;
use crate::observe::{Observation, observe};
use crate::registry;

/// Runs a flow, and prints its result as JSON.
///
/// Logs go to standard error. Ctrl-C stops the run: what is at work may end within FLOW_SHUTDOWN_SECONDS; a second Ctrl-C ends it at
/// once.
#[derive(Args)]
pub(in crate::cli) struct Run {
    /// The flow's name.
    flow: String,
    /// A parameter: its value is JSON, or else a text.
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// A JSON object of parameters: a file, or `-` for standard input. Those of --param go on top.
    #[arg(long, value_name = "FILE")]
    params_file: Option<String>,
    #[command(flatten)]
    how: How,
}

/// How a run that the command line starts is named and shown.
#[derive(Args)]
pub(super) struct How {
    /// The run's name.
    #[arg(long)]
    name: Option<String>,
    /// A tag for the run; may be given more than once.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    #[command(flatten)]
    showing: Showing,
}

/// What is shown of runs of this process while they are under way.
#[derive(Args)]
pub(super) struct Showing {
    /// Show how many runs are in which state instead of logs, and the tree of runs at the end.
    #[arg(long, conflicts_with = "quiet")]
    watch: bool,
    /// Show neither logs nor progress.
    #[arg(short, long)]
    quiet: bool,
}

impl Run {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let all = registry::flows();
        if !all.iter().any(|flow| flow.name() == self.flow) {
            return Err(Failure::new(Exit::NotFound, flows::missing("flow", &self.flow, &all)));
        }
        let flow = registry::flow(&self.flow)?;
        let parameters = parameters::collect(flow, self.params_file.as_deref(), &self.params)?;
        submit(shell, flow, &parameters, self.how)
    }
}

/// Starts a run with these parameters, and stays until it is over.
pub(super) fn submit(shell: &mut Shell, definition: &Definition, parameters: &Value, how: How) -> Outcome {
    let problems = definition.check_json(parameters);
    if !problems.is_empty() {
        let (kind, name, problems) = (definition.kind(), definition.name(), problems.join("\n  "));
        return Err(Failure::usage(format!(
            "these parameters don't fit {kind} '{name}':\n  {problems}"
        )));
    }
    let view = how.showing.start();
    let launched = definition.submit_json_as(parameters, how.name, how.tags)?;
    finish(shell, definition, &launched, &view)
}

/// Stays until the run is over, and prints what came of it.
pub(super) fn finish(shell: &mut Shell, definition: &Definition, launched: &Launched, view: &View) -> Outcome {
    let outcome = print(shell, definition, launched, view);
    if crate::engine::is_draining() {
        // A signal ends the process, with its own exit code.
        let _ = shell.flush();
        loop {
            std::thread::park();
        }
    }
    outcome
}

fn print(shell: &mut Shell, definition: &Definition, launched: &Launched, view: &View) -> Outcome {
    let state = launched.wait();
    let result = launched.result_json();
    view.finish();
    let exit = if state.is_completed() { Exit::Ok } else { Exit::Failed };
    let error = result.as_ref().err();
    if shell.json {
        shell.json_line(&json!({
            "id": launched.run_id(),
            "name": launched.run_name(),
            "flow": definition.name(),
            "state": state.name(),
            "message": state.message(),
            "result": result.as_ref().ok(),
            "error": error.map(Error::chain).unwrap_or_default(),
        }))?;
        return Ok(exit);
    }
    match (&result, exit) {
        (Ok(value), _) => {
            let text = match shell.terminal {
                true => serde_json::to_string_pretty(value),
                false => serde_json::to_string(value),
            };
            shell.line(&text.unwrap_or_default())?;
        }
        // It went well; there is only no way to show what it gave.
        (Err(error), Exit::Ok) => tell(&format!("note: {}", escaped(error.message()))),
        (Err(error), _) => {
            for (index, cause) in error.chain().iter().enumerate() {
                let indent = if index == 0 { "error: " } else { "  caused by: " };
                tell(&format!("{indent}{}", escaped(cause)));
            }
            tell(&format!("run {} is {}", launched.run_id(), state.name()));
        }
    }
    Ok(exit)
}

/// What is shown while runs of this process are under way.
#[derive(Clone, Default)]
pub(super) struct View(Arc<Mutex<Shown>>);

#[derive(Default)]
struct Shown {
    progress: Option<Progress>,
    tree: Option<(Arc<RunTree>, Observation)>,
}

impl Showing {
    /// Begins to show it, and to listen to signals.
    pub(super) fn start(&self) -> View {
        let Self { watch, quiet } = *self;
        let view = View::default();
        if watch || quiet {
            // Lines would run through the moving one; the runs' logs are kept all the same.
            let layers = tracing_subscriber::registry().with(tracing_subscriber::EnvFilter::new("info"));
            let _ = layers.with(crate::logging::RunLayer::new()).try_init();
        } else if let Err(error) = crate::logging::init() {
            tracing::debug!("{error}");
        }
        if watch {
            let tree = Arc::new(RunTree::new());
            let watched = observe(tree.clone());
            *view.0.lock() = Shown {
                progress: Some(Progress::start()),
                tree: Some((tree, watched)),
            };
        }
        let last = view.clone();
        if let Err(error) = crate::handle_signals_then(move |_| last.finish()) {
            tell(&format!("note: signals can't be handled: {error}"));
        }
        view
    }
}

impl View {
    /// Shows the end of it.
    pub(super) fn finish(&self) {
        let Shown { progress, tree } = std::mem::take(&mut *self.0.lock());
        if let Some(progress) = progress {
            progress.finish();
        }
        if let Some((tree, watched)) = tree {
            drop(watched);
            let columns = console::Term::stderr().size_checked();
            let columns = columns.map_or(80, |(_, columns)| usize::from(columns));
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{tree:columns$}"));
        }
    }
}
