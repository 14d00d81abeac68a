//! A program with flows that is a command-line tool: the tests `cli_…` look at what it does and prints.

#![allow(dead_code, reason = "flows are run by their names")]

use std::process::ExitCode;

use flowcore::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A node of a tree.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Node {
    value: String,
    #[serde(default)]
    children: Vec<Node>,
}

/// Has no schema.
#[derive(Clone, Serialize, Deserialize)]
struct Plain {
    size: u8,
}

#[flow]
fn plain(of: Plain, percent: u8) -> u8 {
    of.size.saturating_add(percent)
}

/// Processes one node.
#[task(run_name = "node {value}")]
fn process_node(value: &str) -> Result<String, String> {
    tracing::info!("processing {value}");
    if value == "bad" {
        tracing::warn!("\u{1b}[31mbad");
        return Err("a bad \u{1b}[31mnode".to_owned());
    }
    Ok(format!("Processed node: {value}"))
}

/// Processes a tree, bottom up.
///
/// The children first.
#[flow(name = "process-tree", version = "2", tags = ["tree"])]
async fn process_tree(node: Node) -> flowcore::Result<Vec<String>> {
    // All of them, whatever becomes of one.
    let children = process_tree.map(node.children).settle().await;
    let mut results = Vec::new();
    for child in children {
        results.extend(child?);
    }
    results.push(process_node.submit(node.value).await?);
    Ok(results)
}

/// Greets somebody.
#[flow]
fn greet(name: String, times: Option<u32>) -> String {
    vec![format!("Hello, {name}!"); times.unwrap_or(1) as usize].join(" ")
}

/// Keeps its parameter out of the record.
#[flow(skip(password))]
fn log_in(password: String) -> usize {
    password.len()
}

struct Opaque;

/// Gives what can't be printed.
#[flow]
fn opaque() -> Opaque {
    Opaque
}

/// Stays until it is cancelled, and says when it is there.
#[flow]
async fn forever() {
    tracing::info!("here");
    std::future::pending::<()>().await
}

#[task]
fn half(n: u32) -> u32 {
    tracing::info!("half of {n}");
    n / 2
}

#[task]
fn fails_while_there(file: String) -> Result<(), String> {
    match std::path::Path::new(&file).exists() {
        true => Err(format!("{file} is in the way")),
        false => Ok(()),
    }
}

/// Fails as long as a file is there.
#[flow(durable)]
fn careful(file: String) -> flowcore::Result<u32> {
    let rows = half(84)?;
    fails_while_there(file)?;
    Ok(rows)
}

fn main() -> ExitCode {
    // A program may have a runtime of its own.
    if std::env::var_os("TOOL_ASYNC").is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        return match runtime {
            Ok(runtime) => runtime.block_on(async { flowcore::main() }),
            Err(_) => ExitCode::FAILURE,
        };
    }
    flowcore::main()
}
