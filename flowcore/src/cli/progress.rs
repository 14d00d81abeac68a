//! What runs do, live.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::counts::{Counts, Rate};
use super::units;
use crate::observe::{Observation, observe};

const REDRAW_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how many runs of this process are in which state, and how many end per second, while they do.
///
/// On a terminal it is one line that moves; elsewhere, in a log file or a pipe, a plain line every five seconds. Both go to standard
/// error, and both end with a line for the whole.
///
/// ```
/// use flowcore::cli::Progress;
/// use flowcore::prelude::*;
///
/// #[task]
/// fn square(x: u64) -> u64 { x * x }
///
/// let progress = Progress::start();
/// square.map(0..1000).result().unwrap();
/// progress.finish(); // 0.0s: 1,000 completed (250,000/s)
/// ```
#[must_use = "it ends when this is dropped"]
pub struct Progress {
    bar: Option<ProgressBar>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    watched: Option<Observation>,
}

impl Progress {
    /// Starts to watch, and to show it on standard error.
    pub fn start() -> Self {
        if is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(style());
            Self::show(Screen::Live(bar.clone()), Some(bar))
        } else {
            Self::plain(io::stderr(), LINE_EVERY)
        }
    }

    /// Starts to watch, and to write a plain line to `out` each time that `every` has gone by, and at the end.
    ///
    /// ```
    /// use std::time::Duration;
    /// use flowcore::cli::Progress;
    ///
    /// let progress = Progress::plain(std::io::stdout(), Duration::from_secs(60));
    /// progress.finish();
    /// ```
    pub fn plain(out: impl Write + Send + 'static, every: Duration) -> Self {
        Self::show(Screen::Plain(Box::new(out), every.max(Duration::from_millis(1))), None)
    }

    fn show(screen: Screen, bar: Option<ProgressBar>) -> Self {
        let counts = Arc::new(Counts::default());
        let watched = observe(counts.clone());
        let (stop, stopped) = mpsc::channel();
        let drawing = move || draw(screen, &counts, &stopped);
        // Without a thread there is no progress to see, but the runs go on.
        let thread = thread::Builder::new()
            .name("flowcore-progress".to_owned())
            .spawn(drawing)
            .ok();
        Self {
            bar,
            stop: Some(stop),
            thread,
            watched: Some(watched),
        }
    }

    /// Prints a line to standard error above the moving one.
    pub fn println(&self, line: impl AsRef<str>) {
        let print = || {
            // Nobody reads it any more: nothing to tell, and nobody to tell it.
            let _ = writeln!(io::stderr(), "{}", line.as_ref());
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Stops to watch, and writes the last line. Dropping does the same.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.watched = None;
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress")
            .field("live", &self.bar.is_some())
            .finish_non_exhaustive()
    }
}

/// Whether standard error can show a line that moves.
fn is_terminal() -> bool {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    console::Term::stderr().is_term() && !is_dumb
}

fn style() -> ProgressStyle {
    // The template is fixed; were it wrong, the bar would show in indicatif's own style.
    ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

enum Screen {
    Live(ProgressBar),
    Plain(Box<dyn Write + Send>, Duration),
}

impl Screen {
    fn every(&self) -> Duration {
        match self {
            Self::Live(_) => REDRAW_EVERY,
            Self::Plain(_, every) => *every,
        }
    }

    fn show(&mut self, line: String, is_last: bool) {
        match self {
            Self::Live(bar) if is_last => {
                bar.finish_and_clear();
                let _ = writeln!(io::stderr(), "{line}");
            }
            Self::Live(bar) => {
                bar.set_message(line);
                bar.tick();
            }
            // A reader that is gone doesn't stop the runs.
            Self::Plain(out, _) => {
                let _ = writeln!(out, "{line}").and_then(|()| out.flush());
            }
        }
    }
}

fn draw(mut screen: Screen, counts: &Counts, stopped: &mpsc::Receiver<()>) {
    let start = Instant::now();
    let mut rate = Rate::new();
    while stopped.recv_timeout(screen.every()) == Err(RecvTimeoutError::Timeout) {
        let elapsed = start.elapsed();
        let rate = rate.at(elapsed, counts.over());
        screen.show(line(elapsed, &counts.text(), rate), false);
    }
    // The last line's rate is that of the whole.
    let elapsed = start.elapsed();
    let rate = counts.over() as f64 / elapsed.as_secs_f64().max(1e-6);
    screen.show(line(elapsed, &counts.text(), rate), true);
}

/// `1.2s: 12,345 completed, 4 running (1,024/s)`
fn line(elapsed: Duration, counts: &str, rate: f64) -> String {
    let elapsed = units::duration(i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX));
    format!("{elapsed}: {counts} ({}/s)", units::count(rate as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands over what is written.
    struct Lines(mpsc::Sender<String>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.0.send(text).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn plain_lines_come_now_and_then_and_at_the_end() {
        let (lines, written) = mpsc::channel();
        let progress = Progress::plain(Lines(lines), Duration::from_millis(1));
        for _ in 0..2 {
            written.recv().unwrap();
        }
        progress.finish();
        let text: String = written.iter().collect();
        assert!(text.ends_with("/s)\n"), "{text}");
    }

    #[test]
    fn the_last_line_comes_at_once_even_if_the_next_was_far_away() {
        let (lines, written) = mpsc::channel();
        Progress::plain(Lines(lines), Duration::from_secs(86_400)).finish();
        let text: String = written.iter().collect();
        assert_eq!(text.lines().count(), 1, "{text}");
    }

    #[test]
    fn a_reader_that_is_gone_stops_nothing() {
        let (lines, written) = mpsc::channel();
        drop(written);
        Progress::plain(Lines(lines), Duration::from_millis(1)).finish();
    }

    #[test]
    fn a_line_tells_time_states_and_rate() {
        let line = line(Duration::from_millis(12_340), "3 failed, 4 running", 1024.7);
        assert_eq!(line, "12.3s: 3 failed, 4 running (1,024/s)");
    }
}
