//! A durable flow whose process kills itself half-way, and goes on where it was in the next one.
//!
//! ```text
//! cargo run --example resume_after_crash
//! ```
//!
//! The program starts itself twice: the first child dies without a word in the middle of the flow, the second one resumes its run. A ledger
//! outside of the store counts the bodies that were really called.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output};
use std::{env, io};

use flowcore::RunId;
use flowcore::prelude::*;

const ORDERS: u32 = 6;
const DIES_AT: u32 = 4;

#[task]
fn charge(order: u32) -> io::Result<u32> {
    note(&format!("charge {order}"))?;
    Ok(order * 100)
}

#[task]
fn send(order: u32, amount: u32) -> io::Result<String> {
    note(&format!("send {order}"))?;
    if order == DIES_AT && env::var_os("DIE").is_some() {
        // As by a power cut, or the kernel when memory runs out: nothing is said, nothing is cleaned up.
        process::abort();
    }
    Ok(format!("order {order} sent for {amount}"))
}

#[flow(durable)]
fn nightly(orders: u32) -> flowcore::Result<Vec<String>> {
    (1..=orders).map(|order| send(order, charge(order)?)).collect()
}

/// A line in the ledger, which flowcore knows nothing of.
fn note(line: &str) -> io::Result<()> {
    let ledger = env::var_os("LEDGER").map(PathBuf::from).unwrap_or_default();
    writeln!(OpenOptions::new().create(true).append(true).open(ledger)?, "{line}")
}

fn first_child() -> flowcore::Result<()> {
    let run = nightly.submit(ORDERS);
    println!("{}", run.run_id());
    run.result().map(drop)
}

fn second_child(run: &str) -> flowcore::Result<()> {
    let run: RunId = run.parse().map_err(flowcore::Error::new)?;
    println!("{:#}", flowcore::resume(run)?.result_json()?);
    Ok(())
}

fn child(folder: &Path, arguments: &[&str], dies: bool) -> io::Result<Output> {
    let mut child = Command::new(env::current_exe()?);
    child.args(arguments).env("LEDGER", folder.join("ledger"));
    child.env("FLOW_DATABASE_URL", folder.join("flow.db"));
    if dies {
        child.env("DIE", "1");
    }
    child.output()
}

fn demonstrate(folder: &Path) -> io::Result<()> {
    let ledger = || fs::read_to_string(folder.join("ledger"));
    let first = child(folder, &["first"], true)?;
    let run = String::from_utf8_lossy(&first.stdout).trim().to_owned();
    println!("A process began run {run}, and died: {}. It had called:", first.status);
    let before = ledger()?;
    print!("{before}");

    let second = child(folder, &["second", &run], false)?;
    println!("Another process resumed the run. It called:");
    print!("{}", ledger()?.strip_prefix(&before).unwrap_or_default());
    println!("All calls that had completed were answered from the record. The run returned:");
    print!("{}", String::from_utf8_lossy(&second.stdout));
    eprint!("{}", String::from_utf8_lossy(&second.stderr));
    Ok(())
}

fn main() -> flowcore::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["first"] => first_child(),
        ["second", run] => second_child(run),
        _ => {
            let folder = env::temp_dir().join(format!("resume_after_crash-{}", process::id()));
            fs::create_dir_all(&folder).map_err(flowcore::Error::new)?;
            let shown = demonstrate(&folder);
            fs::remove_dir_all(&folder).map_err(flowcore::Error::new)?;
            shown.map_err(flowcore::Error::new)
        }
    }
}
