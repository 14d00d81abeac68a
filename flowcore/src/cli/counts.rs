//! How many runs are in which state.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use parking_lot::Mutex;

use super::{is_over, units};
use crate::RunContext;
use crate::observe::Observer;
use crate::run::RunId;
use crate::state::{State, StateName, StateType};

/// The order in which states are told.
const SHOWN: [(&str, Slot); 10] = [
    ("completed", Slot::Of(StateType::Completed)),
    ("failed", Slot::Of(StateType::Failed)),
    ("crashed", Slot::Of(StateType::Crashed)),
    ("cancelled", Slot::Of(StateType::Cancelled)),
    ("not ready", Slot::NotReady),
    ("running", Slot::Of(StateType::Running)),
    ("cancelling", Slot::Of(StateType::Cancelling)),
    ("paused", Slot::Of(StateType::Paused)),
    ("pending", Slot::Of(StateType::Pending)),
    ("scheduled", Slot::Of(StateType::Scheduled)),
];

/// A state's type, but for `NotReady`: it is `Pending` by type, and yet an end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Of(StateType),
    NotReady,
}

impl Slot {
    fn of(state: &State) -> Self {
        if state.name == StateName::NotReady {
            Self::NotReady
        } else {
            Self::Of(state.kind())
        }
    }

    fn index(self) -> usize {
        SHOWN.iter().position(|(_, slot)| *slot == self).unwrap_or_default()
    }
}

/// Counts runs by state, as an observer.
#[derive(Default)]
pub(super) struct Counts(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// The runs that are not over.
    open: HashMap<RunId, usize>,
    counts: [u64; SHOWN.len()],
    over: u64,
}

impl Observer for Counts {
    fn on_state(&self, run: &RunContext, state: &State) {
        let slot = Slot::of(state).index();
        let id = run.run_id();
        let mut inner = self.0.lock();
        let before = inner.open.get(&id).copied();
        // A last state told twice, or of a run that began before anybody counted.
        if before.is_none() && is_over(state) {
            return;
        }
        if let Some(before) = before {
            inner.counts[before] -= 1;
        }
        inner.counts[slot] += 1;
        if is_over(state) {
            inner.open.remove(&id);
            inner.over += 1;
        } else {
            inner.open.insert(id, slot);
        }
    }
}

impl Counts {
    /// How many runs are over.
    pub(super) fn over(&self) -> u64 {
        self.0.lock().over
    }

    /// `12,345 completed, 3 failed, 4 running`
    pub(super) fn text(&self) -> String {
        let counts = self.0.lock().counts;
        let mut text = String::new();
        for ((name, _), count) in SHOWN.iter().zip(counts).filter(|(_, count)| *count > 0) {
            let comma = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{comma}{} {name}", units::count(count));
        }
        if text.is_empty() {
            text.push_str("no runs");
        }
        text
    }
}

/// How many runs end per second, taken anew about every second.
pub(super) struct Rate {
    since: Duration,
    over: u64,
    rate: f64,
}

impl Rate {
    pub(super) fn new() -> Self {
        Self {
            since: Duration::ZERO,
            over: 0,
            rate: 0.0,
        }
    }

    pub(super) fn at(&mut self, elapsed: Duration, over: u64) -> f64 {
        let seconds = elapsed.saturating_sub(self.since).as_secs_f64();
        // The first moments give a rate of what there is.
        if seconds >= 1.0 || (self.since.is_zero() && seconds > 0.0) {
            self.rate = over.saturating_sub(self.over) as f64 / seconds;
        }
        if seconds >= 1.0 {
            (self.since, self.over) = (elapsed, over);
        }
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;

    use super::*;
    use crate::cli::testing::observe_below;
    use crate::prelude::*;

    #[task]
    fn counted(x: u32) -> Result<u32, String> {
        if x == 7 { Err("seven".to_owned()) } else { Ok(x) }
    }

    #[task]
    fn counted_after(x: u32) -> u32 {
        x
    }

    #[flow]
    async fn counted_flow(half_way: mpsc::Sender<()>, go_on: tokio::sync::oneshot::Receiver<()>) {
        let first = counted.map(0..10);
        let never = counted_after.submit(counted.submit(7));
        first.settle().await;
        let _ = never.await;
        half_way.send(()).unwrap();
        go_on.await.unwrap();
    }

    #[test]
    fn runs_are_counted_by_their_state_while_and_after() {
        let counts = Arc::new(Counts::default());
        assert_eq!(counts.text(), "no runs");
        let watched = observe_below("counted_flow", &counts);
        let (half_way, reached) = mpsc::channel();
        let (go_on, gate) = tokio::sync::oneshot::channel();
        let run = counted_flow.submit(half_way, gate);
        reached.recv().unwrap();
        // A run's last state is told after its result; those of the map are over when the flow is.
        go_on.send(()).unwrap();
        assert!(run.wait().is_completed());
        drop(watched);
        assert_eq!(counts.text(), "10 completed, 2 failed, 1 not ready");
        assert_eq!(counts.over(), 13);
        assert!(counts.0.lock().open.is_empty());
    }

    #[test]
    fn the_rate_is_that_of_the_last_second() {
        let mut rate = Rate::new();
        let millis = Duration::from_millis;
        assert_eq!(rate.at(millis(0), 0), 0.0);
        assert_eq!(rate.at(millis(500), 100), 200.0);
        assert_eq!(rate.at(millis(1000), 100), 100.0);
        assert_eq!(rate.at(millis(1500), 900), 100.0);
        assert_eq!(rate.at(millis(2000), 1100), 1000.0);
        assert_eq!(rate.at(millis(4000), 1100), 0.0);
    }
}
