//! The one error type: what happened, where in the tree of runs, and the user's own error as its source.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::run::RunId;
use crate::store::StoreError;

/// `Result` with [`flowcore::Error`](Error) unless told otherwise.
///
/// ```
/// fn check(n: u32) -> flowcore::Result<u32> {
///     if n > 0 { Ok(n) } else { Err(flowcore::Error::msg("n must not be 0")) }
/// }
/// assert!(check(0).is_err());
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// What sort of end an [`Error`] tells of.
///
/// ```
/// use flowcore::ErrorKind;
/// use flowcore::prelude::*;
///
/// #[task]
/// fn divide(a: u32, b: u32) -> u32 { a / b }
///
/// let error = divide(1, 0).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Panicked);
/// assert!(error.message().ends_with("attempt to divide by zero"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The body returned an error.
    Failed,
    /// The body panicked.
    Panicked,
    /// The run, or a wait for it, took longer than allowed.
    TimedOut,
    /// The run was cancelled.
    Cancelled,
    /// The run was lost with its runtime or process.
    Crashed,
    /// An input or a `wait_for` of the run failed, so its body was never called.
    NotReady,
    /// The parameters could not be used.
    InvalidParameters,
    /// The recursion went deeper than the setting `max_depth`.
    RecursionLimit,
    /// The task runner could not run it, or a wait could never end.
    Runner,
    /// The store failed.
    Store,
}

impl ErrorKind {
    const fn verb(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed out",
            Self::Cancelled => "was cancelled",
            Self::Crashed => "crashed",
            Self::NotReady => "was not ready",
            Self::InvalidParameters => "got invalid parameters",
            Self::RecursionLimit => "went too deep",
            Self::Runner => "could not be run",
            Self::Store => "lost its store",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())
    }
}

/// Why a run did not give its result.
///
/// It is cheap to clone, names the path of runs down to the one that went wrong
/// (`process-tree › process-tree › process_node`), and keeps the user's own error: [`Error::downcast_ref`] finds it
/// through any number of flows in between. `{}` is one line, `{:#}` adds the chain of causes, `{:?}` prints it as a report.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[task]
/// fn parse(text: &str) -> Result<u32, std::num::ParseIntError> { text.parse() }
/// #[flow]
/// fn sum(text: String) -> flowcore::Result<u32> { Ok(parse(&text)? + 1) }
///
/// let error = sum("seven".to_owned()).unwrap_err();
/// assert_eq!(error.kind(), flowcore::ErrorKind::Failed);
/// assert_eq!(error.run_path(), "sum › parse");
/// assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
/// assert_eq!(error.to_string(), "sum › parse failed: invalid digit found in string");
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    path: String,
    run: Option<RunId>,
    source: Option<Source>,
}

impl Drop for Inner {
    /// Errors may wrap each other as deep as runs nest.
    fn drop(&mut self) {
        if let Some(source) = self.source.take() {
            crate::engine::stack::ensure(|| drop(source));
        }
    }
}

/// A user's error, kept as what it was.
pub(crate) enum Source {
    Boxed(BoxError),
    /// An error holder such as `anyhow::Error`, that isn't itself an error but lends one.
    Held(Box<dyn HeldError>),
    Error(Error),
}

pub(crate) trait HeldError: Send + Sync {
    fn error(&self) -> &(dyn StdError + Send + Sync + 'static);
}

impl<E> HeldError for E
where
    E: Deref<Target = dyn StdError + Send + Sync + 'static> + Send + Sync + 'static,
{
    fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &**self
    }
}

impl Source {
    fn as_error(&self) -> &(dyn StdError + 'static) {
        match self {
            Self::Boxed(error) => &**error,
            Self::Held(held) => held.error(),
            Self::Error(error) => error,
        }
    }
}

impl Error {
    /// An error with a message of one's own, to return from a body.
    ///
    /// ```
    /// let error = flowcore::Error::msg("no rows");
    /// assert_eq!(error.to_string(), "no rows");
    /// ```
    #[must_use]
    pub fn msg(message: impl fmt::Display) -> Self {
        Self::build(ErrorKind::Failed, message.to_string(), None)
    }

