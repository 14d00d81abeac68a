//! Ways to kill a process, and where.

use std::fmt;
use std::process::Command;
use std::time::Duration;

use fastrand::Rng;

/// Failpoints of flowcore, each with about how often a process passes it.
pub(crate) const FAILPOINTS: &[(&str, u32)] = &[
    // Before and after a change of a run is queued for the writer.
    ("recording::before-change", 16),
    ("recording::changed", 16),
    // A task's start is in the store, its body has not begun.
    ("recording::start-written", 10),
    // A run's end is queued, nobody waits for it yet.
    ("recording::before-hold", 12),
    ("writer::before-commit", 16),
    ("sqlite::begun", 16),
    ("sqlite::run-written", 16),
    ("sqlite::counts-written", 16),
    ("sqlite::before-commit", 16),
    ("sqlite::committed", 16),
    ("writer::after-commit", 16),
    // It is written, and some of those that wait for it know.
    ("writer::barrier-passed", 10),
    ("writer::before-acknowledged", 12),
    // A process comes.
    ("sqlite::half-drafted", 1),
    ("sqlite::drafted", 1),
    ("sqlite::published", 1),
    ("sqlite::registered", 1),
    ("session::registered", 1),
    // It buries another.
    ("sqlite::ended", 1),
    ("sqlite::run-crashed", 3),
    ("sqlite::crashed", 1),
    // It goes on with a run.
    ("resume::before-claim", 1),
    ("sqlite::half-claimed", 1),
    ("resume::claimed", 1),
    // It leaves.
    ("session::before-leave", 1),
];

/// Those of [`FAILPOINTS`] that only the first process of a store passes, and those that only a later one does.
const FIRST: &[&str] = &["sqlite::half-drafted", "sqlite::drafted", "sqlite::published"];
const LATER: &[&str] = &[
    "sqlite::ended",
    "sqlite::run-crashed",
    "sqlite::crashed",
    "resume::before-claim",
    "sqlite::half-claimed",
    "resume::claimed",
];

/// Where a process is killed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kill {
    /// By itself, at a failpoint that it has passed that often.
    Failpoint(&'static str, u32),
    /// By itself, after that line of the ledger, when it has written that many of these.
    Line(&'static str, u32),
    /// From outside, after some time.
    Signal(Duration),
}

impl Kill {
    /// Draws one.
    pub(crate) fn draw(rng: &mut Rng, is_first: bool) -> Self {
        match rng.u32(..10) {
            0 | 1 => Self::Signal(Duration::from_micros(rng.u64(1_000..40_000))),
            2 | 3 => Self::Line(["start", "fail", "end", "acked"][rng.usize(..4)], rng.u32(..6)),
            _ => {
                let only_later = !is_first && rng.u32(..3) == 0;
                let suits = |name: &str| match (is_first, only_later) {
                    (true, _) => !LATER.contains(&name),
                    (false, true) => LATER.contains(&name),
                    (false, false) => !FIRST.contains(&name),
                };
                let of_these: Vec<_> = FAILPOINTS.iter().filter(|(name, _)| suits(name)).collect();
                let (name, passes) = of_these[rng.usize(..of_these.len())];
                Self::Failpoint(name, rng.u32(..*passes))
            }
        }
    }

    /// Has a process die there; by a [`Signal`](Kill::Signal) it is the caller who kills it.
    pub(crate) fn arm(&self, command: &mut Command) {
        match self {
            Self::Failpoint(name, 0) => command.env("FAILPOINTS", format!("{name}=return")),
            Self::Failpoint(name, passes) => command.env("FAILPOINTS", format!("{name}={passes}*off->return")),
            Self::Line(what, passes) => command.env("KILL_AT", format!("{what}:{passes}")),
            Self::Signal(_) => command,
        };
    }

    /// What it is called in a count of all kills.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Failpoint(name, _) => name,
            Self::Line("start", _) => "body-start",
            Self::Line("fail", _) => "body-fail",
            Self::Line("end", _) => "body-end",
            Self::Line(..) => "acked",
            Self::Signal(_) => "SIGKILL",
        }
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failpoint(name, passes) => write!(f, "at {name}, passed {passes} times before"),
            Self::Line(what, passes) => write!(f, "after '{what}' in the ledger, written {passes} times before"),
            Self::Signal(after) => write!(f, "by SIGKILL after {after:.1?}"),
        }
    }
}
