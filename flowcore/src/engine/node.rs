//! A run as the engine holds it, whatever its output's type.

use std::sync::Arc;

use serde_json::Value;

use super::core::Core;
use crate::error::Result;

/// Any run.
pub(crate) type NodeRef = Arc<dyn Node>;

/// What differs between runs of different functions; all else is in [`Core`].
pub(crate) trait Node: Send + Sync + 'static {
    fn core(&self) -> &Core;

    fn core_mut(&mut self) -> &mut Core;

    /// Starts an attempt: hands a sync body to the thread pool, an async one to the runtime.
    fn enqueue(self: Arc<Self>);

    /// Begins an attempt on this very thread, if nobody has: runs a sync body, polls an async one as far as it goes.
    fn execute(self: Arc<Self>);

    /// Looks whether all inputs are there, and asks to be called again if not.
    fn poll_inputs(self: Arc<Self>);

    /// Drops inputs, parameters and output that nobody will use any more.
    fn discard(&self);

    /// The output as JSON.
    fn output_json(&self) -> Result<Value>;
}