    /// Any error as a `flowcore::Error`, kept as its source.
    ///
    /// ```
    /// let error = flowcore::Error::new(std::io::Error::other("disk on fire"));
    /// assert!(error.downcast_ref::<std::io::Error>().is_some());
    /// ```
    #[must_use]
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self::from_source(Source::Boxed(error.into()))
    }

    pub(crate) fn from_source(source: Source) -> Self {
        let source = match source {
            Source::Boxed(boxed) => match boxed.downcast::<Error>() {
                Ok(error) => return *error,
                Err(boxed) => Source::Boxed(boxed),
            },
            Source::Held(held) => match held.error().downcast_ref::<Error>() {
                Some(error) => return error.clone(),
                None => Source::Held(held),
            },
            Source::Error(error) => return error,
        };
        let message = display_of(source.as_error());
        Self::build(ErrorKind::Failed, message, Some(source))
    }

    pub(crate) fn build(kind: ErrorKind, message: String, source: Option<Source>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message,
            path: String::new(),
            run: None,
            source,
        }))
    }

    pub(crate) fn of_kind(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::build(kind, message.into(), None)
    }

    pub(crate) fn store(error: StoreError) -> Self {
        Self::build(ErrorKind::Store, error.to_string(), Some(Source::Boxed(error.into())))
    }

    /// The run's error that this one follows from.
    pub(crate) fn downcast_source(&self) -> Option<&Error> {
        match &self.0.source {
            Some(Source::Error(error)) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn caused_by(mut self, cause: Error) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.source = Some(Source::Error(cause));
        }
        self
    }

    /// Gives the error its place, unless it has one: an error keeps the path of the run where it began.
    pub(crate) fn at(self, run: RunId, path: impl FnOnce() -> String) -> Self {
        if self.0.run.is_some() {
            return self;
        }
        match Arc::try_unwrap(self.0) {
            Ok(mut inner) => {
                inner.run = Some(run);
                inner.path = path();
                Self(Arc::new(inner))
            }
            // Somebody else holds it: the copy with a place points to it.
            Err(shared) => Self(Arc::new(Inner {
                kind: shared.kind,
                message: shared.message.clone(),
                path: path(),
                run: Some(run),
                source: Some(Source::Error(Error(shared))),
            })),
        }
    }

    /// What sort of end it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone, without the run path.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The path of runs from the root to the run that went wrong, `a › b › c`; empty before it met a run.
    #[must_use]
    pub fn run_path(&self) -> &str {
        &self.0.path
    }

    /// The run that went wrong.
    #[must_use]
    pub fn run_id(&self) -> Option<RunId> {
        self.0.run
    }

    /// The first error of type `E` in the chain of causes: the user's own error, however deep it arose.
    ///
    /// ```
    /// use flowcore::prelude::*;
    /// use std::io;
    ///
    /// #[task]
    /// fn read(path: &str) -> io::Result<String> { std::fs::read_to_string(path) }
    /// #[flow]
    /// fn load() -> flowcore::Result<String> { read("/no/such/file") }
    ///
    /// let error = load().unwrap_err();
    /// let cause = error.downcast_ref::<io::Error>().unwrap();
    /// assert_eq!(cause.kind(), io::ErrorKind::NotFound);
    /// ```
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(self);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<E>() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// Whether the chain of causes has an error of type `E`, as a `retry_condition_fn` may want to know.
    ///
    /// ```
    /// let error = flowcore::Error::new(std::io::Error::other("disk on fire"));
    /// assert!(error.is::<std::io::Error>() && !error.is::<std::fmt::Error>());
    /// ```
    #[must_use]
    pub fn is<E: StdError + 'static>(&self) -> bool {
        self.downcast_ref::<E>().is_some()
    }

    fn headline(&self) -> String {
        let Inner {
            kind, message, path, ..
        } = &*self.0;
        match (path.is_empty(), message.is_empty()) {
            (true, true) => format!("a run {kind}"),
            (true, false) => message.clone(),
            (false, true) => format!("{path} {kind}"),
            (false, false) => format!("{path} {kind}: {message}"),
        }
    }

    /// The headline and the causes below it, outermost first.
    pub(crate) fn chain(&self) -> Vec<String> {
        std::iter::once(self.headline()).chain(self.causes()).collect()
    }

    /// The causes below the headline. A source that merely carries the headline's message is passed over.
    fn causes(&self) -> impl Iterator<Item = String> {
        let mut next = match &self.0.source {
            Some(Source::Error(error)) => Some(error as &(dyn StdError + 'static)),
            Some(source) => source.as_error().source(),
            None => None,
        };
        std::iter::from_fn(move || {
            let error = next?;
            // An Error's own Display already speaks for its direct source.
            next = match error.downcast_ref::<Error>() {
                Some(Error(inner)) => match &inner.source {
                    Some(Source::Error(error)) => Some(error),
                    Some(source) => source.as_error().source(),
                    None => None,
                },
                None => error.source(),
            };
            Some(display_of(error))
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        if f.alternate() {
            for cause in self.causes() {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

/// A report over several lines, as `fn main() -> flowcore::Result<()>` prints it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        let mut causes = self.causes().peekable();
        if causes.peek().is_some() {
            f.write_str("\n\nCaused by:")?;
            for (n, cause) in causes.enumerate() {
                write!(f, "\n    {n}: {cause}")?;
            }
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(Source::as_error)
    }
}

fn display_of(error: &(dyn StdError + 'static)) -> String {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    // A user's Display may panic; the run must not be lost by it.
    catch_unwind(AssertUnwindSafe(|| error.to_string()))
        .unwrap_or_else(|_| "an error whose Display panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Root;
    impl fmt::Display for Root {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("root cause")
        }
    }
    impl StdError for Root {}

    #[derive(Debug)]
    struct Outer(Error);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    impl StdError for Outer {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    fn placed(error: Error, path: &str) -> Error {
        error.at(RunId::nil(), || path.to_owned())
    }

    #[test]
    fn the_chain_is_printed_and_searched_through_wrappers() {
        let inner = placed(Error::new(Root), "a › b");
        let outer = placed(Error::new(Outer(inner)), "a");
        assert_eq!(outer.to_string(), "a failed: outer");
        assert_eq!(format!("{outer:#}"), "a failed: outer: a › b failed: root cause");
        assert!(outer.is::<Root>() && outer.is::<Outer>());
        assert!(format!("{outer:?}").contains("Caused by:\n    0: a › b failed: root cause"));
    }

    #[test]
    fn the_first_place_is_kept() {
        let error = placed(placed(Error::msg("boom"), "a › b"), "a");
        assert_eq!(error.to_string(), "a › b failed: boom");
        assert_eq!(error.run_path(), "a › b");
    }

    #[test]
    fn a_held_error_is_found_by_its_own_type() {
        let held: anyhow::Error = anyhow::Error::new(Root).context("while reading");
        let error = Error::from_source(Source::Held(Box::new(held)));
        assert!(error.is::<Root>());
        assert_eq!(format!("{error:#}"), "while reading: root cause");
        let held = anyhow::Error::new(placed(Error::new(Root), "x"));
        let through = Error::from_source(Source::Held(Box::new(held)));
        assert_eq!(through.run_path(), "x");
    }
}
