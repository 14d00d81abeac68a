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
        let run = pick::one(shell, &self.run)?;
        let client = shell.client()?;
        let mut ids = Ids::default();
        let mut last = None;
        if let Some(tail) = self.tail {
            let lines = self.lines(&client, run.id)?.tail(tail)?;
            // Without any there is nothing to be beyond; what comes is new.
            last = match lines.last() {
                Some(line) => Some(line.number),
                None => self.lines(&client, run.id)?.tail(1)?.last().map(|line| line.number),
            };
            self.print(shell, &client, &mut ids, &lines)?;
        } else {
            self.rest(shell, &client, run.id, &mut ids, &mut last)?;
        }
        if self.follow {
            self.to_the_end(shell, &client, run.id, &mut ids, &mut last)?;
        }
        Ok(Exit::Ok)
    }

    /// Prints what it logs until it is over.
    fn to_the_end(
        &self,
        shell: &mut Shell,
        client: &Client,
        run: RunId,
        ids: &mut Ids,
        last: &mut Option<i64>,
    ) -> Outcome<()> {
        loop {
            // Whether it is over is asked before its last lines are read: none is missed.
            let now = client.run(run)?;
            let is_over = now.is_none_or(|run| run.ended_at.is_some() || run.state.is_final());
            self.rest(shell, client, run, ids, last)?;
            if is_over {
                return Ok(());
            }
            shell.flush()?;
            thread::sleep(LOOK_EVERY);
        }
    }

    fn lines<'c>(&self, client: &'c Client, run: RunId) -> Outcome<Lines<'c>> {
        let lines = client.logs(run)?.level(self.level);
        Ok(if self.own { lines } else { lines.below() })
    }

    /// Prints what comes after the last line.
    fn rest(
        &self,
        shell: &mut Shell,
        client: &Client,
        run: RunId,
        ids: &mut Ids,
        last: &mut Option<i64>,
    ) -> Outcome<()> {
        let lines = self.lines(client, run)?;
        let lines = match *last {
            Some(last) => lines.after(last),
            None => lines,
        };
        for page in lines.pages() {
            let page = page?;
            *last = page.last().map(|line| line.number).or(*last);
            self.print(shell, client, ids, &page)?;
        }
        Ok(())
    }

    fn print(&self, shell: &mut Shell, client: &Client, ids: &mut Ids, lines: &[LogRow]) -> Outcome<()> {
        for line in lines {
            match shell.json {
                true => shell.json_line(&LogJson::of(client, ids, line)?)?,
                false => {
                    let text = self.text(shell, line);
                    shell.line(&text)?;
                }
            }
        }
        Ok(())
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
        match !self.own {
            true => format!("{at} | {level} | {} - {message}", escaped(&line.run_name)),
            false => format!("{at} | {level} | {message}"),
        }
    }
}
