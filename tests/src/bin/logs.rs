//! A program that logs: the test `logging` looks at what it prints.

use std::fmt;
use std::process::ExitCode;

use flowcore::prelude::*;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

#[task(run_name = "node-{value}")]
fn process_node(value: &str) -> Result<usize, fmt::Error> {
    tracing::debug!("looking");
    tracing::info!(value, "processing");
    if value == "bad" {
        Err(fmt::Error)
    } else {
        Ok(value.len())
    }
}

#[flow]
async fn process_tree() -> usize {
    tracing::warn!("one\ntwo\u{1b}[31m");
    let done = process_node.submit("A1").await;
    tracing::info!("awaited");
    let failed = process_node.submit("bad").await;
    usize::from(done.is_ok()) + usize::from(failed.is_err())
}

/// A subscriber of the program's own.
struct Own;

impl Subscriber for Own {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn run() -> flowcore::Result<()> {
    let tree = process_tree().name("crimson-fox\n");
    assert_eq!(tree.run()?, 2);
    Ok(())
}

fn lines() -> flowcore::Result<()> {
    flowcore::logging::init()?;
    flowcore::logging::init()?;
    tracing::info!(answer = 42, "outside");
    run()
}

fn none() -> flowcore::Result<()> {
    run()?;
    tracing::subscriber::set_global_default(Own).map_err(flowcore::Error::new)
}

fn taken() -> flowcore::Result<()> {
    tracing::subscriber::set_global_default(Own).map_err(flowcore::Error::new)?;
    flowcore::logging::init()
}

fn main() -> ExitCode {
    let ended = match std::env::args().nth(1).as_deref() {
        Some("lines") => lines(),
        Some("none") => none(),
        Some("taken") => taken(),
        other => Err(flowcore::Error::msg(format!("{other:?} is not known"))),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
