//! What a body tells the ledger, and where that kills the process.

use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, io, process};

use flowcore::{RunContext, RunKind};
use flowcore_tests::kills::{Ledger, Line, Value, What};

use super::path;

/// A body, as the ledger sees it.
pub(super) struct Body {
    context: RunContext,
    label: String,
}

fn lost(why: &str) -> flowcore::Error {
    flowcore::Error::new(io::Error::other(why.to_owned()))
}

impl Body {
    /// A body has begun.
    pub(super) fn begin(label: &str) -> flowcore::Result<Self> {
        let context = flowcore::context().ok_or_else(|| lost("a body outside of a run"))?;
        let body = Self {
            context,
            label: label.to_owned(),
        };
        body.note(What::Start, String::new())?;
        Ok(body)
    }

    /// Whether it is to fail, as it has not done so often enough.
    pub(super) fn fails(&self, failures: u32) -> flowcore::Result<bool> {
        if failures == 0 {
            return Ok(false);
        }
        let run = self.run();
        let lines = Ledger::read(&path("KILL_LEDGER")).map_err(flowcore::Error::new)?;
        let failed = lines
            .iter()
            .filter(|line| line.what == What::Fail && line.run == run)
            .count();
        let fails = (failed as u64) < u64::from(failures);
        if fails {
            self.note(What::Fail, String::new())?;
        }
        Ok(fails)
    }

    /// What it returns, made from `inputs`.
    pub(super) fn value<'a>(&self, inputs: impl IntoIterator<Item = &'a Value>) -> Value {
        Value {
            run: self.run(),
            label: self.label.clone(),
            nonce: fastrand::u64(..),
            inputs: inputs
                .into_iter()
                .map(|value| (value.label.clone(), value.nonce))
                .collect(),
        }
    }

    /// It returns `value` now.
    pub(super) fn end(&self, value: &impl serde::Serialize) -> flowcore::Result<()> {
        self.note(What::End, json(value)?)
    }

    fn run(&self) -> String {
        self.context.run_id().to_string().replace('-', "")
    }

    fn note(&self, what: What, value: String) -> flowcore::Result<()> {
        note(&Line {
            what,
            pid: process::id(),
            is_flow: self.context.kind() == RunKind::Flow,
            run: self.run(),
            label: self.label.clone(),
            token: self.context.idempotency_key(),
            value,
        })
    }
}

/// A flow has got a result.
pub(super) fn acked(value: &Value, whole: &impl serde::Serialize, is_flow: bool) -> flowcore::Result<()> {
    note(&Line {
        what: What::Acked,
        pid: process::id(),
        is_flow,
        run: value.run.clone(),
        label: value.label.clone(),
        token: String::new(),
        value: json(whole)?,
    })
}

fn json(value: &impl serde::Serialize) -> flowcore::Result<String> {
    serde_json::to_string(value).map_err(flowcore::Error::new)
}

/// Adds the line; `KILL_AT=end:3` has the process die when it has added the fourth of that sort.
fn note(line: &Line) -> flowcore::Result<()> {
    static PASSED: AtomicU32 = AtomicU32::new(0);
    Ledger::open(&path("KILL_LEDGER"))
        .and_then(|ledger| ledger.add(line))
        .map_err(flowcore::Error::new)?;
    let Ok(kill) = env::var("KILL_AT") else { return Ok(()) };
    if let Some((what, passes)) = kill.split_once(':')
        && what == line.what.name()
        && passes.parse() == Ok(PASSED.fetch_add(1, Ordering::SeqCst))
    {
        process::abort();
    }
    Ok(())
}
