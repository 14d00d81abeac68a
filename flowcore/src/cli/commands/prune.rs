//! `prune`: runs that ended long ago.

use clap::Args;
use serde_json::json;

use super::super::failure::{Exit, Outcome};
use super::super::shell::Shell;
use super::super::{times, units};
use crate::client::{Client, When};
use crate::run::RunId;
use crate::state::StateType;

/// Deletes root runs that ended before a time, each with everything below it.
#[derive(Args)]
pub(in crate::cli) struct Prune {
    /// Ended before that time: 30d, 12h, 2026-11-24.
    #[arg(long, value_name = "TIME")]
    older_than: When,
    /// Only count them.
    #[arg(long)]
    dry_run: bool,
}

impl Prune {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let client = shell.client()?;
        // One moment for all that follows, whatever time it takes.
        let before = self.older_than.unix_nanos();
        let at = jiff::Timestamp::from_nanosecond(i128::from(before)).unwrap_or_default();
        let gone = match self.dry_run {
            true => count(&client, before)?,
            false => client.prune(at)?,
        };
        if shell.json {
            shell.json_line(&json!({"before": times::utc(before), "dry_run": self.dry_run, "deleted": gone}))?;
            return Ok(Exit::Ok);
        }
        let verb = if self.dry_run { "would delete" } else { "deleted" };
        let plural = if gone == 1 { "" } else { "s" };
        let count = units::count(gone);
        shell.line(&format!(
            "{verb} {count} run{plural} that ended before {}",
            times::local(before)
        ))?;
        Ok(Exit::Ok)
    }
}

/// How many runs would be gone.
fn count(client: &Client, before: i64) -> Outcome<u64> {
    let mut gone = 0;
    let at = jiff::Timestamp::from_nanosecond(i128::from(before)).unwrap_or_default();
    for run in client.runs().roots().until(at).oldest_first().iter() {
        let run = run?;
        if run.ended_at.is_some_and(|ended| ended < before) {
            gone += closed(client, run.id)?.unwrap_or(0);
        }
    }
    Ok(gone)
}

/// How many runs the tree has; `None` while one of them is open.
fn closed(client: &Client, root: RunId) -> Outcome<Option<u64>> {
    let mut all = 0;
    for count in client.counts(root)? {
        // What is Pending in a tree that has ended is NotReady: nothing follows.
        if !count.state.is_terminal() && count.state != StateType::Pending {
            return Ok(None);
        }
        all += count.count;
    }
    Ok(Some(all))
}
