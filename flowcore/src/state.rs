//! The states of a run: Prefect's types and names, and the one table of legal transitions.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a state means to the engine; several [names](State::name) share a type.
///
/// ```
/// use flowcore::StateType;
/// assert!(StateType::Completed.is_terminal());
/// assert_eq!(StateType::Cancelling.to_string(), "Cancelling");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StateType {
    /// Will start later: planned, late, or waiting for its next attempt.
    Scheduled,
    /// Submitted, but its body has not started.
    Pending,
    /// The body runs.
    Running,
    /// Ended well. Terminal.
    Completed,
    /// Ended with an error, a panic or a timeout. Terminal.
    Failed,
    /// Asked to stop; a blocking body has not returned yet.
    Cancelling,
    /// Stopped on request. Terminal.
    Cancelled,
    /// Lost: its process or runtime ended under it. Terminal.
    Crashed,
    /// Halted until somebody answers.
    Paused,
}

impl StateType {
    /// Every type, in the order of the table of transitions.
    pub const ALL: [StateType; 9] = [
        Self::Scheduled,
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelling,
        Self::Cancelled,
        Self::Crashed,
        Self::Paused,
    ];

    /// Whether a run in such a state is over for good.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::Crashed)
    }

    /// The type's name as Prefect writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Cancelling => "Cancelling",
            Self::Cancelled => "Cancelled",
            Self::Crashed => "Crashed",
            Self::Paused => "Paused",
        }
    }
}

impl fmt::Display for StateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Every name a state can bear; each belongs to one [`StateType`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(
    dead_code,
    reason = "schedules and pauses bear some of the names, and the table of transitions knows them all"
)]
pub(crate) enum StateName {
    Scheduled,
    Late,
    AwaitingRetry,
    Pending,
    NotReady,
    Running,
    Retrying,
    Completed,
    Cached,
    Failed,
    TimedOut,
    Cancelling,
    Cancelled,
    Crashed,
    Paused,
}

impl StateName {
    pub(crate) const ALL: [StateName; 15] = [
        Self::Scheduled,
        Self::Late,
        Self::AwaitingRetry,
        Self::Pending,
        Self::NotReady,
        Self::Running,
        Self::Retrying,
        Self::Completed,
        Self::Cached,
        Self::Failed,
        Self::TimedOut,
        Self::Cancelling,
        Self::Cancelled,
        Self::Crashed,
        Self::Paused,
    ];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    pub(crate) const fn kind(self) -> StateType {
        match self {
            Self::Scheduled | Self::Late | Self::AwaitingRetry => StateType::Scheduled,
            Self::Pending | Self::NotReady => StateType::Pending,
            Self::Running | Self::Retrying => StateType::Running,
            Self::Completed | Self::Cached => StateType::Completed,
            Self::Failed | Self::TimedOut => StateType::Failed,
            Self::Cancelling => StateType::Cancelling,
            Self::Cancelled => StateType::Cancelled,
            Self::Crashed => StateType::Crashed,
            Self::Paused => StateType::Paused,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Late => "Late",
            Self::AwaitingRetry => "AwaitingRetry",
            Self::NotReady => "NotReady",
            Self::Retrying => "Retrying",
            Self::Cached => "Cached",
            Self::TimedOut => "TimedOut",
            _ => self.kind().as_str(),
        }
    }

    /// The table of legal transitions. A terminal state and `NotReady` are final.
    pub(crate) const fn may_become(self, to: StateName) -> bool {
        use StateType as T;
        match (self.kind(), to.kind()) {
            // Final: nothing follows.
            (T::Completed | T::Failed | T::Cancelled | T::Crashed, _) => false,
            (T::Pending, _) if matches!(self, Self::NotReady) => false,
            // Who is being cancelled can only end cancelled.
            (T::Cancelling, T::Cancelled) => true,
            (T::Cancelling, _) => false,
            // A plan becomes late once; a waiting retry never does.
            (T::Scheduled, T::Scheduled) => {
                matches!((self, to), (Self::Scheduled, Self::Late))
            }
            (T::Scheduled, T::Completed | T::Paused) => false,
            (T::Scheduled, T::Pending) => !matches!(to, Self::NotReady),
            (T::Scheduled, _) => true,
            // The guard against a double submission.
            (T::Pending, T::Pending) => matches!(to, Self::NotReady),
            // Without a body only a cached result completes a run.
            (T::Pending, T::Completed) => matches!(to, Self::Cached),
            (T::Pending, T::Scheduled | T::Paused) => false,
            (T::Pending, T::Running) => matches!(to, Self::Running),
            (T::Pending, _) => true,
            (T::Running, T::Running) => matches!(to, Self::Retrying),
            (T::Running, T::Scheduled) => matches!(to, Self::AwaitingRetry),
            (T::Running, T::Pending) => false,
            (T::Running, T::Completed) => matches!(to, Self::Completed),
            (T::Running, _) => true,
            (T::Paused, T::Running | T::Scheduled) => true,
            (T::Paused, T::Completed | T::Failed | T::Cancelled | T::Crashed) => true,
            (T::Paused, _) => false,
        }
    }
}

