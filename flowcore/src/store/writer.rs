//! The one thread that writes to a store: changes in order, many to a commit.
//!
//! What is queued is not a change but what has changed: it is asked for its news when they are written, so that the states of a
//! short run become one row. The queue takes no lock, and is bounded: whoever finds it full waits for the writer.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use crossbeam_queue::SegQueue;
use parking_lot::{Condvar, Mutex};

use super::batch::{Batch, LogWrite, RunWrite};
use super::durability::StoreTrouble;
use super::error::{StoreError, StoreErrorKind, StoreResult};
use super::store::Store;
use crate::engine::panic::guarded;
use crate::failpoint;

/// How many things may wait to be written.
const QUEUE_LIMIT: usize = 65_536;

/// How many of them go into one commit at the most.
const BATCH_LIMIT: usize = 8_192;

/// How long a change waits for others if nobody waits for it.
const WINDOW: Duration = Duration::from_millis(50);

/// How long a change that the store had no room for, or could not be reached for, waits for the next try if nothing else is to be written.
const NEXT_TRY: Duration = Duration::from_secs(1);

/// What the writer writes.
pub(crate) trait Change: Clone + Send + 'static {
    /// What the store doesn't know yet, if anything.
    fn news(&self) -> Option<RunWrite>;
    /// Whether there is something that the store doesn't know yet.
    fn has_news(&self) -> bool;
    /// The store has that now.
    fn written(&self, write: &RunWrite);
    /// All that was queued before this was asked for is written, or lost. Called on no thread of the writer's.
    fn acknowledged(&self, outcome: StoreResult<()>);
}

enum Item<C> {
    Changed(C),
    Log(LogWrite),
    Acknowledge(C),
    Barrier(Arc<Barrier>),
}

/// Ready when all that was queued before it is written.
#[derive(Default)]
struct Barrier(Mutex<BarrierState>);

#[derive(Default)]
struct BarrierState {
    outcome: Option<StoreResult<()>>,
    waker: Option<Waker>,
}

