//! One thread of the pool.

use std::cell::Cell;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;
use std::{hint, thread};

use super::{POOL, Pool};
use crate::engine::node::NodeRef;
use crate::engine::panic::guarded;

/// How long a thread without work stays.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How often a thread looks in vain before it sleeps.
const LOOKS: u32 = 64;

thread_local! {
    static WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Whether the current thread is one of the pool's.
pub(crate) fn is_worker() -> bool {
    WORKER.try_with(Cell::get).unwrap_or_default()
}

pub(super) fn work() {
    WORKER.set(true);
    let pool = &*POOL;
    let mut searching = true;
    loop {
        if let Some(node) = look(pool, &mut searching) {
            if searching {
                searching = false;
                pool.searching.fetch_sub(1, Ordering::SeqCst);
                if !pool.queue.is_empty() {
                    pool.call_one();
                }
            }
            pool.begun.fetch_add(1, Ordering::Relaxed);
            // Its own code is guarded; whatever else panics must not cost the pool a thread.
            let _ = guarded(|| node.execute());
            continue;
        }
        match sleep(pool) {
            Slept::Called => searching = true,
            Slept::LongEnough => return,
        }
    }
}

/// Looks for a run, for a while as a searcher.
fn look(pool: &Pool, searching: &mut bool) -> Option<NodeRef> {
    if let Some(node) = pool.take() {
        return Some(node);
    }
    if !*searching {
        *searching = true;
        pool.searching.fetch_add(1, Ordering::SeqCst);
    }
    for look in 0..LOOKS {
        if look % 16 == 15 {
            thread::yield_now();
        } else {
            hint::spin_loop();
        }
        if let Some(node) = pool.take() {
            return Some(node);
        }
    }
    None
}

enum Slept {
    Called,
    LongEnough,
}

/// Sleeps until called. The thread comes as a searcher and, if called, leaves as one.
fn sleep(pool: &Pool) -> Slept {
    let mut calls = pool.calls.lock();
    pool.sleeping.fetch_add(1, Ordering::SeqCst);
    pool.searching.fetch_sub(1, Ordering::SeqCst);
    fence(Ordering::SeqCst);
    // Who queued a run while this thread was the only searcher has called nobody.
    if !pool.queue.is_empty() {
        pool.sleeping.fetch_sub(1, Ordering::SeqCst);
        pool.searching.fetch_add(1, Ordering::SeqCst);
        return Slept::Called;
    }
    while *calls == 0 {
        let late = pool.called.wait_for(&mut calls, KEEP_ALIVE).timed_out();
        if late && *calls == 0 {
            pool.sleeping.fetch_sub(1, Ordering::SeqCst);
            pool.threads.fetch_sub(1, Ordering::SeqCst);
            drop(calls);
            fence(Ordering::SeqCst);
            if !pool.queue.is_empty() {
                pool.call_one();
            }
            return Slept::LongEnough;
        }
    }
    *calls -= 1;
    pool.sleeping.fetch_sub(1, Ordering::SeqCst);
    Slept::Called
}
