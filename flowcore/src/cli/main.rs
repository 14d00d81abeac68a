//! A program with flows as a command-line tool.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::FromArgMatches;
use serde_json::json;

use super::args::{self, Arguments};
use super::escaped::escaped;
use super::failure::{Exit, Failure, Outcome};
use super::shell::{Shell, tell};
use crate::settings::Settings;

/// The command line of a program with flows: `flows`, `run FLOW`, `runs`, `show RUN`, `logs RUN`, `cancel RUN` and more; `--help` tells
/// them all. See [`cli`](crate::cli) for the exit codes and what `--json` prints.
///
/// It reads the process's arguments, does what they say, and gives the exit code. It may be called in a plain `main` and in an async one.
///
/// ```no_run
/// use flowcore::prelude::*;
///
/// /// Greets somebody.
/// #[flow]
/// fn greet(name: String) -> String { format!("Hello, {name}!") }
///
/// fn main() -> std::process::ExitCode {
///     flowcore::main() // greeter run greet --param name=Ada
/// }
/// ```
#[must_use = "the exit code is for `main` to return"]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if tokio::runtime::Handle::try_current().is_err() {
        return execute(&arguments).into();
    }
    // Commands block; within a runtime they do so on a thread of their own.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("flowcore-main".to_owned());
        let thread = thread.spawn_scoped(scope, || execute(&arguments));
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(exit)) => exit.into(),
            _ => Exit::Failed.into(),
        }
    })
}

fn execute(arguments: &[OsString]) -> Exit {
    let program = program_name(arguments);
    let parsed = args::command(&program)
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help that nobody reads any more is no failure.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Ok };
        }
    };
    let mut shell = Shell::new(arguments.json, arguments.color, program);
    let outcome = choose_store(arguments.database).and_then(|()| arguments.command.execute(&mut shell));
    let flushed = shell.flush();
    crate::engine::recording::close();
    match (outcome, flushed) {
        (Ok(exit), Ok(()) | Err(Failure::Unread)) => exit,
        (Ok(_), Err(failure)) => report(failure, shell.json),
        (Err(failure), _) => report(failure, shell.json),
    }
}

/// Makes `url` the store of this process, whatever the environment says.
fn choose_store(url: Option<String>) -> Outcome<()> {
    let Some(url) = url else {
        return Ok(());
    };
    let mut settings = Settings::from_env();
    settings.database_url = Some(url);
    let taken = |_| Failure::usage("--database comes too late: the program has installed settings of its own");
    settings.install().map_err(taken)
}

fn report(failure: Failure, json: bool) -> Exit {
    match failure {
        Failure::Told { exit, message } if json => {
            let error = json!({"error": {"code": exit as u8, "message": message}});
            let _ = writeln!(io::stderr(), "{error}");
            exit
        }
        Failure::Told { exit, message } => {
            // Line by line: a message may have several, and each may hold what others wrote.
            let lines: Vec<String> = message.lines().map(|line| escaped(line).to_string()).collect();
            tell(&format!("error: {}", lines.join("\n")));
            exit
        }
        Failure::Unread => Exit::Ok,
    }
}

/// The name by which the program was called, without its path.
fn program_name(arguments: &[OsString]) -> String {
    let path = arguments.first().map(Path::new);
    let name = path.and_then(Path::file_stem).and_then(|name| name.to_str());
    name.filter(|name| !name.is_empty()).unwrap_or("flow").to_owned()
}
