//! Another attempt of a run that failed: whether, and when.

use std::time::Duration;

use super::context::RunContext;
use super::core::Phase;
use super::life;
use super::node::NodeRef;
use super::panic::guarded;
use super::{observe, shutdown, timer};
use crate::error::Error;
use crate::options::jittered;
use crate::state::{State, StateName};

/// The wait before the next attempt, if there is one. A condition that panics says no.
pub(crate) fn after(node: &NodeRef, attempt: u32, failed: StateName, error: &Error) -> Option<Duration> {
    let core = node.core();
    if core.is_last(attempt) || core.is_cancelled() || shutdown::is_draining() {
        return None;
    }
    let options = core.options();
    if let Some(condition) = &options.retry_condition {
        let state = State {
            name: failed,
            message: Some(error.to_string().into()),
            at: core.now(),
        };
        let context = RunContext::of(node.clone(), core.epoch(), attempt);
        match guarded(|| condition(&context, &state, error)) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(panic) => {
                observe::warn(
                    node,
                    &format!("the retry condition panicked, so there is no retry: {panic}"),
                );
                return None;
            }
        }
    }
    let delay = guarded(|| core.retry_delay().after(attempt)).unwrap_or_else(|panic| {
        observe::warn(node, &format!("the retry delay panicked, so there is none: {panic}"));
        Duration::ZERO
    });
    Some(jittered(delay, options.retry_jitter_factor))
}

/// Sends the run into its next attempt; false if it was stopped meanwhile.
pub(crate) fn requeue(node: &NodeRef, attempt: u32, delay: Duration, error: &Error) -> bool {
    let core = node.core();
    let (epoch, _before);
    {
        let mut inner = core.lock();
        if inner.phase != Phase::Draining || inner.attempt != attempt || core.is_cancelled() {
            return false;
        }
        _before = inner.error.take();
        inner.timed_out = false;
        if let Some(timer) = inner.timer.take() {
            timer.abort();
        }
        core.close_epoch();
        epoch = core.epoch();
        if delay.is_zero() {
            inner.phase = Phase::Queued;
        } else {
            inner.phase = Phase::Delayed;
            let at = core.now();
            inner
                .history
                .push(StateName::AwaitingRetry, at, Some(error.to_string().into()));
            if let Some(durable) = &core.durable {
                durable.set_retry_at(at.saturating_add(i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX)));
            }
        }
    }
    observe::warn(
        node,
        &format!(
            "attempt {attempt} of {} failed: {error}; the next one follows {}",
            u64::from(core.retries()) + 1 + u64::from(core.forgiven()),
            if delay.is_zero() {
                "at once".to_owned()
            } else {
                format!("in {delay:.1?}")
            },
        ),
    );
    if delay.is_zero() {
        life::start(node);
        return true;
    }
    observe::emit(node);
    delayed(node, epoch, delay);
    true
}

/// A run that waited for its next attempt when its process died goes on waiting; false if it did not.
pub(crate) fn wait_on(node: &NodeRef) -> bool {
    let core = node.core();
    let Some(at) = core.before().and_then(|before| before.retry_at) else {
        return false;
    };
    let delay = u64::try_from(at - core.now()).map_or(Duration::ZERO, Duration::from_nanos);
    let epoch;
    {
        let mut inner = core.lock();
        if delay.is_zero() || inner.phase != Phase::Queued || inner.history.len() > 1 {
            return false;
        }
        inner.phase = Phase::Delayed;
        epoch = core.epoch();
    }
    delayed(node, epoch, delay);
    true
}

fn delayed(node: &NodeRef, epoch: u32, delay: Duration) {
    let core = node.core();
    let waiting = timer::Waiting::new(node.clone(), epoch);
    let timer = timer::after(core, delay, move || waiting.over());
    let mut inner = core.lock();
    if inner.phase == Phase::Delayed && core.epoch() == epoch {
        inner.timer = Some(timer);
    } else {
        drop(inner);
        timer.abort();
    }
}

/// The wait for the next attempt is over.
pub(crate) fn delay_over(node: &NodeRef, epoch: u32) {
    let core = node.core();
    {
        let mut inner = core.lock();
        if inner.phase != Phase::Delayed || core.epoch() != epoch {
            return;
        }
        inner.timer = None;
        inner.phase = Phase::Queued;
    }
    life::start(node);
}
