//! The subscriber of a program that has none of its own.

use std::env;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};

use parking_lot::Mutex;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::{RunFormat, RunLayer};
use crate::error::{Error, Result};

const DEFAULT: &str = "info";

/// Writes the program's logs to its standard error, each line with the run it belongs to, and hands them to
/// [observers](crate::observe). A program calls it at its start; calling it again does nothing.
///
/// `FLOW_LOG`, or else `RUST_LOG`, says what is written, in the syntax of [`EnvFilter`]: `debug`, `warn,my_program=trace`. Without them
/// it is `info`. Colours are for terminals, and only if `NO_COLOR` isn't set.
///
/// # Errors
/// If another part of the program has installed a subscriber already: add [`RunLayer`] to that one.
///
/// ```
/// # fn main() -> flowcore::Result<()> {
/// flowcore::logging::init()?;
/// flowcore::logging::init()?; // nothing new
/// # Ok(())
/// # }
/// ```
pub fn init() -> Result<()> {
    static OURS: Mutex<bool> = Mutex::new(false);
    let unreadable;
    {
        let mut ours = OURS.lock();
        if *ours {
            return Ok(());
        }
        let from_env = filter(&["FLOW_LOG", "RUST_LOG"].map(|name| (name, env::var(name))));
        unreadable = from_env.1;
        let colours = colours(env::var_os("NO_COLOR").as_deref(), io::stderr().is_terminal());
        let lines = fmt::layer()
            .event_format(RunFormat::new().with_colours(colours))
            .with_writer(io::stderr)
            // A closed standard error is no reason to panic.
            .log_internal_errors(false);
        let subscriber = tracing_subscriber::registry()
            .with(from_env.0)
            .with(RunLayer::new())
            .with(lines);
        subscriber.try_init().map_err(|_| {
            Error::msg(
                "another tracing subscriber is installed already; add `flowcore::logging::RunLayer` to it instead of calling \
                 `flowcore::logging::init`",
            )
        })?;
        *ours = true;
    }
    if let Some(unreadable) = unreadable {
        tracing::warn!("{unreadable}; '{DEFAULT}' is used");
    }
    Ok(())
}

type Variable = (&'static str, std::result::Result<String, env::VarError>);

/// The filter of the first variable that is set and not empty, and what is wrong with it, if something is.
fn filter(variables: &[Variable]) -> (EnvFilter, Option<String>) {
    for (name, value) in variables {
        match value {
            Ok(text) if text.trim().is_empty() => {}
            Err(env::VarError::NotPresent) => {}
            Err(error) => {
                return (default_filter(), Some(format!("{name} can't be read ({error})")));
            }
            Ok(text) => match EnvFilter::builder().parse(text.trim()) {
                Ok(filter) => return (filter, None),
                Err(error) => {
                    return (default_filter(), Some(format!("{name}={text} can't be read ({error})")));
                }
            },
        }
    }
    (default_filter(), None)
}

fn default_filter() -> EnvFilter {
    EnvFilter::new(DEFAULT)
}

/// `NO_COLOR` counts whatever it says, unless it is empty: see <https://no-color.org>.
fn colours(no_color: Option<&OsStr>, terminal: bool) -> bool {
    terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flow_log: Option<&str>, rust_log: Option<&str>) -> (String, Option<String>) {
        let set = |value: Option<&str>| value.map(str::to_owned).ok_or(env::VarError::NotPresent);
        let (filter, unreadable) = filter(&[("FLOW_LOG", set(flow_log)), ("RUST_LOG", set(rust_log))]);
        (filter.to_string(), unreadable)
    }

    #[test]
    fn the_first_variable_that_says_something_counts() {
        assert_eq!(read(None, None), ("info".into(), None));
        assert_eq!(read(Some("debug"), Some("trace")), ("debug".into(), None));
        assert_eq!(read(None, Some("warn")), ("warn".into(), None));
        assert_eq!(read(Some(" "), Some("error")), ("error".into(), None));
    }

    #[test]
    fn an_unreadable_filter_is_told_and_the_default_used() {
        let (filter, unreadable) = read(Some("my_program=loud"), Some("trace"));
        assert_eq!(filter, "info");
        assert!(
            unreadable
                .unwrap()
                .starts_with("FLOW_LOG=my_program=loud can't be read (")
        );
    }

    #[test]
    fn colours_are_for_terminals_and_honour_no_color() {
        assert!(colours(None, true) && colours(Some(OsStr::new("")), true));
        assert!(!colours(Some(OsStr::new("1")), true) && !colours(None, false));
    }
}
