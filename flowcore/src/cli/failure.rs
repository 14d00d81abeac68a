//! Why a command did not do what it was told, and the exit code that says so.

use std::io;
use std::process::ExitCode;

use crate::error::{Error, ErrorKind};
use crate::store::{StoreError, StoreErrorKind};

/// The exit codes, as `--help` and the module's documentation tell them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    Ok = 0,
    /// The run did not complete, or something else went wrong.
    Failed = 1,
    /// What was typed, or the parameters.
    Usage = 2,
    /// No such run or flow, or several.
    NotFound = 3,
    /// The store.
    Store = 4,
    /// It can't be done with the run as it is.
    Refused = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub(super) enum Failure {
    Told {
        exit: Exit,
        message: String,
    },
    /// Whoever read the output has left: nobody is there to be told.
    Unread,
}

/// What a command gives.
pub(super) type Outcome<T = Exit> = Result<T, Failure>;

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Told { exit, message }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error.kind() {
            StoreErrorKind::NotFound | StoreErrorKind::Ambiguous => Exit::NotFound,
            StoreErrorKind::Refused => Exit::Refused,
            _ => Exit::Store,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match (error.downcast_ref::<StoreError>(), error.kind()) {
            (Some(store), ErrorKind::Store) => store.clone().into(),
            (_, ErrorKind::Store) => Self::new(Exit::Store, error.to_string()),
            (_, ErrorKind::InvalidParameters) => Self::usage(error.to_string()),
            _ => Self::new(Exit::Failed, format!("{error:#}")),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::new(Exit::Failed, format!("the output can't be written: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(failure: Failure) -> Exit {
        match failure {
            Failure::Told { exit, .. } => exit,
            Failure::Unread => Exit::Ok,
        }
    }

    #[test]
    fn each_sort_of_failure_has_its_code() {
        let store = |kind| Error::from(StoreError::new(kind, "it"));
        let table = [
            (store(StoreErrorKind::NotFound), Exit::NotFound),
            (store(StoreErrorKind::Ambiguous), Exit::NotFound),
            (store(StoreErrorKind::Refused), Exit::Refused),
            (store(StoreErrorKind::Corrupt), Exit::Store),
            (Error::of_kind(ErrorKind::InvalidParameters, "x"), Exit::Usage),
            (Error::msg("x"), Exit::Failed),
        ];
        for (error, code) in table {
            assert_eq!(exit(error.clone().into()), code, "{error}");
        }
        assert_eq!(exit(io::Error::from(io::ErrorKind::BrokenPipe).into()), Exit::Ok);
        assert_eq!(exit(io::Error::other("full").into()), Exit::Failed);
    }
}
