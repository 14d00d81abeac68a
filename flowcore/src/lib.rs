//! Prefect's programming model for Rust: see the README for a guide.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "cli")]
pub mod cli;
mod clock;
mod definition;
mod engine;
mod error;
pub mod logging;
mod options;
#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;
pub mod registry;
mod run;
mod runner;
mod settings;
mod state;

use __private as private;

pub use self::definition::Definition;
pub use self::engine::{
    AsCompleted, Call, IntoInput, Launched, RunContext, RunFuture, RunFutures, Settle, ShutdownReport, as_completed, context,
    handle_signals, shutdown, spawn, spawn_blocking,
};
pub use self::error::{Error, ErrorKind, Result};
pub use self::options::exponential_backoff;
pub use self::run::{RunId, RunKind};
pub use self::runner::{ConcurrentTaskRunner, Resume, SequentialTaskRunner, TaskJob, TaskRunner};
pub use self::settings::Settings;
pub use self::state::{State, StateType};
pub use flowmacros::{flow, task};

/// Watching every state of every run, while it happens.
pub mod observe {
    pub use crate::engine::observe::{LogRecord, Observation, Observer, observe};
}

/// What a program with flows and tasks needs.
pub mod prelude {
    pub use crate::{
        ConcurrentTaskRunner, RunContext, RunFuture, RunFutures, SequentialTaskRunner, State, StateType, TaskRunner, as_completed,
        exponential_backoff, flow, task,
    };
}

// The attributes name this crate as its users do.
extern crate self as flowcore;

/// The README's examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
