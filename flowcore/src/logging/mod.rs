//! Logs that say which run they belong to.
//!
//! Flows and tasks log with [`tracing`]'s macros, as all other code does. The library installs no subscriber by itself. A program
//! calls [`init`] for lines like Prefect's on its standard error:
//!
//! ```text
//! 12:34:56.789 | INFO    | Flow run 'crimson-fox' - Beginning flow run of 'process-tree'
//! 12:34:56.790 | INFO    | Task run 'process_node-3f2' - processing
//! 12:34:56.791 | WARNING | my_program - outside of any run
//! ```
//!
//! or adds the parts to a subscriber of its own: [`RunFormat`] writes these lines wherever it likes, and [`RunLayer`] hands the events of
//! runs to [observers](crate::observe::Observer::on_log).
//!
//! An event belongs to the run that is current where it happens: in the body, across awaits, in what the body calls, and in what it
//! starts with [`flowcore::spawn`](crate::spawn) or [`spawn_blocking`](crate::spawn_blocking). Threads and `tokio::spawn`ed tasks of the
//! body's own have no current run. What the engine itself says has the target `flowcore::run`.
//!
//! ```
//! use flowcore::prelude::*;
//!
//! #[task]
//! fn process_node(value: &str) -> String {
//!     tracing::info!(value, "processing");
//!     format!("Processed node: {value}")
//! }
//!
//! fn main() -> flowcore::Result<()> {
//!     flowcore::logging::init()?;
//!     process_node("root")?;
//!     Ok(())
//! }
//! ```

mod format;
mod init;
mod layer;
mod message;
mod text;

pub use self::format::RunFormat;
pub use self::init::init;
pub use self::layer::RunLayer;
