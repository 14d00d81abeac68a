//! Prefect's programming model for Rust, as a library: one binary, plain functions, no server.
//!
//! [`#[flow]`](macro@flow) and [`#[task]`](macro@task) turn functions into run objects. Each call of one is a *run*, with a name, states,
//! retries, a timeout, a log, and a place in a tree of runs.
//!
//! ```
//! use flowcore::prelude::*;
//!
//! struct Node { value: &'static str, children: Vec<Node> }
//!
//! #[task(retries = 3, retry_delay_seconds = 10)]
//! fn process_node(value: &str) -> String {
//!     format!("Processed node: {value}")
//! }
//!
//! #[flow(name = "process-tree")]
//! async fn process_tree(node: Node) -> flowcore::Result<Vec<String>> {
//!     let children = process_tree.map(node.children); // one subflow run per child, in parallel
//!     let mut results: Vec<String> = children.await?.into_iter().flatten().collect();
//!     results.push(process_node.submit(node.value).await?); // the node after its children
//!     Ok(results)
//! }
//!
//! let tree = Node { value: "root", children: vec![Node { value: "A", children: vec![] }] };
//! let results = process_tree(tree).run().unwrap(); // `.await?` in an async function
//! assert_eq!(results, ["Processed node: A", "Processed node: root"]);
//! ```
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | starting runs | [`Call`] (`f(x)` of an async function, `f.bind(x)`), `f.submit(x)`, `f.map(items)` |
//! | their results | [`RunFuture`], [`RunFutures`], [`as_completed`], [`Error`] |
//! | results as inputs | [`IntoInput`], [`Call::wait_for`] |
//! | how many tasks run at once | [`ConcurrentTaskRunner`], [`SequentialTaskRunner`](struct@SequentialTaskRunner), [`TaskRunner`] |
//! | what a body can learn of its run | [`context`], [`RunContext`] |
//! | taking the run along where a body spawns | [`spawn`], [`spawn_blocking`] |
//! | what became of a run | [`State`], [`StateType`] |
//! | logs | [`logging`] |
//! | watching all runs | [`mod@observe`] |
//! | where runs are kept, reading the record | [`store`], [`Client`] |
//! | going on after a crash | [`resume`] |
//! | a program as a command line | [`main`] |
//! | running flows by name, from JSON | [`registry`], [`Definition::submit_json`] |
//! | a program as a command-line tool | [`main`](fn@main), [`cli`] |
//! | what became of all runs, of other processes too | [`Client`], [`store`] |
//! | the end of the process | [`shutdown`], [`handle_signals`] |
//! | settings | [`Settings`] |
//!
//! The [README](https://docs.rs/crate/flowcore/latest) is a guide with an example for each of these, and tells the limits and pitfalls.
//!
//! # Promises
//!
//! - Nested waits never deadlock, at any `max_workers`: a run that waits for a child gives its slot back.
//! - Recursion costs heap, not stack, and ends with [`ErrorKind::RecursionLimit`] at the setting `max_depth`.
//! - A panic in a body is a failed run; the process lives on (unless it is built with `panic = "abort"`).
//! - `retries = n` means n + 1 bodies at most.
//! - What is recorded of a durable flow is not run again; an outermost run's result is told when all of its record is committed.
//! - Cancelling a run cancels everything below it.
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `sqlite` (default) | the store in an SQLite file; without it runs are kept in memory |
//! | `cli` (default) | [`main`]: the command line, and views of runs on a terminal |
//! | `schemars` | JSON schemas of parameters, for checks before a run |
//! | `failpoints` | places where a test can kill the process |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;
#[cfg(feature = "cli")]
pub mod cli;
pub mod client;
mod clock;
mod definition;
mod engine;
mod error;
mod failpoint;
pub mod logging;
mod options;
pub mod registry;
mod run;
mod runner;
mod schema;
mod settings;
mod state;
pub mod store;

use __private as private;
pub(crate) use failpoint::failpoint;

#[cfg(feature = "cli")]
pub use self::cli::main;
pub use self::client::Client;
pub use self::definition::Definition;
pub use self::engine::{
    AsCompleted, Call, IntoInput, Launched, RunContext, RunFuture, RunFutures, Settle, ShutdownReport, as_completed,
    context, handle_signals, handle_signals_then, resume, shutdown, spawn, spawn_blocking,
};
pub use self::error::{Error, ErrorKind, Result};
pub use self::options::exponential_backoff;
pub use self::run::{RunId, RunKind};
pub use self::runner::{ConcurrentTaskRunner, Resume, SequentialTaskRunner, TaskJob, TaskRunner};
pub use self::settings::Settings;
pub use self::state::{State, StateType};
pub use flowmacros::{flow, task};

/// Watching every state of every run, and every line of its log, while it happens.
pub mod observe {
    pub use crate::engine::observe::{LogRecord, Observation, Observer, observe};
}

/// What a program with flows and tasks needs.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[task]
/// fn answer() -> u32 { 42 }
/// assert_eq!(answer().unwrap(), 42);
/// ```
pub mod prelude {
    pub use crate::{
        ConcurrentTaskRunner, RunContext, RunFuture, RunFutures, SequentialTaskRunner, State, StateType, TaskRunner,
        as_completed, exponential_backoff, flow, task,
    };
}

// The attributes name this crate as its users do.
extern crate self as flowcore;

/// The README's examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
