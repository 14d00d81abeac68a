//! A power cut: what had not reached the disk is gone. What is left of SQLite's log is any beginning of it, at worst with its last page
//! torn; the store must open on each, with whole batches in the order in which they were written, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test may panic anywhere")]

use std::fs;
use std::sync::Arc;

use flowcore::store::conformance::Writer;
use flowcore::store::{Durability, RunQuery, SqliteOptions, SqliteStore, Store};
use flowcore_tests::Directory;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

const BATCHES: usize = 40;
const TASKS: usize = 5;
const CUTS: usize = 150;

fn open(directory: &Directory, durability: Durability) -> Arc<dyn Store> {
    let mut options = SqliteOptions::default();
    options.durability = durability;
    Arc::new(SqliteStore::open(directory.file("flow.db"), options).unwrap())
}

fn roots(store: &dyn Store) -> Vec<flowcore::store::RunRow> {
    let query = RunQuery {
        roots: true,
        oldest_first: true,
        limit: 1000,
        ..RunQuery::default()
    };
    store.runs(&query).unwrap().items
}

#[test]
fn whatever_is_left_of_the_log_is_a_beginning_of_what_was_written() {
    let place = Directory::new();
    let store = open(&place, Durability::Normal);
    let writer = Writer::new(&store);
    let mut written = Vec::new();
    for _ in 0..BATCHES {
        let mut flow = writer.flow("storm");
        flow.begin().complete("5");
        let mut tasks: Vec<_> = (0..TASKS).map(|_| writer.task_below(&flow, "gust")).collect();
        for task in &mut tasks {
            task.begin().complete("1");
        }
        written.push(flow.id());
        writer.write(std::iter::once(&mut flow).chain(&mut tasks));
    }
    // Still open: nothing has been moved from the log to the file.
    let log = fs::read(place.file("flow.db-wal")).unwrap();
    let base = fs::read(place.file("flow.db")).unwrap();

    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[12; 32]);
    let (mut most, mut least) = (0, BATCHES);
    for cut in 0..CUTS {
        let kept = random.next_u64() as usize % (log.len() + 1);
        let mut left = log[..kept].to_vec();
        // A page may be there by its length and not by its content.
        if cut % 2 == 1 {
            let torn = left.len().saturating_sub(random.next_u64() as usize % 4096);
            left[torn..].fill(0);
        }
        let after = Directory::new();
        fs::write(after.file("flow.db"), &base).unwrap();
        fs::write(after.file("flow.db-wal"), &left).unwrap();
        let store = open(&after, Durability::Normal);
        assert_eq!(
            store.check(true).unwrap().problems,
            Vec::<String>::new(),
            "{kept} bytes left"
        );
        let found = roots(&*store);
        assert!(
            found
                .iter()
                .map(|run| run.id)
                .eq(written.iter().copied().take(found.len())),
            "{kept} bytes left: no beginning of what was written"
        );
        for root in &found {
            let below: u64 = store.counts(root.number).unwrap().iter().map(|count| count.count).sum();
            assert_eq!(below, 1 + TASKS as u64, "{kept} bytes left: half a batch");
            assert!(root.state.is_completed());
        }
        (most, least) = (most.max(found.len()), least.min(found.len()));
    }
    assert!(
        most > BATCHES / 2 && least < BATCHES / 2,
        "the cuts were all alike: {least} to {most}"
    );
}
