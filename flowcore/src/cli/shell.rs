//! What a command works with: where its output goes, how it looks, and the store.

use std::io::{self, BufWriter, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::failure::Outcome;
use super::style::Style;
use crate::client::Client;
use crate::store::{self, StoreError, StoreErrorKind};

/// When there are colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(super) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorWhen {
    fn on(self, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            // See <https://no-color.org>: an empty variable doesn't count.
            Self::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()),
        }
    }
}

/// Where a command's output goes, and the store it looks at.
pub(super) struct Shell {
    out: BufWriter<Box<dyn Write>>,
    /// Whether a program reads the output.
    pub(super) json: bool,
    /// How standard output is painted.
    pub(super) style: Style,
    /// Whether standard output is a terminal.
    pub(super) terminal: bool,
    /// The program's name, as it was called.
    pub(super) program: String,
    client: Option<Client>,
}

impl Shell {
    pub(super) fn new(json: bool, color: ColorWhen, program: String) -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            out: BufWriter::new(Box::new(io::stdout())),
            json,
            style: Style::new(!json && color.on(terminal)),
            terminal,
            program,
            client: None,
        }
    }

    /// The store, opened when it is first asked for.
    pub(super) fn client(&mut self) -> Outcome<Client> {
        if self.client.is_none() {
            self.client = Some(open()?);
        }
        match &self.client {
            Some(client) => Ok(client.clone()),
            None => unreachable!("opened above"),
        }
    }

    /// How wide lines may be: as the terminal, or as COLUMNS says; in a file or a pipe there is no limit.
    pub(super) fn columns(&self) -> usize {
        let terminal = self.terminal.then(|| console::Term::stdout().size_checked()).flatten();
        if let Some((_, columns)) = terminal {
            return usize::from(columns);
        }
        let told = std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.trim().parse().ok())
            // As wide as a terminal can be.
            .map(|columns: usize| columns.min(u16::MAX.into()));
        told.unwrap_or(if self.terminal { 80 } else { usize::MAX })
    }

    /// How many lines the terminal has; outside of one there is no limit.
    pub(super) fn lines(&self) -> usize {
        let terminal = self.terminal.then(|| console::Term::stdout().size_checked()).flatten();
        terminal.map_or(usize::MAX, |(lines, _)| usize::from(lines))
    }

    pub(super) fn text(&mut self, text: &str) -> Outcome<()> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    pub(super) fn line(&mut self, line: &str) -> Outcome<()> {
        self.text(line)?;
        self.text("\n")
    }

    /// One JSON document on a line of its own.
    pub(super) fn json_line(&mut self, value: &impl Serialize) -> Outcome<()> {
        // A failure of the output comes through as an I/O error; the values themselves are all JSON.
        serde_json::to_writer(&mut self.out, value).map_err(io::Error::from)?;
        self.text("\n")
    }

    pub(super) fn flush(&mut self) -> Outcome<()> {
        Ok(self.out.flush()?)
    }
}

impl Write for Shell {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The store; one that can't be written can still be looked at.
fn open() -> Outcome<Client> {
    let error = match Client::open() {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    let is_closed = error
        .downcast_ref::<StoreError>()
        .is_some_and(|error| error.kind() == StoreErrorKind::ReadOnly);
    match is_closed.then(store::to_read) {
        Some(Ok(Some(store))) => Ok(Client::of(store)),
        _ => Err(error.into()),
    }
}

/// Tells the person something beside the output. Standard error that is closed is no trouble.
pub(super) fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
