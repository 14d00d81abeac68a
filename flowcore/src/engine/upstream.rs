//! Runs that wait for others before they start.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::core::{ERROR, RESULT};
use super::node::NodeRef;
use crate::error::Result;

/// Has the run look at its inputs again.
pub(crate) fn waker(node: NodeRef) -> Waker {
    Waker::from(Arc::new(InputWaker(node)))
}

struct InputWaker(NodeRef);

thread_local! {
    static WOKEN: RefCell<VecDeque<NodeRef>> = const { RefCell::new(VecDeque::new()) };
    static WAKING: Cell<bool> = const { Cell::new(false) };
}

impl Wake for InputWaker {
    /// One after the other: a long line of runs may end because the first of them failed.
    fn wake(self: Arc<Self>) {
        WOKEN.with_borrow_mut(|woken| woken.push_back(self.0.clone()));
        if !WAKING.replace(true) {
            let _done = Done;
            while let Some(node) = WOKEN.with_borrow_mut(VecDeque::pop_front) {
                node.poll_inputs();
            }
        }
    }
}

/// Whatever happens, the next wake works its line off again.
struct Done;

impl Drop for Done {
    fn drop(&mut self) {
        WAKING.set(false);
    }
}

/// Waits for all of `runs`, dropping those that are through.
pub(crate) fn poll_all(runs: &mut Vec<(NodeRef, Option<u32>)>, cx: &mut Context<'_>) -> Poll<Result<()>> {
    let mut failed = None;
    runs.retain_mut(|(node, key)| {
        let core = node.core();
        let through = core.listen(RESULT, key, cx.waker());
        if through && core.is_told(ERROR) {
            failed = failed.take().or_else(|| core.lock().error.clone());
        }
        !through
    });
    match (failed, runs.is_empty()) {
        (Some(error), _) => Poll::Ready(Err(error)),
        (None, true) => Poll::Ready(Ok(())),
        (None, false) => Poll::Pending,
    }
}
