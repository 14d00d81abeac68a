//! `logs`: what a run has logged.

use std::thread;
use std::time::Duration;

use clap::Args;

use super::super::escaped::escaped;
use super::super::failure::{Exit, Outcome};
use super::super::json::{Ids, LogJson};
use super::super::shell::Shell;
use super::super::{pick, times};
use crate::client::{Client, Logs as Lines};
use crate::run::RunId;
use crate::store::LogRow;

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The log of a run, oldest line first.
#[derive(Args)]
pub(in crate::cli) struct Logs {
    /// The run.
    run: String,
    /// Go on with what it logs from now on, until it is over.
    #[arg(short, long)]
    follow: bool,
    /// Only lines of that weight or more: error, warn, info, debug, trace.
    #[arg(long, default_value = "trace", hide_default_value = true)]
    level: tracing::Level,
    /// Only the last lines.
    #[arg(short = 'n', long, value_name = "LINES")]
    tail: Option<usize>,
    /// Only what it has logged itself; else an outermost run's log has those of all runs below it.
    #[arg(long)]
    own: bool,
}

impl Logs {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let run = pick::one(shell, &self.run)?.id;
        let client = shell.client()?;
        let mut reader = Reader {
            command: &self,
            client: &client,
            run,
            ids: Ids::default(),
            last: None,
        };
        match self.tail {
            Some(tail) => reader.tail(shell, tail)?,
            None => reader.rest(shell)?,
        }
        if self.follow {
            reader.follow(shell)?;
        }
        Ok(Exit::Ok)
    }

    /// `2026-11-24 17:20:46.123 | INFO    | name - message`
    fn text(&self, shell: &Shell, line: &LogRow) -> String {
        let style = shell.style;
        let level = format!(
            "{:<7}",
            match line.level {
                tracing::Level::WARN => "WARNING",
                other => other.as_str(),
            }
        );
        let level = match line.level {
            tracing::Level::ERROR => style.bad(level),
            tracing::Level::WARN => style.odd(level),
            tracing::Level::INFO => level,
            _ => style.dim(level),
        };
        let at = style.dim(times::local_millis(line.at));
        let message = escaped(&line.message);
        if self.own {
            format!("{at} | {level} | {message}")
        } else {
            format!("{at} | {level} | {} - {message}", escaped(&line.run_name))
        }
    }
}

/// Where the command stands in a log.
struct Reader<'a> {
    command: &'a Logs,
    client: &'a Client,
    run: RunId,
    ids: Ids,
    /// The number of the last line that was printed, or passed over.
    last: Option<i64>,
}

impl<'a> Reader<'a> {
    fn lines(&self) -> Outcome<Lines<'a>> {
        let lines = self.client.logs(self.run)?.level(self.command.level);
        Ok(if self.command.own { lines } else { lines.below() })
    }

    /// Prints the last lines.
    fn tail(&mut self, shell: &mut Shell, tail: usize) -> Outcome<()> {
        let lines = self.lines()?.tail(tail)?;
        // Without any there is nothing to be beyond; what comes is new.
        self.last = match lines.last() {
            Some(line) => Some(line.number),
            None => self.lines()?.tail(1)?.last().map(|line| line.number),
        };
        self.print(shell, &lines)
    }

    /// Prints what comes after the last line.
    fn rest(&mut self, shell: &mut Shell) -> Outcome<()> {
        let lines = match self.last {
            Some(last) => self.lines()?.after(last),
            None => self.lines()?,
        };
        for page in lines.pages() {
            let page = page?;
            self.last = page.last().map(|line| line.number).or(self.last);
            self.print(shell, &page)?;
        }
        Ok(())
    }

    /// Prints what the run logs until it is over.
    fn follow(&mut self, shell: &mut Shell) -> Outcome<()> {
        loop {
            // Whether it is over is asked before its last lines are read: none is missed.
            let now = self.client.run(self.run)?;
            let is_over = now.is_none_or(|run| run.ended_at.is_some() || run.state.is_final());
            self.rest(shell)?;
            if is_over {
                return Ok(());
            }
            shell.flush()?;
            thread::sleep(LOOK_EVERY);
        }
    }

    fn print(&mut self, shell: &mut Shell, lines: &[LogRow]) -> Outcome<()> {
        for line in lines {
            if shell.json {
                shell.json_line(&LogJson::of(self.client, &mut self.ids, line)?)?;
            } else {
                let text = self.command.text(shell, line);
                shell.line(&text)?;
            }
        }
        Ok(())
    }
}