impl Barrier {
    fn pass(&self, outcome: StoreResult<()>) {
        let mut state = self.0.lock();
        state.outcome = Some(outcome);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The wait for a [`Writer`] to have written what it was given before.
pub(crate) struct Written(Arc<Barrier>);

impl Future for Written {
    type Output = StoreResult<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StoreResult<()>> {
        let mut state = self.0.0.lock();
        match &state.outcome {
            Some(outcome) => Poll::Ready(outcome.clone()),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Runs things elsewhere: the writer calls nobody's code.
pub(crate) type Elsewhere = fn(Box<dyn FnOnce() + Send>);

pub(crate) struct Writer<C: Change> {
    shared: Arc<Shared<C>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared<C> {
    store: Arc<dyn Store>,
    process: u32,
    policy: StoreTrouble,
    elsewhere: Elsewhere,
    queue: SegQueue<Item<C>>,
    length: AtomicUsize,
    /// Whether somebody waits for what is queued.
    urgent: AtomicBool,
    asleep: AtomicBool,
    stopping: AtomicBool,
    /// Whether nobody takes from the queue any more.
    closed: AtomicBool,
    thread: OnceLock<Thread>,
    full: Mutex<()>,
    room: Condvar,
    lost: AtomicU64,
    trouble: Mutex<Option<StoreError>>,
}

impl<C: Change> Writer<C> {
    /// Starts the thread.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        process: u32,
        policy: StoreTrouble,
        elsewhere: Elsewhere,
    ) -> StoreResult<Self> {
        let shared = Arc::new(Shared {
            store,
            process,
            policy,
            elsewhere,
            queue: SegQueue::new(),
            length: AtomicUsize::new(0),
            urgent: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            thread: OnceLock::new(),
            full: Mutex::new(()),
            room: Condvar::new(),
            lost: AtomicU64::new(0),
            trouble: Mutex::new(None),
        });
        let worker = shared.clone();
        let thread = thread::Builder::new()
            .name("flowcore-writer".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| StoreError::new(StoreErrorKind::Other, format!("its writer can't be started: {error}")))?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Something has news. Waits while the queue is full.
    pub(crate) fn changed(&self, change: C) {
        self.shared.push(Item::Changed(change), false);
    }

    /// A line of a log. Waits while the queue is full.
    pub(crate) fn log(&self, log: LogWrite) {
        self.shared.push(Item::Log(log), false);
    }

    /// Has `change` told when all that was queued is written.
    pub(crate) fn acknowledge(&self, change: C) {
        self.shared.push(Item::Acknowledge(change), true);
    }

    /// Ready when all that was queued is written.
    pub(crate) fn written(&self) -> Written {
        let barrier = Arc::new(Barrier::default());
        self.shared.push(Item::Barrier(barrier.clone()), true);
        Written(barrier)
    }

    /// How many changes the store has lost.
    pub(crate) fn lost(&self) -> u64 {
        self.shared.lost()
    }

    /// What is wrong with the store at present.
    pub(crate) fn trouble(&self) -> Option<StoreError> {
        self.shared.trouble.lock().clone()
    }

    /// Writes what is queued, and ends the thread. Later changes are not written.
    pub(crate) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.wake();
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

impl<C: Change> Shared<C> {
    fn push(&self, item: Item<C>, urgent: bool) {
        let full = self.length.fetch_add(1, Ordering::SeqCst) >= QUEUE_LIMIT;
        self.queue.push(item);
        if self.closed.load(Ordering::SeqCst) {
            return self.refuse_rest();
        }
        if urgent {
            self.urgent.store(true, Ordering::SeqCst);
        }
        if urgent || full || self.asleep.load(Ordering::SeqCst) {
            self.wake();
        }
        if full && !self.is_writer() {
            self.wait_for_room();
        }
    }

    fn lost(&self) -> u64 {
        self.lost.load(Ordering::SeqCst)
    }

    fn is_writer(&self) -> bool {
        self.thread
            .get()
            .is_some_and(|thread| thread.id() == thread::current().id())
    }

    fn wait_for_room(&self) {
        let mut full = self.full.lock();
        while self.length.load(Ordering::SeqCst) >= QUEUE_LIMIT && !self.stopping.load(Ordering::SeqCst) {
            // Whoever makes room doesn't take the lock; a missed call costs a moment.
            self.room.wait_for(&mut full, Duration::from_millis(5));
        }
    }

    fn wake(&self) {
        self.asleep.store(false, Ordering::SeqCst);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn run(&self) {
        let _ = self.thread.set(thread::current());
        let mut sequence = 0;
        let mut unwritten = Vec::new();
        loop {
            let stopping = self.stopping.load(Ordering::SeqCst);
            if self.queue.is_empty() && !stopping {
                self.sleep((!unwritten.is_empty()).then_some(NEXT_TRY));
            }
            if !self.queue.is_empty() {
                self.gather();
            } else if unwritten.is_empty() {
                if !stopping {
                    continue;
                }
                self.closed.store(true, Ordering::SeqCst);
                return self.refuse_rest();
            }
            sequence += 1;
            self.write(sequence, &mut unwritten);
            if stopping {
                // That was the last try.
                self.lose(&mut unwritten);
            }
        }
    }

    /// Until there is something to write, or for no longer than that.
    fn sleep(&self, longest: Option<Duration>) {
        self.asleep.store(true, Ordering::SeqCst);
        // Who pushed before it saw that sleep doesn't wake anybody.
        if self.queue.is_empty() {
            match longest {
                Some(longest) => thread::park_timeout(longest),
                None => thread::park(),
            }
        }
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// Gives up changes that the store never took.
    fn lose(&self, unwritten: &mut Vec<C>) {
        let lost = std::mem::take(unwritten);
        self.lost.fetch_add(lost.len() as u64, Ordering::SeqCst);
        (self.elsewhere)(Box::new(move || drop(lost)));
    }

    /// Nobody waits forever for a writer that has stopped.
    fn refuse_rest(&self) {
        while let Some(item) = self.queue.pop() {
            let refused = Err(StoreError::new(StoreErrorKind::Other, "it was closed"));
            match item {
                Item::Acknowledge(change) => (self.elsewhere)(Box::new(move || change.acknowledged(refused))),
                Item::Barrier(barrier) => barrier.pass(refused),
                Item::Changed(change) => (self.elsewhere)(Box::new(move || drop(change))),
                Item::Log(_) => {}
            }
        }
    }

    /// Leaves a change its time to be followed by others.
    fn gather(&self) {
        let end = Instant::now() + WINDOW;
        while !self.urgent.load(Ordering::SeqCst)
            && !self.stopping.load(Ordering::SeqCst)
            && self.length.load(Ordering::SeqCst) < BATCH_LIMIT
        {
            let now = Instant::now();
            if now >= end {
                return;
            }
            thread::park_timeout(end - now);
        }
    }

    /// One commit. What the store may take later is left in `unwritten`, and goes before the rest the next time.
    fn write(&self, sequence: u64, unwritten: &mut Vec<C>) {
        // Before the first look at the queue: what becomes urgent after it may be in the next batch.
        self.urgent.store(false, Ordering::SeqCst);
        let mut batch = Batch {
            process: self.process,
            sequence,
            ..Batch::default()
        };
        let (mut changed, mut unchanged) = (Vec::new(), Vec::new());
        let (mut acks, mut barriers) = (Vec::new(), Vec::new());
        let mut change_of = |change: C| match change.news() {
            Some(write) => {
                batch.runs.push(write);
                changed.push(change);
            }
            None => unchanged.push(change),
        };
        unwritten.drain(..).for_each(&mut change_of);
        let mut taken = 0;
        while taken < BATCH_LIMIT
            && let Some(item) = self.queue.pop()
        {
            taken += 1;
            match item {
                Item::Changed(change) => change_of(change),
                Item::Log(log) => batch.logs.push(log),
                Item::Acknowledge(change) => acks.push(change),
                Item::Barrier(barrier) => barriers.push(barrier),
            }
        }
        self.length.fetch_sub(taken, Ordering::SeqCst);
        self.room.notify_all();
        if !self.queue.is_empty() && taken == BATCH_LIMIT {
            // What is left may be what somebody waits for.
            self.urgent.store(true, Ordering::SeqCst);
        }
        let (outcome, news) = self.commit(&batch);
        match &outcome {
            Ok(()) => {
                for (change, write) in changed.iter().zip(&batch.runs) {
                    change.written(write);
                }
            }
            Err(error) => {
                let kept = if may_pass(error) {
                    changed.len().min(BATCH_LIMIT)
                } else {
                    0
                };
                unwritten.extend(changed.drain(..kept));
                let lost = changed.len() + batch.logs.len();
                self.lost.fetch_add(lost as u64, Ordering::SeqCst);
            }
        }
        // Durable runs can't do without their record, whatever the policy: that is theirs to decide.
        for barrier in barriers {
            barrier.pass(outcome.clone());
            failpoint!("writer::barrier-passed");
        }
        let has_lost = self.lost.load(Ordering::SeqCst) > 0;
        // Dropping a run may drop its user's values, telling it may call its user's code, and so does a log.
        (self.elsewhere)(Box::new(move || {
            if let Some(news) = news {
                news.log();
            }
            for ack in &acks {
                failpoint!("writer::before-acknowledged");
                let outcome = match &outcome {
                    Ok(()) if has_lost && ack.has_news() => Err(lost_before()),
                    outcome => outcome.clone(),
                };
                ack.acknowledged(outcome);
            }
            drop((changed, unchanged, acks));
        }));
    }

    fn commit(&self, batch: &Batch) -> (StoreResult<()>, Option<News>) {
        if batch.is_empty() {
            // Nothing to write, and so nothing is lost; but what was lost before is not made good by that.
            return (self.trouble.lock().clone().map_or(Ok(()), Err), None);
        }
        failpoint!("writer::before-commit");
        let mut outcome = apply(&*self.store, batch);
        if let Err(error) = &outcome
            && !matches!(error.kind(), StoreErrorKind::Fenced | StoreErrorKind::Locked)
        {
            // It may be written all the same: then the store knows its number, and this does nothing.
            outcome = apply(&*self.store, batch);
        }
        failpoint!("writer::after-commit");
        let before = std::mem::replace(&mut *self.trouble.lock(), outcome.clone().err());
        let news = match (&outcome, before) {
            (Ok(()), Some(_)) => Some(News::Works { lost: self.lost() }),
            (Err(error), None) => Some(News::Fails(error.clone(), self.policy)),
            _ => None,
        };
        (outcome, news)
    }
}

/// Has a batch written. A store that panics has failed, and is asked again the next time.
pub(crate) fn apply(store: &dyn Store, batch: &Batch) -> StoreResult<()> {
    let applied = guarded(|| store.apply(batch));
    applied.unwrap_or_else(|panic| Err(StoreError::new(StoreErrorKind::Other, format!("writing {panic}"))))
}

/// What is worth a line in the program's log.
enum News {
    Works { lost: u64 },
    Fails(StoreError, StoreTrouble),
}

impl News {
    /// The subscriber is the user's: it may panic, or start runs that wait for the writer.
    fn log(self) {
        let _ = guarded(|| match self {
            Self::Works { lost } => tracing::warn!("the store works again; {lost} changes were lost"),
            Self::Fails(error, StoreTrouble::Fail) => tracing::error!("{error}; runs fail until it works again"),
            Self::Fails(error, StoreTrouble::Continue) => tracing::error!("{error}; runs go on without a record"),
        });
    }
}

/// Whether the store may take later what it doesn't take now. What it refuses for what it is would keep all that follows from being written.
fn may_pass(error: &StoreError) -> bool {
    use StoreErrorKind::{Full, Locked, ReadOnly, Unreachable};
    matches!(error.kind(), Full | Locked | ReadOnly | Unreachable)
}

fn lost_before() -> StoreError {
    StoreError::new(
        StoreErrorKind::Other,
        "it has not taken the end of this run, and works again",
    )
}
