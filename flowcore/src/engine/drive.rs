//! An async body on its runtime: polled with its run around it, dropped where it must stop.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::ambient::{Ambient, Swapped, Turned};
use super::cell::RunCell;
use super::core::{Core, Phase};
use super::life::{self, Begun, cancelled};
use super::node::{Node, NodeRef};
use super::panic::{drop_guarded, guarded};
use super::{park, slot};
use crate::error::{Error, ErrorKind, Result};
use crate::private::{Body, Failure, Runnable};

type BodyFuture<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

enum Stage<T> {
    New,
    Preliminaries(Pin<Box<dyn Future<Output = bool> + Send>>),
    Body(BodyFuture<T>),
    Done,
}

/// One attempt of an async run, as a task of the runtime.
pub(crate) struct Drive<R: Runnable> {
    run: Arc<RunCell<R>>,
    node: NodeRef,
    ambient: Ambient,
    begun: Begun,
    stage: Stage<R::Output>,
}

impl<R: Runnable> Drive<R> {
    pub(crate) fn new(run: Arc<RunCell<R>>) -> Self {
        Self {
            node: run.clone(),
            run,
            ambient: Ambient::default(),
            begun: Begun::default(),
            stage: Stage::New,
        }
    }

    /// Says which runtime will poll it.
    pub(crate) fn on(mut self, turned: Turned) -> Self {
        self.ambient.turned = turned;
        self
    }

    pub(crate) fn node(&self) -> &NodeRef {
        &self.node
    }

    pub(crate) fn core(&self) -> &Core {
        self.run.core()
    }

    /// The first poll: takes the attempt, if nobody has.
    fn begin(&mut self) -> Stage<R::Output> {
        let Some(begun) = self.run.begin(&self.node) else {
            return Stage::Done;
        };
        self.begun = begun;
        let node = &self.node;
        let limited = slot::is_limited(self.run.core());
        self.ambient = Ambient {
            run: Some(node.clone()),
            epoch: begun.epoch,
            slot: limited.then(|| (node.clone(), begun.epoch)),
            turned: self.ambient.turned,
            ..Ambient::default()
        };
        if self.run.has_preliminaries() {
            let (run, node) = (self.run.clone(), node.clone());
            Stage::Preliminaries(Box::pin(async move { run.preliminaries(node, begun).await }))
        } else {
            self.call()
        }
    }

    fn call(&mut self) -> Stage<R::Output> {
        let _in = Swapped::new(&mut self.ambient);
        match self.run.call(&self.node, self.begun) {
            Some(Body::Future(future)) => Stage::Body(future),
            // Only a sync function has its result at once.
            Some(Body::Ready(_)) | None => Stage::Done,
        }
    }

    fn must_stop(&self) -> bool {
        self.run.core().must_stop(self.begun.epoch)
    }

    /// Drops the body where it stands.
    fn stop(&mut self) {
        self.drop_body();
        self.run.end(
            &self.node,
            self.begun.epoch,
            Err(Failure(cancelled("it was asked to stop"))),
        );
    }

    fn drop_body(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Done);
        let _in = Swapped::new(&mut self.ambient);
        drop_guarded(stage);
    }

    /// One poll of the body; `None` while it is pending.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Option<Result<R::Output, Failure>> {
        let Stage::Body(body) = &mut self.stage else {
            return None;
        };
        let polled = {
            let mut inside = Swapped::new(&mut self.ambient);
            guarded(|| inside.poll(body.as_mut(), cx))
        };
        match polled {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(outcome)) => Some(outcome),
            Err(panic) => Some(Err(Failure(Error::of_kind(ErrorKind::Panicked, panic.to_string())))),
        }
    }

    /// Sees to it that whoever stops the run, or gives it its slot back, wakes this task. False if it is too late for that.
    fn listen(&self, cx: &Context<'_>) -> bool {
        let core = self.run.core();
        let mut inner = core.lock();
        if self.must_stop() || inner.phase != Phase::Body {
            return false;
        }
        if !inner.driver.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            inner.driver = Some(cx.waker().clone());
        }
        inner.waits = self.ambient.waits;
        inner.polled_by = Some(park::thread_id());
        true
    }
}

impl<R: Runnable> Future for Drive<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if matches!(this.stage, Stage::New) {
            this.stage = this.begin();
        }
        loop {
            if matches!(this.stage, Stage::Done) {
                return Poll::Ready(());
            }
            if this.must_stop() {
                this.stop();
                return Poll::Ready(());
            }
            if let Stage::Preliminaries(preliminaries) = &mut this.stage {
                if let Poll::Ready(go_on) = preliminaries.as_mut().poll(cx) {
                    this.stage = if go_on { this.call() } else { Stage::Done };
                    continue;
                }
                if this.listen(cx) {
                    return Poll::Pending;
                }
                continue;
            }
            if this.ambient.slot.is_some() && !slot::is_held(this.run.core()) {
                if !this.listen(cx) {
                    continue;
                }
                if !slot::ask(&this.node) {
                    return Poll::Pending;
                }
            }
            if let Some(outcome) = this.poll_body(cx) {
                this.drop_body();
                this.run.end(&this.node, this.begun.epoch, outcome);
                return Poll::Ready(());
            }
            if this.listen(cx) {
                // Who has waited for a run once may wait for it unasked, or another future of the body's may.
                let waits = this.ambient.waits || this.run.core().has_pending_children();
                if waits && this.ambient.slot.is_some() {
                    slot::give_back(this.run.core());
                }
                return Poll::Pending;
            }
        }
    }
}

impl<R: Runnable> Drop for Drive<R> {
    /// The runtime has dropped the task before its end: it is being shut down.
    fn drop(&mut self) {
        match self.stage {
            Stage::Done => return,
            Stage::New => {
                let core = self.run.core();
                if core.moved.load(Ordering::SeqCst) || core.lock().phase != Phase::Queued {
                    return;
                }
            }
            Stage::Preliminaries(_) | Stage::Body(_) => {}
        }
        self.drop_body();
        life::crash(&self.node, "its runtime was shut down");
    }
}
