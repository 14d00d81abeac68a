//! The program that the process-kill harness kills: a durable flow that follows a plan, and tells a ledger what its bodies do.
//!
//! `kill_target start PLAN` starts it, `kill_target resume RUN` goes on with it.

mod broken;
mod diary;
mod flows;
mod tasks;

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, io};

use flowcore::RunId;
use flowcore::prelude::*;
use flowcore_tests::kills::{Look, Plan};

/// Anything outside of the durable flow that opens the store.
#[task]
fn hello() {}

/// The path that a variable of the environment holds.
fn path(variable: &str) -> PathBuf {
    env::var_os(variable).map(PathBuf::from).unwrap_or_default()
}

/// Writes down what the store has after this process has opened it, before it goes on with anything.
fn tell_reopened() -> flowcore::Result<()> {
    let look = Look::at(&path("KILL_STORE")).map_err(flowcore::Error::new)?;
    let json = serde_json::to_vec(&look).map_err(flowcore::Error::new)?;
    let (told, draft) = (path("KILL_REOPENED"), path("KILL_REOPENED").with_extension("draft"));
    fs::write(&draft, json)
        .and_then(|()| fs::rename(draft, told))
        .map_err(flowcore::Error::new)
}

fn start(plan: &str) -> flowcore::Result<()> {
    let plan = fs::read(plan).map_err(flowcore::Error::new)?;
    let plan: Plan = serde_json::from_slice(&plan).map_err(flowcore::Error::new)?;
    let outcome = match (plan.is_async, plan.is_strict) {
        (false, false) => flows::root(plan),
        (false, true) => flows::strict_root(plan),
        (true, false) => flows::root_async(plan).run(),
        (true, true) => flows::strict_root_async(plan).run(),
    };
    outcome.map(drop)
}

fn resume(run: &str) -> flowcore::Result<()> {
    let run: RunId = run.parse().map_err(flowcore::Error::new)?;
    flowcore::resume(run)?.result_json().map(drop)
}

fn main() -> flowcore::Result<()> {
    broken::install()?;
    hello()?;
    tell_reopened()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["start", plan] => start(plan)?,
        ["resume", run] => resume(run)?,
        _ => return Err(flowcore::Error::new(io::Error::other("start PLAN, or resume RUN"))),
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .map_err(flowcore::Error::new)?
        .block_on(flowcore::shutdown(Duration::from_secs(5)));
    Ok(())
}
