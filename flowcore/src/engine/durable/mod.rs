//! Runs below a durable flow: known by what they are calls of, and answered from the record where that has their result.

mod answer;
mod identity;
mod journal;
mod resume;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use super::core::Core;
use crate::state::{State, StateName};
use crate::store::{CallKey, Recorded, Replay, RunRow};

pub(crate) use self::answer::answer;
pub(crate) use self::identity::{Identity, identify, is_below, unrecordable};
pub(crate) use self::journal::{close, prepare};
pub(crate) use self::resume::Claim;
pub use self::resume::resume;

use self::journal::{Calls, Counts};

/// What a run below a durable flow has beside all others.
pub(crate) struct Durable {
    pub(crate) key: CallKey,
    /// Whether a call that the record doesn't know is refused while recorded ones are left.
    strict: bool,
    /// What an earlier process, or an earlier attempt of the parent, has made of it.
    pub(crate) before: Option<Before>,
    retry_at: AtomicI64,
    calls: Mutex<Calls>,
    /// What a resumed tree finds in its record; shared by all of it.
    counts: Option<Arc<Counts>>,
}

impl Durable {
    fn new(key: CallKey, strict: bool, before: Option<Before>, counts: Option<Arc<Counts>>) -> Self {
        Self {
            key,
            strict,
            before,
            retry_at: AtomicI64::new(0),
            calls: Mutex::default(),
            counts,
        }
    }

    /// When the next attempt may be made. Unix nanoseconds.
    pub(crate) fn retry_at(&self) -> Option<i64> {
        Some(self.retry_at.load(Ordering::Relaxed)).filter(|at| *at != 0)
    }

    pub(crate) fn set_retry_at(&self, at: i64) {
        self.retry_at.store(at, Ordering::Relaxed);
    }

    /// What a resumed outermost run has found in its record.
    pub(crate) fn replay(&self, core: &Core) -> Option<Replay> {
        match &self.counts {
            Some(counts) if core.depth == 0 => Some(counts.told()),
            _ => None,
        }
    }
}

/// An earlier life of a run.
#[derive(Clone)]
pub(crate) struct Before {
    pub(crate) name: Box<str>,
    pub(crate) state: State,
    /// How many states it has seen.
    pub(crate) states: u32,
    pub(crate) attempt: u32,
    pub(crate) forgiven: u32,
    pub(crate) crashes: u32,
    pub(crate) retry_at: Option<i64>,
    /// Whether the last of its states is this life's first.
    pub(crate) overlaps: bool,
}

impl Before {
    fn of_call(recorded: &Recorded) -> Self {
        Self {
            name: recorded.name.as_str().into(),
            state: recorded.state.clone(),
            states: recorded.states,
            attempt: recorded.attempt,
            forgiven: forgiven(&recorded.state, recorded.attempt, recorded.forgiven),
            crashes: recorded.crashes,
            retry_at: recorded.retry_at,
            overlaps: false,
        }
    }

    /// `ended` is the state in which the run was found before it was claimed.
    fn of_root(run: &RunRow, ended: &State) -> Self {
        Self {
            name: run.name.as_str().into(),
            state: run.state.clone(),
            states: run.states - 1,
            attempt: run.attempt,
            forgiven: forgiven(ended, run.attempt, run.forgiven),
            crashes: run.crashes,
            retry_at: None,
            overlaps: true,
        }
    }
}

/// A crash ends nobody's retries; whatever else ended the run, it begins with all of them.
fn forgiven(state: &State, attempt: u32, forgiven: u32) -> u32 {
    if state.name == StateName::Crashed {
        forgiven
    } else {
        attempt
    }
}
