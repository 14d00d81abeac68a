//! Threads that wait: parked until woken, and lent meanwhile to runs below the one they wait for.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::thread::{self, Thread, ThreadId};
use std::time::Instant;

use parking_lot::Mutex;

use super::node::NodeRef;
use super::pool;

/// With more threads waiting than this, a run is begun by a thread that waits for it, if there is one, and not by one more.
/// tokio replaces no more than 512 blocked workers; far from there, more threads make more haste.
const CROWD: usize = 64;

static WAITING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    // Asking the thread itself counts its users up and down.
    static ID: ThreadId = thread::current().id();
    /// How many waits of this thread are on its stack, one above the other.
    static WAITS: Cell<usize> = const { Cell::new(0) };
}

/// The current thread's id.
pub(crate) fn thread_id() -> ThreadId {
    ID.try_with(|id| *id).unwrap_or_else(|_| thread::current().id())
}

/// Whether so many threads wait that another should be spared.
pub(crate) fn is_crowded() -> bool {
    WAITING.load(Ordering::Relaxed) > CROWD
}

/// A wait of a thread, counted once for the thread.
pub(crate) struct Counted;

impl Counted {
    pub(crate) fn new() -> Self {
        if WAITS.replace(WAITS.get() + 1) == 0 {
            WAITING.fetch_add(1, Ordering::Relaxed);
        }
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if WAITS.replace(WAITS.get() - 1) == 1 {
            WAITING.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A thread in one of its waits.
pub(crate) struct Parked {
    thread: Thread,
    woken: AtomicBool,
    loan: Mutex<Loan>,
}

/// Whether the thread has nothing to do, and the run it was given.
#[derive(Default)]
struct Loan {
    idle: bool,
    run: Option<NodeRef>,
}

impl Parked {
    /// The current thread, about to wait.
    pub(crate) fn current() -> (Arc<Self>, Waker) {
        let parked = Arc::new(Self {
            thread: thread::current(),
            woken: AtomicBool::new(false),
            loan: Mutex::default(),
        });
        let waker = Waker::from(parked.clone());
        (parked, waker)
    }

    /// Sleeps until woken, or until `deadline`. Without a deadline the thread can be lent.
    pub(crate) fn park(&self, deadline: Option<Instant>) {
        self.sleep(deadline, deadline.is_none());
    }

    /// Sleeps until woken, and has no time for others' runs.
    pub(crate) fn park_alone(&self) {
        self.sleep(None, false);
    }

    fn sleep(&self, deadline: Option<Instant>, idle: bool) {
        self.loan.lock().idle = idle;
        pool::blocked(|| {
            while !self.woken.swap(false, Ordering::SeqCst) {
                match deadline {
                    None => thread::park(),
                    Some(deadline) => {
                        let left = deadline.saturating_duration_since(Instant::now());
                        if left.is_zero() {
                            return;
                        }
                        thread::park_timeout(left);
                    }
                }
            }
        });
        self.loan.lock().idle = false;
    }

    /// Gives the thread a run to begin, if it has nothing to do.
    pub(crate) fn lend(self: &Arc<Self>, node: &NodeRef) -> bool {
        {
            let mut loan = self.loan.lock();
            if !loan.idle {
                return false;
            }
            loan.idle = false;
            loan.run = Some(node.clone());
        }
        self.wake_by_ref();
        true
    }

    /// The run that the thread was given.
    pub(crate) fn lent(&self) -> Option<NodeRef> {
        self.loan.lock().run.take()
    }
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::SeqCst) {
            self.thread.unpark();
        }
    }
}
