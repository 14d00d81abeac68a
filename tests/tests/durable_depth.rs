//! Durable flows that are deep, or wide, fail at their end and are resumed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Once};

use flowcore::prelude::*;
use flowcore::resume;
use flowcore::store::{MemoryStore, install};
use flowcore_tests::record::{failed, row, store};
use flowcore_tests::{Bodies, in_time};
use serde_json::json;

const LEVELS: u32 = 10_000;

#[task]
fn bottom(fails: &AtomicSwitch) -> Result<u32, String> {
    if fails.is_on() {
        Err("the first life".to_owned())
    } else {
        Ok(0)
    }
}

/// Whether the first life is still on, for one of the tests.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
struct AtomicSwitch(usize);

static SWITCHES: [AtomicBool; 3] = [const { AtomicBool::new(true) }; 3];

impl AtomicSwitch {
    fn is_on(self) -> bool {
        SWITCHES[self.0].load(SeqCst)
    }

    fn off(self) {
        SWITCHES[self.0].store(false, SeqCst);
    }
}

/// One that forgets none of them.
fn keep_all() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| install(Arc::new(MemoryStore::with_max_runs(1_000_000))).unwrap());
}

#[test]
fn ten_thousand_levels_deep_in_sync_flows() {
    static SIDES: Bodies = Bodies::new();
    #[task]
    fn side(level: u32) -> u32 {
        SIDES.called();
        level % 2
    }
    #[flow(durable)]
    fn descend(levels: u32, fails: AtomicSwitch) -> flowcore::Result<u32> {
        let odd = side(levels)?;
        Ok(odd
            + if levels == 0 {
                bottom(&fails)?
            } else {
                descend(levels - 1, fails)?
            })
    }
    keep_all();
    in_time("deep", || {
        let fails = AtomicSwitch(0);
        let run = failed(descend(LEVELS, fails));
        assert_eq!(SIDES.count(), LEVELS + 1);
        fails.off();
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(LEVELS / 2));
        assert_eq!(SIDES.count(), LEVELS + 1);
        let counts = store().counts(row(run).number).unwrap();
        let total: u64 = counts.iter().map(|count| count.count).sum();
        assert_eq!(
            (counts.len(), total),
            (3, u64::from(2 * (LEVELS + 1) + 1)),
            "{counts:?}"
        );
    });
}

#[test]
fn ten_thousand_levels_deep_in_async_flows() {
    static SIDES: Bodies = Bodies::new();
    #[task]
    async fn side(level: u32) -> u32 {
        SIDES.called();
        level % 2
    }
    #[flow(durable)]
    async fn descend_async(levels: u32, fails: AtomicSwitch) -> flowcore::Result<u32> {
        let odd = side.submit(levels).await?;
        if levels == 0 {
            return Ok(odd + bottom(&fails)?);
        }
        Ok(odd + descend_async.submit(levels - 1, fails).await?)
    }
    keep_all();
    in_time("deep async", || {
        let fails = AtomicSwitch(1);
        let run = failed(descend_async(LEVELS, fails).run());
        assert_eq!(SIDES.count(), LEVELS + 1);
        fails.off();
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(LEVELS / 2));
        assert_eq!(SIDES.count(), LEVELS + 1);
    });
}

#[test]
fn a_hundred_thousand_calls_of_one_run() {
    const CALLS: u32 = 100_000;
    static CALLED: Bodies = Bodies::new();
    #[task]
    fn tiny(n: u32) -> u32 {
        CALLED.called();
        n & 1
    }
    #[flow(durable)]
    fn wide(calls: u32, fails: AtomicSwitch) -> flowcore::Result<u32> {
        let mut sum = 0;
        for n in 0..calls {
            sum += tiny(n)?;
        }
        Ok(sum + bottom(&fails)?)
    }
    keep_all();
    in_time("wide", || {
        let fails = AtomicSwitch(2);
        let run = failed(wide(CALLS, fails));
        assert_eq!(CALLED.count(), CALLS);
        fails.off();
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(CALLS / 2));
        assert_eq!(CALLED.count(), CALLS);
        let replay = row(run).replay.unwrap();
        assert_eq!((replay.answered, replay.again, replay.new), (u64::from(CALLS), 1, 0));
    });
}
