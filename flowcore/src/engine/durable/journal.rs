//! What the record knows of the calls that a run makes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::super::identity::{BaseKey, EqualCalls, ReusedKey};
use super::super::life::{self, Begun};
use super::super::node::NodeRef;
use super::super::{observe, recording};
use super::Durable;
use crate::error::{Error, ErrorKind, Result};
use crate::state::StateType;
use crate::store::{CallKey, Recorded, Replay};

/// How many orphans are named.
const NAMED: usize = 20;

/// The calls of one attempt.
#[derive(Default)]
pub(super) struct Calls {
    epoch: u32,
    equal: EqualCalls,
    /// What is recorded, and not asked for yet; `None` in the first life of a run.
    journal: Option<HashMap<CallKey, Recorded>>,
    /// How many of these have completed.
    left: usize,
}

/// What the record knows of a call.
pub(super) enum Found {
    /// Nothing.
    New,
    /// Nothing, where it should.
    Strange { left: usize },
    /// It was made, and has no result.
    Again(Recorded),
    /// Its result.
    Answer(Recorded),
}

/// What a resumed tree has found in its record so far.
#[derive(Default)]
pub(super) struct Counts {
    answered: AtomicU64,
    again: AtomicU64,
    new: AtomicU64,
    orphans: AtomicU64,
    orphan_names: Mutex<Vec<String>>,
}

impl Counts {
    pub(super) fn told(&self) -> Replay {
        Replay {
            answered: self.answered.load(Ordering::Relaxed),
            again: self.again.load(Ordering::Relaxed),
            new: self.new.load(Ordering::Relaxed),
            orphans: self.orphans.load(Ordering::Relaxed),
            orphan_names: self.orphan_names.lock().clone(),
        }
    }
}

fn has_result(recorded: &Recorded) -> bool {
    recorded.state.kind() == StateType::Completed && recorded.result.is_some()
}

impl Durable {
    /// The key of a call made by the attempt of that epoch, and what the record knows of it.
    pub(super) fn call(&self, epoch: u32, call: &BaseKey) -> Result<(CallKey, Found), ReusedKey> {
        let mut calls = self.calls.lock();
        if calls.epoch > epoch {
            // A body that was given up still calls: what it begins is stopped, and the record is the next attempt's.
            return Ok((call.nth(u32::MAX), Found::New));
        }
        if calls.epoch < epoch {
            *calls = Calls {
                epoch,
                ..Calls::default()
            };
        }
        let n = calls.equal.count(call)?;
        let key = call.nth(n);
        let known = calls.journal.as_mut().and_then(|journal| journal.remove(&key));
        let found = match (known, &calls.journal) {
            (Some(recorded), _) if has_result(&recorded) => {
                calls.left -= 1;
                Found::Answer(recorded)
            }
            (Some(recorded), _) => Found::Again(recorded),
            (None, Some(_)) if self.strict && calls.left > 0 => Found::Strange { left: calls.left },
            (None, _) => Found::New,
        };
        let resumed = calls.journal.is_some();
        drop(calls);
        if let (Some(counts), true) = (&self.counts, resumed) {
            let count = match found {
                Found::New | Found::Strange { .. } => &counts.new,
                Found::Again(_) => &counts.again,
                Found::Answer(_) => &counts.answered,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
        Ok((key, found))
    }
}

/// Fetches what is recorded of the calls that an earlier life, or an earlier attempt, has made, before the next begins.
pub(crate) fn prepare(node: &NodeRef, begun: Begun) -> Result<()> {
    let core = node.core();
    let Some(durable) = &core.durable else { return Ok(()) };
    if begun.attempt == 1 {
        return Ok(());
    }
    let (Some(session), Some(number)) = (recording::session(), core.number.get()) else {
        return Ok(());
    };
    let recorded = session.store.recorded(number).map_err(Error::from)?;
    let left = recorded.iter().filter(|recorded| has_result(recorded)).count();
    *durable.calls.lock() = Calls {
        epoch: begun.epoch,
        equal: EqualCalls::default(),
        journal: Some(
            recorded
                .into_iter()
                .map(|recorded| (recorded.call_key, recorded))
                .collect(),
        ),
        left,
    };
    Ok(())
}

/// A body has returned: what is recorded and was not asked for is told. An error where that must not be.
pub(crate) fn close(node: &NodeRef, epoch: u32) -> Result<()> {
    let core = node.core();
    let Some(durable) = &core.durable else { return Ok(()) };
    let orphans: Vec<String> = {
        let mut calls = durable.calls.lock();
        if calls.epoch != epoch || calls.left == 0 {
            return Ok(());
        }
        let journal = calls.journal.take().unwrap_or_default();
        journal
            .into_values()
            .filter(has_result)
            .map(|recorded| recorded.name)
            .collect()
    };
    if let Some(counts) = &durable.counts {
        counts.orphans.fetch_add(orphans.len() as u64, Ordering::Relaxed);
        let mut names = counts.orphan_names.lock();
        let room = NAMED.saturating_sub(names.len());
        names.extend(orphans.iter().take(room).cloned());
    }
    let text = format!(
        "{} recorded calls were not made again: {}{}",
        orphans.len(),
        orphans[..orphans.len().min(3)].join(", "),
        if orphans.len() > 3 { ", …" } else { "" },
    );
    if durable.strict {
        return Err(life::placed(
            core,
            Error::of_kind(ErrorKind::Store, format!("strict replay: {text}")),
        ));
    }
    observe::warn(node, &text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_was_given_up_takes_nothing_from_the_next_attempts_record() {
        let root = CallKey::of_root(crate::RunId::nil());
        let call = BaseKey::explicit(&root, "m::f", None, "k");
        let durable = Durable::new(root, false, None, None);
        let recorded = Recorded {
            call_key: call.nth(0),
            number: crate::store::RunNumber::new(1, 1),
            id: crate::RunId::nil(),
            name: "f-1".to_owned(),
            definition_key: "m::f".to_owned(),
            version: None,
            state: crate::State {
                name: crate::state::StateName::Completed,
                message: None,
                at: 1,
            },
            states: 3,
            attempt: 1,
            forgiven: 0,
            crashes: 0,
            retry_at: None,
            result: Some(b"1"[..].into()),
        };
        *durable.calls.lock() = Calls {
            epoch: 3,
            equal: EqualCalls::default(),
            journal: Some(HashMap::from([(recorded.call_key, recorded)])),
            left: 1,
        };
        // The attempt before has a thread that still makes calls: the same one, and one that it has made already.
        for _ in 0..2 {
            assert!(matches!(durable.call(1, &call), Ok((_, Found::New))));
        }
        assert!(matches!(durable.call(3, &call), Ok((_, Found::Answer(_)))));
        assert_eq!(durable.call(3, &call).map(drop), Err(ReusedKey));
    }
}
