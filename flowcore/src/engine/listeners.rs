//! The ones who wait for a run.

use std::sync::atomic::Ordering;
use std::task::Waker;

use smallvec::SmallVec;

use super::core::{Core, ERROR, Inner, VALUE};

pub(crate) struct Listener {
    key: u32,
    only_error: bool,
    waker: Waker,
}

impl Core {
    pub(crate) fn told(&self) -> u8 {
        self.told.load(Ordering::Acquire)
    }

    /// Whether the only attempt has taken the parameters and has left nothing but its output.
    pub(crate) fn is_spent(&self) -> bool {
        self.is_told(VALUE) && self.retries() == 0
    }

    pub(crate) fn is_told(&self, mask: u8) -> bool {
        self.told() & mask != 0
    }

    /// Tells what is in `mask`; call with the lock held, wake what it returns without.
    pub(crate) fn tell(&self, inner: &mut Inner, mask: u8) -> Wakeup {
        let told = self.told.fetch_or(mask, Ordering::AcqRel) | mask;
        let failed = told & ERROR != 0;
        if failed || inner.listeners.iter().all(|listener| !listener.only_error) {
            return Wakeup(std::mem::take(&mut inner.listeners));
        }
        let (wait, wake) = inner.listeners.drain(..).partition(|listener| listener.only_error);
        inner.listeners = wait;
        Wakeup(wake)
    }

    /// Asks to be woken when something of `mask` is told; true if it has been already.
    pub(crate) fn listen(&self, mask: u8, key: &mut Option<u32>, waker: &Waker) -> bool {
        if self.is_told(mask) {
            return true;
        }
        let mut inner = self.lock();
        if self.is_told(mask) {
            return true;
        }
        let only_error = mask == ERROR;
        if only_error && self.is_told(VALUE) {
            return false;
        }
        if let Some(key) = *key
            && let Some(known) = inner.listeners.iter_mut().find(|listener| listener.key == key)
        {
            // Who waited for an error alone may now wait for any result.
            known.only_error &= only_error;
            if !known.waker.will_wake(waker) {
                known.waker = waker.clone();
            }
            return false;
        }
        let fresh = self.listener_keys.fetch_add(1, Ordering::Relaxed);
        *key = Some(fresh);
        inner.listeners.push(Listener {
            key: fresh,
            only_error,
            waker: waker.clone(),
        });
        false
    }

    /// Whether `waker` is among those who wait for the run.
    pub(crate) fn is_listened_to_by(&self, waker: &Waker) -> bool {
        let inner = self.lock();
        inner.listeners.iter().any(|listener| listener.waker.will_wake(waker))
    }

    pub(crate) fn stop_listening(&self, key: u32) {
        let mut inner = self.lock();
        if let Some(at) = inner.listeners.iter().position(|listener| listener.key == key) {
            let listener = inner.listeners.swap_remove(at);
            drop(inner);
            drop(listener);
        }
    }
}

/// Wakers to call once the lock is released.
#[must_use]
pub(crate) struct Wakeup(SmallVec<[Listener; 1]>);

impl Wakeup {
    pub(crate) fn wake(self) {
        for listener in self.0 {
            listener.waker.wake();
        }
    }
}
