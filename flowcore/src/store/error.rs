//! What can go wrong with a store.

use std::fmt;

/// What sort of trouble a store has.
///
/// ```
/// use flowcore::store::StoreErrorKind;
/// assert!(StoreErrorKind::Full.to_string().contains("full"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// No room is left where it is kept.
    Full,
    /// It can't be written.
    ReadOnly,
    /// What is there is no store, or a damaged one.
    Corrupt,
    /// Another process kept it locked for longer than one waits.
    Locked,
    /// Its schema is newer than this build knows.
    Newer,
    /// It isn't there, or can't be reached.
    Unreachable,
    /// The store holds this process for dead: what it writes is refused.
    Fenced,
    /// What was asked for isn't in it.
    NotFound,
    /// What was asked for may be one of several things in it.
    Ambiguous,
    /// What was asked for can't be done with the run as it is.
    Refused,
    /// Anything else.
    Other,
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the store is full",
            Self::ReadOnly => "the store can't be written",
            Self::Corrupt => "the store is damaged",
            Self::Locked => "the store is locked",
            Self::Newer => "the store is newer than this program",
            Self::Unreachable => "the store can't be reached",
            Self::Fenced => "the store holds this process for dead",
            Self::NotFound => "not found",
            Self::Ambiguous => "ambiguous",
            Self::Refused => "refused",
            Self::Other => "the store failed",
        })
    }
}

/// Trouble with a store: what happened, where, and what to do.
///
/// ```
/// use flowcore::store::{StoreError, StoreErrorKind};
/// let error = StoreError::new(StoreErrorKind::Full, "disk of /var is full").advise("free some space");
/// assert_eq!(error.to_string(), "the store is full: disk of /var is full; free some space");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    advice: Option<String>,
}

/// What a store gives back.
pub type StoreResult<T> = std::result::Result<T, StoreError>;

impl StoreError {
    /// Trouble of that kind.
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            advice: None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// What sort of trouble it is.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// What happened, without kind and advice.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        if let Some(advice) = &self.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for crate::Error {
    fn from(error: StoreError) -> Self {
        crate::Error::store(error)
    }
}
