//! A command-line tool under test, with a store of its own.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::LIMIT;

/// A program, and a directory of the test's own with its store, gone with it.
pub struct Tool {
    program: PathBuf,
    directory: PathBuf,
}

/// What a command did.
#[derive(Debug)]
pub struct Done {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Done {
    /// The output of a command that went well.
    ///
    /// # Panics
    /// If it did not.
    #[must_use]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// What the command said on standard error when it ended with that code.
    ///
    /// # Panics
    /// If it ended with another one.
    #[must_use]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self.err
    }
}

impl Tool {
    /// The program, and a directory named `name` in `scratch`.
    ///
    /// # Panics
    /// If the directory can't be made.
    #[must_use]
    pub fn new(program: &str, scratch: &str, name: &str) -> Self {
        let directory = Path::new(scratch).join(name);
        let _ = std::fs::remove_dir_all(&directory);
        if let Err(error) = std::fs::create_dir_all(&directory) {
            panic!("{}: {error}", directory.display());
        }
        Self {
            program: program.into(),
            directory,
        }
    }

    /// A path in its directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The program with these arguments, its store set, and nothing else from outside.
    #[must_use]
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("FLOW_")
                || ["RUST_LOG", "NO_COLOR", "COLUMNS", "CLICOLOR_FORCE"].contains(&&*name_text)
            {
                command.env_remove(&name);
            }
        }
        let url = format!("sqlite:{}", self.path("flow.db").display());
        command.env("FLOW_DATABASE_URL", url).env("TZ", "UTC").args(arguments);
        command.current_dir(&self.directory).stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// If it can't be run.
    #[must_use]
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Done {
        finish(self.spawn(arguments))
    }

    /// Runs it to its end with that on standard input.
    ///
    /// # Panics
    /// If it can't be run.
    #[must_use]
    pub fn run_with<S: AsRef<OsStr>>(&self, arguments: &[S], input: &str) -> Done {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = start(&mut command);
        if let Some(mut stdin) = child.stdin.take() {
            // It may end without reading.
            let _ = stdin.write_all(input.as_bytes());
        }
        finish(child)
    }

    /// Starts it, its output to be read.
    ///
    /// # Panics
    /// If it can't be started.
    #[must_use]
    pub fn spawn<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Child {
        let mut command = self.command(arguments);
        start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Asks again and again until `look` finds something.
    ///
    /// # Panics
    /// If it doesn't within the time a test may take.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(begun.elapsed() < LIMIT, "not seen: {what}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn start(command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Waits for its end, and takes what it printed.
///
/// # Panics
/// If it can't be waited for.
#[must_use]
pub fn finish(child: Child) -> Done {
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{error}"));
    Done {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
