//! Settings: read once from `FLOW_…` environment variables, or set by the program before its first run.

use std::sync::OnceLock;
use std::time::Duration;

use crate::store::{Durability, StoreTrouble};

/// What can be set for the whole process. Units stand in the names.
///
/// ```
/// let settings = flowcore::Settings::default();
/// assert_eq!(settings.max_depth, 250_000);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// `FLOW_MAX_DEPTH`: how deep runs may nest before `RecursionLimit`. 250,000.
    pub max_depth: u32,
    /// `FLOW_MAX_THREADS`: how many threads may run blocking bodies at once. 512.
    pub max_threads: usize,
    /// `FLOW_HOOK_TIMEOUT_SECONDS`: how long a state hook may take before the run goes on without it. 60.
    pub hook_timeout: Duration,
    /// `FLOW_SHUTDOWN_SECONDS`: how long a first SIGINT or SIGTERM waits for bodies to end. 10.
    pub shutdown_timeout: Duration,
    /// `FLOW_RECORD_LIMIT_BYTES`: where each recorded parameter is cut. 4,096.
    pub record_limit: usize,
    /// `FLOW_LOG_LINE_BYTES`: where a log message is cut. 8,192.
    pub log_line_limit: usize,
    /// `FLOW_DATABASE_URL`: where runs are kept; see [`store`](crate::store). The platform's data directory unless told otherwise.
    pub database_url: Option<String>,
    /// `FLOW_DURABILITY`: `full` outlives a power cut, `normal` the end of the process, however it ends. `normal`.
    pub durability: Durability,
    /// `FLOW_STORE_TROUBLE`: whether runs `fail` when the store does, or `continue` without a record. `fail`.
    pub store_trouble: StoreTrouble,
    /// `FLOW_RESULT_LIMIT_BYTES`: the largest result and parameters that a durable run may have. 64 MiB.
    pub result_limit: usize,
    /// `FLOW_MAX_CRASHES`: after how many deaths of a process in its body a durable run is not tried again. 3.
    pub max_crashes: u32,
    /// `FLOW_LEASE_SECONDS`: how long a process on another machine may be silent before its runs count as crashed. 30.
    pub lease: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_depth: 250_000,
            max_threads: 512,
            hook_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(10),
            record_limit: 4096,
            log_line_limit: LOG_LINE_LIMIT,
            database_url: None,
            durability: Durability::Normal,
            store_trouble: StoreTrouble::Fail,
            result_limit: 64 << 20,
            max_crashes: 3,
            lease: Duration::from_secs(30),
        }
    }
}

const LOG_LINE_LIMIT: usize = 8192;

static SETTINGS: OnceLock<Settings> = OnceLock::new();

impl Settings {
    /// The defaults, with what the environment says on top. A value that can't be read is told and left out.
    #[must_use]
    pub fn from_env() -> Self {
        let mut settings = Self::default();
        read("FLOW_MAX_DEPTH", &mut settings.max_depth, |text| text.parse().ok());
        read("FLOW_MAX_THREADS", &mut settings.max_threads, |text| {
            text.parse().ok().filter(|threads| *threads > 0)
        });
        read("FLOW_HOOK_TIMEOUT_SECONDS", &mut settings.hook_timeout, parse_seconds);
        read("FLOW_SHUTDOWN_SECONDS", &mut settings.shutdown_timeout, parse_seconds);
        read("FLOW_RECORD_LIMIT_BYTES", &mut settings.record_limit, |text| {
            text.parse().ok()
        });
        read("FLOW_LOG_LINE_BYTES", &mut settings.log_line_limit, |text| {
            text.parse().ok()
        });
        read("FLOW_DATABASE_URL", &mut settings.database_url, |text| {
            Some((!text.is_empty()).then(|| text.to_owned()))
        });
        read("FLOW_DURABILITY", &mut settings.durability, |text| text.parse().ok());
        read("FLOW_STORE_TROUBLE", &mut settings.store_trouble, |text| {
            text.parse().ok()
        });
        read("FLOW_RESULT_LIMIT_BYTES", &mut settings.result_limit, |text| {
            text.parse().ok()
        });
        read("FLOW_MAX_CRASHES", &mut settings.max_crashes, |text| {
            text.parse().ok().filter(|crashes| *crashes > 0)
        });
        read("FLOW_LEASE_SECONDS", &mut settings.lease, |text| {
            parse_seconds(text).filter(|lease| *lease >= Duration::from_secs(1))
        });
        settings
    }

    /// Makes these the process's settings: a program does it before its first run.
    ///
    /// # Errors
    /// Gives them back if a run has already started, or settings were installed before: they are read once.
    ///
    /// ```
    /// use flowcore::prelude::*;
    ///
    /// #[flow]
    /// fn descend(levels: u32) -> flowcore::Result<()> {
    ///     if levels > 0 { descend(levels - 1) } else { Ok(()) }
    /// }
    ///
    /// let mut settings = flowcore::Settings::from_env();
    /// settings.max_depth = 10;
    /// settings.install().unwrap();
    /// assert!(descend(5).is_ok());
    /// assert_eq!(descend(50).unwrap_err().kind(), flowcore::ErrorKind::RecursionLimit);
    /// ```
    pub fn install(self) -> std::result::Result<(), Self> {
        SETTINGS.set(self)
    }
}

fn parse_seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then(|| crate::clock::seconds(seconds))
}

fn read<T>(variable: &str, value: &mut T, parse: impl FnOnce(&str) -> Option<T>) {
    let Ok(text) = std::env::var(variable) else {
        return;
    };
    match parse(text.trim()) {
        Some(parsed) => *value = parsed,
        None => tracing::warn!("{variable}={text} can't be read; the default is kept"),
    }
}

pub(crate) fn settings() -> &'static Settings {
    SETTINGS.get_or_init(Settings::from_env)
}

/// The setting of that name; the default until settings are read. Reading them may log, and a program may log before it installs its
/// own, so logging never causes them to be read.
pub(crate) fn log_line_limit() -> usize {
    SETTINGS
        .get()
        .map_or(LOG_LINE_LIMIT, |settings| settings.log_line_limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_checked() {
        assert_eq!(parse_seconds("1.5"), Some(Duration::from_millis(1500)));
        for bad in ["-1", "NaN", "inf", "soon"] {
            assert_eq!(parse_seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_unreadable_value_keeps_the_default() {
        let mut depth = 7_u32;
        read("FLOW_NO_SUCH_VARIABLE", &mut depth, |text| text.parse().ok());
        assert_eq!(depth, 7);
    }
}
