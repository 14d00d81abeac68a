//! Flows with `replay = "strict"`: where a resumed run doesn't go the way that is recorded, it is refused, and its record stays.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use flowcore::prelude::*;
use flowcore::{ErrorKind, resume};
use flowcore_tests::record::{children, failed, row, store, told, tree};
use flowcore_tests::{Bodies, in_time};
use serde_json::json;

static STEPS: Bodies = Bodies::new();

#[task]
fn step(n: u32) -> u32 {
    STEPS.called();
    n
}

#[task]
fn other(n: u32) -> u32 {
    n
}

#[test]
fn a_call_that_the_record_does_not_know_is_refused_in_every_life() {
    static LIVES: Bodies = Bodies::new();
    #[flow(durable, replay = "strict")]
    fn inserted() -> flowcore::Result<u32> {
        let life = LIVES.called();
        let before = if (1..3).contains(&life) { other(0)? } else { 0 };
        let sum = before + step(1)? + step(2)?;
        // After all that is recorded, a new call is no deviation.
        let after = if life == 3 { other(9)? } else { 0 };
        if life == 0 {
            Err(flowcore::Error::msg("once"))
        } else {
            Ok(sum + after)
        }
    }
    in_time("inserted", || {
        let run = failed(inserted());
        let recorded = tree(run);
        for _ in 0..2 {
            let error = resume(run).unwrap().result_json().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store);
            assert!(
                error.to_string().contains("strict replay") && error.to_string().contains("'other'"),
                "{error}"
            );
            assert_eq!(
                tree(run)[1..],
                recorded[1..],
                "what is recorded stays, and the refused call isn't there"
            );
        }
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(12));
        assert_eq!(
            told(&children(run)),
            [("step", "Completed"), ("step", "Completed"), ("other", "Completed")]
        );
    });
}

#[test]
fn a_recorded_call_that_is_not_made_again_is_an_error() {
    static LIVES: Bodies = Bodies::new();
    #[flow(durable, replay = "strict")]
    async fn removed() -> flowcore::Result<u32> {
        let life = LIVES.called();
        let mut sum = step.submit(10).await?;
        if life != 1 {
            sum += step.submit(20).await?;
        }
        if life == 0 {
            Err(flowcore::Error::msg("once"))
        } else {
            Ok(sum)
        }
    }
    in_time("removed", || {
        let run = failed(removed().run());
        let error = resume(run).unwrap().result_json().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        let gone = &children(run)[1];
        assert!(
            error.to_string().contains("strict replay") && error.to_string().contains(&gone.name),
            "{error}"
        );
        assert_eq!(row(run).replay.unwrap().orphans, 1);
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(30));
    });
}

#[test]
fn another_order_of_the_same_calls_is_no_deviation() {
    static LIVES: Bodies = Bodies::new();
    #[flow(durable, replay = "strict")]
    fn shuffled() -> flowcore::Result<Vec<u32>> {
        let life = LIVES.called();
        let mut numbers = vec![31, 32, 33];
        numbers.rotate_left(life as usize);
        let got = step.map(numbers).result()?;
        if life == 0 {
            Err(flowcore::Error::msg("once"))
        } else {
            Ok(got)
        }
    }
    in_time("shuffled", || {
        let run = failed(shuffled());
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!([32, 33, 31]));
    });
}

#[test]
fn a_strict_flow_below_a_lenient_one_is_strict() {
    static LIVES: Bodies = Bodies::new();
    #[flow(durable, replay = "strict")]
    fn careful() -> flowcore::Result<u32> {
        let life = LIVES.called();
        let before = if life == 1 { other(40)? } else { 0 };
        let sum = before + step(41)?;
        if life == 0 {
            Err(flowcore::Error::msg("once"))
        } else {
            Ok(sum)
        }
    }
    #[flow(durable)]
    fn lenient() -> flowcore::Result<u32> {
        careful()
    }
    in_time("strict below", || {
        let run = failed(lenient());
        let error = resume(run).unwrap().result_json().unwrap_err();
        assert!(error.to_string().contains("strict replay"), "{error}");
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(41));
    });
}

static BUILD: AtomicU32 = AtomicU32::new(0);

mod one {
    use super::Bodies;
    pub(super) static BODIES: Bodies = Bodies::new();
    #[flowcore::task(key = "strict::answer")]
    pub(super) fn answer() -> u32 {
        BODIES.called();
        42
    }
}

mod two {
    /// The same task, in a later build: it returns something else.
    #[flowcore::task(key = "strict::answer")]
    pub(super) fn answer() -> Vec<String> {
        vec!["42".to_owned()]
    }
}

#[test]
fn a_result_that_this_build_cannot_read_is_refused_and_stays() {
    #[flow(durable, replay = "strict")]
    fn built() -> flowcore::Result<String> {
        let got = match BUILD.load(SeqCst) {
            1 => two::answer()?.join(","),
            _ => one::answer()?.to_string(),
        };
        if BUILD.load(SeqCst) == 0 {
            Err(flowcore::Error::msg("once"))
        } else {
            Ok(got)
        }
    }
    in_time("unreadable", || {
        let run = failed(built());
        let recorded = children(run);
        BUILD.store(1, SeqCst);
        let error = resume(run).unwrap().result_json().unwrap_err();
        let told = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(
            told.contains("can't be read") && told.contains(&recorded[0].id.to_string()),
            "{told}"
        );
        assert_eq!(children(run), recorded);
        assert_eq!(
            store().result(recorded[0].number).unwrap(),
            Some((b"42"[..].into(), true))
        );
        // The build of before still has it.
        BUILD.store(2, SeqCst);
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!("42"));
        assert_eq!(one::BODIES.count(), 1);
    });
}
