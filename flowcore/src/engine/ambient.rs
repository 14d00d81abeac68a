//! The run that the current thread works for.

use std::cell::RefCell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::node::NodeRef;

/// Whether a runtime polls the body, and which sort of one. Asking tokio costs more: its answer is counted.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Turned {
    /// The body runs on a thread, or polled by the user's own executor.
    #[default]
    No,
    /// By one that goes on turning when a thread waits.
    MultiThread,
    /// By one that this thread alone turns.
    CurrentThread,
}

/// What a body finds around it.
#[derive(Default)]
pub(crate) struct Ambient {
    /// The run itself.
    pub(crate) run: Option<NodeRef>,
    /// The run that a hook speaks for. What the hook starts belongs to no run.
    pub(crate) hooked: Option<NodeRef>,
    /// Which of the run's bodies this is.
    pub(crate) epoch: u32,
    /// The task run whose slot the body occupies: the run itself, or the one it was called from directly.
    pub(crate) slot: Option<(NodeRef, u32)>,
    /// The runtime that polls the body, which then is the current one.
    pub(crate) turned: Turned,
    /// Whether the thread has only entered its runtime, for the body to spawn on, and does not turn it.
    pub(crate) entered: bool,
    /// Whether a future of a child run was found pending since the body was last entered.
    pub(crate) waits: bool,
}

thread_local! {
    static AMBIENT: RefCell<Ambient> = const {
        RefCell::new(Ambient { run: None, hooked: None, epoch: 0, slot: None, turned: Turned::No, entered: false, waits: false })
    };
}

/// Swaps what is around the current thread with `ambient`.
pub(crate) fn swap(ambient: &mut Ambient) {
    // While the thread dies there is nothing to swap with, and no body to run either.
    let _ = AMBIENT.try_with(|current| mem::swap(&mut *current.borrow_mut(), ambient));
}

/// The current run, and the epoch of its body.
pub(crate) fn run() -> (Option<NodeRef>, u32) {
    let copy = |current: &RefCell<Ambient>| {
        let current = current.borrow();
        (current.run.clone(), current.epoch)
    };
    AMBIENT.try_with(copy).unwrap_or_default()
}

/// The run whose hook the current thread calls.
pub(crate) fn hooked() -> Option<NodeRef> {
    AMBIENT
        .try_with(|current| current.borrow().hooked.clone())
        .ok()
        .flatten()
}

/// The run whose slot the current body occupies.
pub(crate) fn slot() -> Option<(NodeRef, u32)> {
    AMBIENT.try_with(|current| current.borrow().slot.clone()).ok().flatten()
}

/// The runtime that polls the current body.
pub(crate) fn turned() -> Turned {
    AMBIENT.try_with(|current| current.borrow().turned).unwrap_or_default()
}

/// Whether the runtime around is not turned by this thread.
pub(crate) fn is_only_entered() -> bool {
    AMBIENT.try_with(|current| current.borrow().entered).unwrap_or_default()
}

/// Notes that the current body looked for a child's result in vain.
pub(crate) fn note_wait() {
    let _ = AMBIENT.try_with(|current| current.borrow_mut().waits = true);
}

/// Puts an ambience in place until dropped.
pub(crate) struct Entered(Ambient);

impl Entered {
    fn into(mut ambient: Ambient) -> Self {
        swap(&mut ambient);
        Self(ambient)
    }

    pub(crate) fn new(run: Option<NodeRef>, epoch: u32, slot: Option<(NodeRef, u32)>) -> Self {
        Self::into(Ambient {
            run,
            epoch,
            slot,
            ..Ambient::default()
        })
    }

    /// For a hook of a run.
    pub(crate) fn for_hook(run: NodeRef) -> Self {
        Self::into(Ambient {
            hooked: Some(run),
            ..Ambient::default()
        })
    }

    /// For a sync body on a thread that has entered a runtime, or none.
    pub(crate) fn on_thread(run: NodeRef, epoch: u32, slot: Option<(NodeRef, u32)>) -> Self {
        Self::into(Ambient {
            run: Some(run),
            epoch,
            slot,
            entered: true,
            ..Ambient::default()
        })
    }

    /// For a direct call: another run, and all else as it is.
    pub(crate) fn in_place(run: NodeRef, epoch: u32) -> Self {
        let copy = |current: &RefCell<Ambient>| {
            let current = current.borrow();
            (current.slot.clone(), current.turned, current.entered)
        };
        let (slot, turned, entered) = AMBIENT.try_with(copy).unwrap_or_default();
        Self::into(Ambient {
            run: Some(run),
            epoch,
            slot,
            turned,
            entered,
            ..Ambient::default()
        })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        swap(&mut self.0);
    }
}

/// Keeps an ambience in place while a future is polled, and takes it back, changed or not.
pub(crate) struct Swapped<'a>(&'a mut Ambient);

impl<'a> Swapped<'a> {
    pub(crate) fn new(ambient: &'a mut Ambient) -> Self {
        swap(ambient);
        Self(ambient)
    }

    pub(crate) fn poll<F: Future + ?Sized>(&mut self, future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        future.poll(cx)
    }
}

impl Drop for Swapped<'_> {
    fn drop(&mut self) {
        swap(self.0);
    }
}
