//! The threads that sync bodies run on.
//!
//! One queue, first in first out. As many threads as cores work on it; a thread that waits in the engine doesn't count. Bodies
//! that block are found by a watch: while the queue stands still and the process burns no CPU, threads are added, twice as many
//! each time, up to the setting `max_threads`. So ten thousand short bodies run on two threads, and five hundred sleeping ones
//! side by side.

mod watch;
mod worker;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::thread;

use crossbeam_deque::{Injector, Steal};
use parking_lot::{Condvar, Mutex};

use super::node::NodeRef;
use crate::settings::settings;

pub(crate) use self::worker::is_worker;

struct Pool {
    queue: Injector<NodeRef>,
    /// Threads that work, sleep or wait in the engine.
    threads: AtomicUsize,
    sleeping: AtomicUsize,
    /// Threads whose body waits in the engine.
    blocked: AtomicUsize,
    /// Threads that look for work.
    searching: AtomicUsize,
    /// Bodies begun since the start.
    begun: AtomicU64,
    watched: AtomicBool,
    /// How many sleepers were called.
    calls: Mutex<usize>,
    called: Condvar,
    cores: usize,
}

static POOL: LazyLock<Pool> = LazyLock::new(|| Pool {
    queue: Injector::new(),
    threads: AtomicUsize::new(0),
    sleeping: AtomicUsize::new(0),
    blocked: AtomicUsize::new(0),
    searching: AtomicUsize::new(0),
    begun: AtomicU64::new(0),
    watched: AtomicBool::new(false),
    calls: Mutex::new(0),
    called: Condvar::new(),
    cores: thread::available_parallelism().map_or(1, usize::from),
});

/// Queues a sync run.
pub(crate) fn push(node: NodeRef) {
    POOL.queue.push(node);
    POOL.call_one();
}

/// Runs `wait`, in which this thread does nothing: if it is one of the pool's, another may take its place.
pub(crate) fn blocked<T>(wait: impl FnOnce() -> T) -> T {
    if !is_worker() {
        return wait();
    }
    POOL.blocked.fetch_add(1, Ordering::SeqCst);
    if !POOL.queue.is_empty() {
        POOL.call_one();
    }
    let done = wait();
    POOL.blocked.fetch_sub(1, Ordering::SeqCst);
    done
}

impl Pool {
    /// Threads that run a body, or look for one.
    fn working(&self) -> usize {
        let idle = self.sleeping.load(Ordering::SeqCst) + self.blocked.load(Ordering::SeqCst);
        self.threads.load(Ordering::SeqCst).saturating_sub(idle)
    }

    /// Sees to it that somebody looks at the queue.
    fn call_one(&self) {
        fence(Ordering::SeqCst);
        if self.searching.load(Ordering::SeqCst) > 0 {
            // A searcher looks at the queue once more before it sleeps.
            return;
        }
        if self.sleeping.load(Ordering::SeqCst) > 0 {
            let mut calls = self.calls.lock();
            if *calls < self.sleeping.load(Ordering::SeqCst) {
                *calls += 1;
                self.searching.fetch_add(1, Ordering::SeqCst);
                drop(calls);
                self.called.notify_one();
            }
            return;
        }
        if self.working() < self.cores {
            self.add_thread();
        } else if !self.watched.load(Ordering::Relaxed) && !self.watched.swap(true, Ordering::SeqCst) {
            watch::start();
        }
    }

    /// One more thread, that begins by searching.
    fn add_thread(&self) {
        // Blocked threads are apart from the limit: it is for bodies that run.
        let limit = settings().max_threads + self.blocked.load(Ordering::SeqCst);
        let more = |threads| (threads < limit).then_some(threads + 1);
        if self
            .threads
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
            .is_err()
        {
            return;
        }
        self.searching.fetch_add(1, Ordering::SeqCst);
        let spawned = thread::Builder::new().name("flowcore-sync".into()).spawn(worker::work);
        if let Err(error) = spawned {
            self.threads.fetch_sub(1, Ordering::SeqCst);
            self.searching.fetch_sub(1, Ordering::SeqCst);
            tracing::warn!("the system gives no more threads ({error}); runs wait for those there are");
            if self.threads.load(Ordering::SeqCst) == 0
                && let Some(node) = self.take()
            {
                // Without any thread the caller's own must do.
                node.execute();
            }
        }
    }

    fn take(&self) -> Option<NodeRef> {
        loop {
            match self.queue.steal() {
                Steal::Success(node) => return Some(node),
                Steal::Empty => return None,
                Steal::Retry => {}
            }
        }
    }
}
