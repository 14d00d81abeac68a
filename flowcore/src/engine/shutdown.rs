//! The end of a process that still has runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::children::Roots;
use super::core::Phase;
use super::life;
use super::node::NodeRef;
use super::{recording, runtime};

const LOOK_EVERY: Duration = Duration::from_millis(20);

static DRAINING: AtomicBool = AtomicBool::new(false);
static OVER: AtomicBool = AtomicBool::new(false);

/// Whether no new body may start.
pub(crate) fn is_draining() -> bool {
    DRAINING.load(Ordering::SeqCst)
}

/// Whether nothing will see to the runs that are left.
pub(crate) fn is_over() -> bool {
    OVER.load(Ordering::SeqCst)
}

/// What a [`shutdown`] left behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Runs that did not end in time, and are `Crashed` now.
    pub crashed: usize,
    /// Changes of runs that the store has lost, and outermost runs that it was told nothing of.
    pub unrecorded: u64,
}

/// Ends all runs of this process: starts no body any more, lets those that run end for up to `timeout`, and marks what is left
/// `Crashed`. Blocking bodies that don't end are left to their threads.
///
/// Meanwhile runs that are submitted stay `Pending`; later ones are `Crashed` at once.
///
/// ```
/// use flowcore::prelude::*;
/// use std::time::Duration;
///
/// #[flow]
/// async fn never_ends() { std::future::pending::<()>().await }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let run = never_ends.submit();
/// let report = flowcore::shutdown(Duration::ZERO).await;
/// assert_eq!(report.crashed, 1);
/// assert_eq!(run.wait().name(), "Crashed");
/// # });
/// ```
pub async fn shutdown(timeout: Duration) -> ShutdownReport {
    DRAINING.store(true, Ordering::SeqCst);
    let start = Instant::now();
    while start.elapsed() < timeout && bodies_at_work() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let mut report = crash_rest("the process was shut down");
    // Not on this thread: it may be a runtime's, and the runs that are told their ends may need it.
    let _ = runtime::own().spawn_blocking(recording::close).await;
    report.unrecorded = recording::lost();
    report
}

/// Marks every run that isn't over `Crashed`.
pub(crate) fn crash_rest(why: &str) -> ShutdownReport {
    DRAINING.store(true, Ordering::SeqCst);
    // Before the look at what is left: who comes after it ends itself.
    OVER.store(true, Ordering::SeqCst);
    let mut report = ShutdownReport::default();
    // From the roots down: a body that learns of its child's end must not make an end of its own of it.
    for node in live() {
        if !matches!(node.core().lock().phase, Phase::Ending | Phase::Settled) {
            report.crashed += 1;
            life::crash(&node, why);
        }
    }
    report
}

/// Whether a run does something other than waiting for runs below it. From the leaves up: a child that has just ended leaves its
/// parent at work.
fn bodies_at_work() -> bool {
    live().iter().rev().any(is_at_work)
}

fn is_at_work(node: &NodeRef) -> bool {
    let core = node.core();
    let (phase, waits) = {
        let inner = core.lock();
        (inner.phase, inner.waits || !inner.waiting().is_empty())
    };
    let mut below = core.children.live().into_iter().map(|child| {
        let phase = child.core().lock().phase;
        (phase != Phase::Settled, child.core().direct)
    });
    match phase {
        // A direct call runs in its caller's place.
        Phase::Body => !below.any(|(lives, direct)| lives && (waits || direct)),
        Phase::Draining => !below.any(|(lives, _)| lives),
        Phase::Ending => true,
        _ => false,
    }
}

/// All runs that aren't over, each after its parent.
fn live() -> Vec<NodeRef> {
    let mut all = Roots::live();
    let mut at = 0;
    while at < all.len() {
        let below = all[at].core().children.live();
        all.extend(below);
        at += 1;
    }
    all
}
