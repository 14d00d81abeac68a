//! The command line as a whole.

use clap::{CommandFactory, Parser, Subcommand};

use super::commands::{
    Cancel, Completions, Delete, Doctor, Export, Flows, Graph, Logs, Prune, Resume, Retry, Run, Runs, Show, Tasks,
    Timeline,
};
use super::failure::Outcome;
use super::shell::{ColorWhen, Shell};

const EXIT_CODES: &str = "\
Exit codes:
  0    done; of `run`: the run completed
  1    the run did not complete, or something else failed
  2    wrong usage, or invalid parameters
  3    no run or flow like that, or several
  4    trouble with the store
  5    refused: it can't be done with the run as it is
  130  interrupted by Ctrl-C (143: by SIGTERM)

RUN is a run's id, or the beginning of one that is long enough to tell it from all others; `-` reads ids from standard input.";

/// Runs the flows of this program, and shows what became of them.
#[derive(Parser)]
#[command(version = concat!("(flowcore ", env!("CARGO_PKG_VERSION"), ")"), after_help = EXIT_CODES)]
#[command(subcommand_required = true, arg_required_else_help = true, max_term_width = 100)]
pub(super) struct Arguments {
    /// Print JSON, in shapes that stay.
    #[arg(long, global = true, display_order = 100)]
    pub(super) json: bool,
    /// The store: `sqlite:FILE`, `memory:` or `none:`, in place of FLOW_DATABASE_URL.
    #[arg(long, global = true, value_name = "URL", display_order = 101)]
    pub(super) database: Option<String>,
    /// When to use colours.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        display_order = 102
    )]
    pub(super) color: ColorWhen,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    Flows(Flows),
    Tasks(Tasks),
    Run(Run),
    Runs(Runs),
    Show(Show),
    Logs(Logs),
    Graph(Graph),
    Timeline(Timeline),
    Cancel(Cancel),
    Resume(Resume),
    Retry(Retry),
    Delete(Delete),
    Prune(Prune),
    Export(Export),
    Doctor(Doctor),
    Completions(Completions),
}

impl Command {
    pub(super) fn execute(self, shell: &mut Shell) -> Outcome {
        match self {
            Self::Flows(flows) => flows.execute(shell),
            Self::Tasks(tasks) => tasks.execute(shell),
            Self::Run(run) => run.execute(shell),
            Self::Runs(runs) => runs.execute(shell),
            Self::Show(show) => show.execute(shell),
            Self::Logs(logs) => logs.execute(shell),
            Self::Graph(graph) => graph.execute(shell),
            Self::Timeline(timeline) => timeline.execute(shell),
            Self::Cancel(cancel) => cancel.execute(shell),
            Self::Resume(resume) => resume.execute(shell),
            Self::Retry(retry) => retry.execute(shell),
            Self::Delete(delete) => delete.execute(shell),
            Self::Prune(prune) => prune.execute(shell),
            Self::Export(export) => export.execute(shell),
            Self::Doctor(doctor) => doctor.execute(shell),
            Self::Completions(completions) => completions.execute(shell),
        }
    }
}

/// The commands under the program's own name.
pub(super) fn command(program: &str) -> clap::Command {
    Arguments::command().display_name(program).bin_name(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_contradict_each_other_nowhere() {
        command("flow").debug_assert();
    }
}
