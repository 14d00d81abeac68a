//! SIGINT and SIGTERM.

use std::future::Future;
use std::io::{self, Write};
use std::process;

use tracing::level_filters::LevelFilter;

use super::panic::guarded;
use super::runtime;
use super::shutdown::{self, ShutdownReport};
use crate::settings::settings;

/// Makes SIGINT (Ctrl-C) and SIGTERM end the process gracefully: no body starts any more, those that run may end within the setting
/// `shutdown_timeout`, what is left is marked `Crashed`, and the process exits with 128 and the signal's number. A second signal ends it
/// at once.
///
/// A program calls it once, at its start; the library never does so by itself.
///
/// # Errors
/// What the system says when it refuses the handlers.
///
/// ```no_run
/// flowcore::handle_signals().unwrap();
/// ```
pub fn handle_signals() -> io::Result<()> {
    handle_signals_then(|_| {})
}

/// [`handle_signals`] that calls `last` once all runs have ended, right before the process exits: for a last report.
///
/// # Errors
/// What the system says when it refuses the handlers.
///
/// ```no_run
/// flowcore::handle_signals_then(|report| eprintln!("{} runs were cut off", report.crashed)).unwrap();
/// ```
pub fn handle_signals_then(last: impl FnOnce(ShutdownReport) + Send + 'static) -> io::Result<()> {
    let _runtime = runtime::own().enter();
    let mut signals = Signals::new()?;
    runtime::own().spawn(async move {
        let code = signals.next().await;
        let timeout = settings().shutdown_timeout;
        say(&format!(
            "stopping: runs may end within {timeout:?}; a second signal stops at once"
        ));
        let second = async {
            let _ = signals.next().await;
        };
        let ended = first_of(shutdown::shutdown(timeout), second).await;
        let report = ended.unwrap_or_else(|| shutdown::crash_rest("the process was interrupted"));
        if let Err(panic) = guarded(|| last(report)) {
            say(&format!("the last report {panic}"));
        }
        process::exit(code);
    });
    Ok(())
}

/// To the log, or to the terminal where there is none: who pressed Ctrl-C wants to know.
fn say(text: &str) {
    if LevelFilter::current() == LevelFilter::OFF {
        let _ = writeln!(io::stderr(), "flowcore: {text}");
    } else {
        // Whatever the subscriber does: the process must end.
        let _ = guarded(|| tracing::warn!("{text}"));
    }
}

/// What `one` gives, or `None` if `other` ends first.
async fn first_of<T>(one: impl Future<Output = T>, other: impl Future<Output = ()>) -> Option<T> {
    tokio::select! {
        biased;
        () = other => None,
        done = one => Some(done),
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The exit code that the next signal asks for.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => 128 + 2,
            _ = self.terminate.recv() => 128 + 15,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> i32 {
        let _ = tokio::signal::ctrl_c().await;
        128 + 2
    }
}
