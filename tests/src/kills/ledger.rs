//! What bodies do, kept in a file that flowcore knows nothing of.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process;

/// What a line ends with if all of it is there.
const END: &str = "\t.";

/// What a line tells of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A body has begun.
    Start,
    /// A body is about to fail.
    Fail,
    /// A body is about to return what the line holds.
    End,
    /// A flow has got the result that the line holds.
    Acked,
}

impl What {
    const ALL: [Self; 4] = [Self::Start, Self::Fail, Self::End, Self::Acked];

    /// Its name in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Fail => "fail",
            Self::End => "end",
            Self::Acked => "acked",
        }
    }

    /// What is called so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.name() == name)
    }
}

/// A line of the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What it tells of.
    pub what: What,
    /// The process that wrote it.
    pub pid: u32,
    /// Whether the run is a flow's.
    pub is_flow: bool,
    /// The run's id.
    pub run: String,
    /// The run's place in the plan.
    pub label: String,
    /// What stays the same for the outside world however often a body is called.
    pub token: String,
    /// A value, as JSON.
    pub value: String,
}

/// The file, open to be added to.
#[derive(Debug)]
pub struct Ledger(File);

impl Ledger {
    /// Opens it, or makes it.
    ///
    /// # Errors
    /// If that fails.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(Self)
    }

    /// Adds a line, by one write to the end of the file.
    ///
    /// # Errors
    /// If that fails.
    pub fn add(&self, line: &Line) -> io::Result<()> {
        let kind = if line.is_flow { "flow" } else { "task" };
        let Line {
            run,
            label,
            token,
            value,
            ..
        } = line;
        let text = format!(
            "\n{}\t{}\t{kind}\t{run}\t{label}\t{token}\t{value}{END}\n",
            line.what.name(),
            process::id()
        );
        (&self.0).write_all(text.as_bytes())
    }

    /// All lines that are whole, oldest first; none if there is no file yet. One that is being written, or whose process was killed over
    /// it, doesn't count: its body has not come further than that.
    ///
    /// # Errors
    /// If it can't be read, or a whole line isn't one.
    pub fn read(path: &Path) -> io::Result<Vec<Line>> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let broken = |line: &str| io::Error::other(format!("no line of a ledger: {line:?}"));
        text.split('\n')
            .filter_map(|line| line.strip_suffix(END))
            .map(|line| Line::parse(line).ok_or_else(|| broken(line)))
            .collect()
    }
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.splitn(7, '\t');
        Some(Self {
            what: What::named(fields.next()?)?,
            pid: fields.next()?.parse().ok()?,
            is_flow: fields.next()? == "flow",
            run: fields.next()?.to_owned(),
            label: fields.next()?.to_owned(),
            token: fields.next()?.to_owned(),
            value: fields.next()?.to_owned(),
        })
    }
}
