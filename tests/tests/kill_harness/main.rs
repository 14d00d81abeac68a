//! Processes are killed anywhere, hundreds of times, and their durable flows go on: no recorded result is lost, changed, or made again.
//!
//! Each round has a plan (what the flow calls, and how), a fresh store, and one to four kills, all drawn from its seed: at a failpoint of
//! flowcore's, after a line in the ledger that the bodies keep outside of the store, or by SIGKILL after some time. Between two processes
//! the oracle looks into the store's file and the ledger.
//!
//! `KILL_ROUNDS` says how many rounds are played, 500 unless told otherwise; `KILL_SEED` plays that one alone. What a failure prints names
//! the seed, and its store is kept.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]
#![cfg(unix)]

mod kill;
mod oracle;
mod round;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::kill::FAILPOINTS;
use crate::round::{Report, play};

/// Rounds are played by so many threads.
const THREADS: usize = 3;

fn setting(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
    )
}

/// Plays rounds until all are, or one has failed.
fn play_all(seeds: std::ops::Range<u64>, broken: Option<&'static str>) -> (Vec<Report>, Option<String>) {
    let next = AtomicU64::new(seeds.start);
    let (reports, failure) = (Mutex::new(Vec::new()), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while failure.lock().unwrap().is_none() {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end {
                        return;
                    }
                    match play(seed, broken) {
                        Ok(report) => reports.lock().unwrap().push(report),
                        Err(found) => drop(failure.lock().unwrap().get_or_insert(found)),
                    }
                }
            });
        }
    });
    (reports.into_inner().unwrap(), failure.into_inner().unwrap())
}

#[test]
fn whatever_is_killed_goes_on_where_it_was() {
    let rounds = setting("KILL_ROUNDS").unwrap_or(500);
    let seeds = setting("KILL_SEED").map_or(0..rounds, |seed| seed..seed + 1);
    let (reports, failure) = play_all(seeds, None);
    if let Some(found) = failure {
        panic!("{found}");
    }
    let mut kills = BTreeMap::new();
    for (name, count) in reports.iter().flat_map(|report| &report.kills) {
        *kills.entry(*name).or_insert(0) += count;
    }
    let total = |of: fn(&Report) -> u32| reports.iter().map(of).sum::<u32>();
    println!(
        "{} rounds, {} processes, {} bodies begun again, {} calls answered; killed: {kills:?}",
        reports.len(),
        total(|report| report.processes),
        total(|report| report.bodies_again),
        total(|report| report.answered),
    );
    if reports.len() >= 500 {
        let never: Vec<_> = FAILPOINTS
            .iter()
            .filter(|(name, _)| !kills.contains_key(name))
            .collect();
        assert!(never.is_empty(), "no process was killed there: {never:?}");
        assert!(kills["SIGKILL"] > 20 && kills["body-end"] > 5, "{kills:?}");
    }
}

/// Stores that break a promise, and what the oracle finds of it: it need not be the same each time.
const BROKEN: &[(&str, &[&str])] = &[
    // A strict flow sees the hole itself, and ends its process with an error.
    ("forgets calls", &["two rows: ", "ran again: ", "a process "]),
    ("forgets some calls", &["two rows: ", "ran again: ", "a process "]),
    ("forgets results", &["ran again: "]),
    ("mixes results", &["wrong: ", "lost: ", "changed: "]),
    ("alters results", &["changed: "]),
    ("acknowledges early", &["lost: a flow has got ", "lost: the body of "]),
    ("writes results apart", &["lost: "]),
    ("overwrites results", &["changed: "]),
    (
        "loses some writes",
        &[
            "lost: ",
            "miscounted: ",
            "damaged: ",
            "left open: ",
            "unknown: ",
            "a process ",
        ],
    ),
    ("writes calls twice", &["two rows: "]),
    ("counts attempts late", &["miscounted: "]),
    ("buries nobody", &["left open: "]),
    ("buries twice", &["miscounted: "]),
    ("miscounts runs", &["damaged: "]),
    ("loses parents", &["damaged: "]),
];

/// Without this, nobody would know whether the harness sees anything.
#[test]
fn the_oracle_catches_every_broken_store() {
    for (broken, findings) in BROKEN {
        // What a round finds first depends on its plan and its threads: that it finds something is what counts, and that what is due is
        // among what the first of them find.
        let (mut played, mut others) = (0, Vec::new());
        let found = loop {
            let (reports, failure) = play_all(played..2000, Some(broken));
            played += reports.len() as u64 + 1;
            let found = failure.unwrap_or_else(|| panic!("nobody noticed a store that {broken}: {others:?}"));
            let told = found.split_once(": ").map_or("", |(_, told)| told);
            if findings.iter().any(|due| told.starts_with(due)) {
                break found;
            }
            others.push(found);
            assert!(others.len() < 20, "a store that {broken}: {others:?}");
        };
        println!(
            "a store that {broken}, after {played} rounds: {}",
            found.lines().next().unwrap()
        );
    }
}