/// One state in a run's life.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[task]
/// fn double(x: u32) -> u32 { x * 2 }
///
/// let run = double.submit(21);
/// let state = run.wait();
/// assert_eq!((state.kind(), state.name()), (StateType::Completed, "Completed"));
///
/// #[task(timeout_seconds = 0.01)]
/// async fn forever() { std::future::pending::<()>().await }
///
/// let state = forever.submit().wait();
/// assert_eq!((state.kind(), state.name()), (StateType::Failed, "TimedOut"));
/// assert!(state.message().unwrap().contains("exceeded its timeout"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    pub(crate) name: StateName,
    pub(crate) message: Option<Arc<str>>,
    /// Nanoseconds since the Unix epoch.
    pub(crate) at: i64,
}

impl State {
    /// The state of that name, as a store has kept it; `None` if no state bears the name.
    ///
    /// ```
    /// use flowcore::State;
    /// let state = State::restored("TimedOut", 1_790_000_000_000_000_000, None).unwrap();
    /// assert_eq!(state.kind(), flowcore::StateType::Failed);
    /// assert!(State::restored("Gone", 0, None).is_none());
    /// ```
    #[must_use]
    pub fn restored(name: &str, unix_nanos: i64, message: Option<&str>) -> Option<Self> {
        Some(Self {
            name: StateName::parse(name)?,
            message: message.map(Into::into),
            at: unix_nanos,
        })
    }

    /// When the run entered this state, in nanoseconds since the Unix epoch.
    #[must_use]
    pub fn unix_nanos(&self) -> i64 {
        self.at
    }

    /// The state's type.
    #[must_use]
    pub fn kind(&self) -> StateType {
        self.name.kind()
    }

    /// The state's name: its type's, or a finer one such as `Retrying`, `AwaitingRetry`, `TimedOut`, `NotReady`, `Cached`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name.as_str()
    }

    /// What happened, in words, where there is something to say.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// When the run entered this state; strictly later than the run's state before it.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        // i64 nanoseconds cover the years 1677 to 2262, all within jiff's range.
        Timestamp::from_nanosecond(i128::from(self.at)).unwrap_or_default()
    }

    /// Whether the state is terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.kind().is_terminal()
    }

    /// Whether nothing follows: the state is terminal, or `NotReady`, in which a run stays whose inputs failed.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.is_terminal() || self.name == StateName::NotReady
    }

    /// Whether the run ended well.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.kind() == StateType::Completed
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("name", &self.name())
            .field("kind", &self.kind())
            .field("message", &self.message())
            .field("timestamp", &self.timestamp())
            .finish()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{}({message})", self.name()),
            None => write!(f, "{}()", self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole matrix, a row a state and a column a state: `x` is legal.
    const MATRIX: &str = "
                   Sch Lat AwR Pen NoR Run Ret Com Cac Fai TiO Cing Cled Cra Pau
    Scheduled      .   x   .   x   .   x   x   .   .   x   x   x    x    x   .
    Late           .   .   .   x   .   x   x   .   .   x   x   x    x    x   .
    AwaitingRetry  .   .   .   x   .   x   x   .   .   x   x   x    x    x   .
    Pending        .   .   .   .   x   x   .   .   x   x   x   x    x    x   .
    NotReady       .   .   .   .   .   .   .   .   .   .   .   .    .    .   .
    Running        .   .   x   .   .   .   x   x   .   x   x   x    x    x   x
    Retrying       .   .   x   .   .   .   x   x   .   x   x   x    x    x   x
    Completed      .   .   .   .   .   .   .   .   .   .   .   .    .    .   .
    Cached         .   .   .   .   .   .   .   .   .   .   .   .    .    .   .
    Failed         .   .   .   .   .   .   .   .   .   .   .   .    .    .   .
    TimedOut       .   .   .   .   .   .   .   .   .   .   .   .    .    .   .
    Cancelling     .   .   .   .   .   .   .   .   .   .   .   .    x    .   .
    Cancelled      .   .   .   .   .   .   .   .   .   .   .   .    .    .   .
    Crashed        .   .   .   .   .   .   .   .   .   .   .   .    .    .   .
    Paused         x   x   x   .   .   x   x   x   x   x   x   .    x    x   .
    ";

    #[test]
    fn every_cell_of_the_transition_matrix() {
        let rows: Vec<Vec<&str>> = MATRIX
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .filter(|cells| !cells.is_empty())
            .skip(1)
            .collect();
        assert_eq!(rows.len(), StateName::ALL.len());
        let mut cells = 0;
        for (row, from) in rows.iter().zip(StateName::ALL) {
            assert_eq!(row[0], from.as_str());
            for (cell, to) in row[1..].iter().zip(StateName::ALL) {
                assert_eq!(*cell == "x", from.may_become(to), "{from:?} -> {to:?}");
                cells += 1;
            }
        }
        assert_eq!(cells, 15 * 15);
    }

    #[test]
    fn terminal_states_are_final_and_names_show_their_type() {
        for from in StateName::ALL {
            for to in StateName::ALL {
                assert!(!(from.kind().is_terminal() && from.may_become(to)));
            }
        }
        assert_eq!(StateName::TimedOut.kind(), StateType::Failed);
        assert_eq!(StateName::NotReady.kind(), StateType::Pending);
        assert_eq!(StateName::Cached.kind(), StateType::Completed);
    }
}
