//! Lines like Prefect's.

use std::fmt;

use jiff::ZonedDateTime;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::message;
use super::text::OneLine;
use crate::engine::context;
use crate::run::RunKind;
use crate::settings;

/// Formats events as [`init`](super::init) does, for a subscriber of one's own:
/// `12:34:56.789 | INFO    | Flow run 'crimson-fox' - message key=value`, in local time.
///
/// The further lines of a message are indented, control characters are escaped, so that no message can pass for another line.
/// A message is cut where the setting [`log_line_limit`](crate::Settings::log_line_limit) says.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let to_a_file = tracing_subscriber::fmt::layer()
///     .event_format(flowcore::logging::RunFormat::new())
///     .with_writer(std::io::sink);
/// tracing_subscriber::registry()
///     .with(to_a_file)
///     .with(flowcore::logging::RunLayer::new())
///     .init();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RunFormat {
    colours: bool,
}

impl RunFormat {
    /// The format, without colours.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to colour time and level with ANSI sequences.
    #[must_use]
    pub fn with_colours(self, colours: bool) -> Self {
        Self { colours }
    }
}

impl<S, N> FormatEvent<S, N> for RunFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let line = Line {
            time: ZonedDateTime::now().strftime("%H:%M:%S%.3f").to_string(),
            level: *metadata.level(),
            subject: subject(metadata.target()),
            text: message::of(event, settings::log_line_limit()),
        };
        line.write(&mut writer, self.colours)
    }
}

/// Who speaks: the current run, or the part of the program.
fn subject(target: &str) -> String {
    match context() {
        Some(run) => {
            let kind = match run.kind() {
                RunKind::Flow => "Flow",
                RunKind::Task => "Task",
            };
            format!("{kind} run '{}'", OneLine(&run.run_name()))
        }
        None if target.starts_with("flowcore::") => "flowcore".to_owned(),
        None => OneLine(target).to_string(),
    }
}

struct Line {
    time: String,
    level: Level,
    subject: String,
    text: String,
}

impl Line {
    fn write(&self, out: &mut impl fmt::Write, colours: bool) -> fmt::Result {
        let (name, colour) = match self.level {
            Level::ERROR => ("ERROR", "31"),
            Level::WARN => ("WARNING", "33"),
            Level::INFO => ("INFO", "32"),
            Level::DEBUG => ("DEBUG", "34"),
            Level::TRACE => ("TRACE", "35"),
        };
        let Self {
            time, subject, text, ..
        } = self;
        if colours {
            write!(
                out,
                "\x1b[2m{time}\x1b[0m | \x1b[{colour}m{name:<7}\x1b[0m | {subject} - "
            )?;
        } else {
            write!(out, "{time} | {name:<7} | {subject} - ")?;
        }
        let mut lines = text.split('\n');
        out.write_str(lines.next().unwrap_or_default())?;
        for line in lines {
            write!(out, "\n{:width$} | {:7} | {line}", "", "", width = time.len())?;
        }
        out.write_char('\n')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(level: Level, text: &str, colours: bool) -> String {
        let line = Line {
            time: "12:34:56.789".into(),
            level,
            subject: "Flow run 'crimson-fox'".into(),
            text: text.into(),
        };
        let mut out = String::new();
        line.write(&mut out, colours).unwrap();
        out
    }

    #[test]
    fn every_level_keeps_the_columns() {
        for (level, name) in [
            (Level::ERROR, "ERROR  "),
            (Level::WARN, "WARNING"),
            (Level::INFO, "INFO   "),
            (Level::DEBUG, "DEBUG  "),
            (Level::TRACE, "TRACE  "),
        ] {
            let line = format!("12:34:56.789 | {name} | Flow run 'crimson-fox' - hello\n");
            assert_eq!(written(level, "hello", false), line);
        }
    }

    #[test]
    fn colours_wrap_time_and_level_alone() {
        assert_eq!(
            written(Level::INFO, "hello", true),
            "\x1b[2m12:34:56.789\x1b[0m | \x1b[32mINFO   \x1b[0m | Flow run 'crimson-fox' - hello\n"
        );
    }

    #[test]
    fn further_lines_are_indented_so_that_none_passes_for_another() {
        assert_eq!(
            written(Level::INFO, "one\n12:34:56.790 | ERROR   | forged", false),
            "12:34:56.789 | INFO    | Flow run 'crimson-fox' - one\n             |         | 12:34:56.790 | ERROR   | forged\n"
        );
    }

    #[test]
    fn outside_of_runs_the_target_speaks() {
        assert_eq!(subject("my_program::part"), "my_program::part");
        assert_eq!(subject("flowcore::engine::pool"), "flowcore");
        assert_eq!(subject("flowcore_like"), "flowcore_like");
    }
}
