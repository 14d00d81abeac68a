//! A gate that threads and futures wait at until it is opened.

use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::LIMIT;

/// Closed until opened, then open for good. Clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: bool,
    waiting: usize,
    wakers: Vec<Waker>,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets all pass.
    pub fn open(&self) {
        let mut state = self.lock();
        state.open = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.0.opened.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.lock().open
    }

    /// Blocks the thread until the gate is open.
    ///
    /// # Panics
    /// If it isn't opened within [`LIMIT`].
    pub fn pass(&self) {
        let state = self.lock();
        let shut = |state: &mut State| !state.open;
        let waited = self.0.opened.wait_timeout_while(state, LIMIT, shut);
        let (_state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "nobody opened the gate");
    }

    /// Waits until the gate is open.
    pub async fn passed(&self) {
        self.lock().waiting += 1;
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.open {
                return Poll::Ready(());
            }
            state.wakers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
