//! What a call sets for itself, over its definition's options.

use std::time::Duration;

use parking_lot::Mutex;

use super::node::NodeRef;
use crate::options::RetryDelay;

/// The settings of one [`Call`](super::Call).
#[derive(Default)]
pub(crate) struct Custom {
    pub(crate) name: Option<String>,
    pub(crate) retries: Option<u32>,
    pub(crate) retry_delay: Option<RetryDelay>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) tags: Vec<String>,
    pub(crate) key: Option<String>,
    /// The runs to wait for, with the keys of the listeners.
    pub(crate) wait_for: Mutex<Vec<(NodeRef, Option<u32>)>>,
}
