//! How much room a run takes, and how long its writing takes.

use std::time::Instant;

use super::world::*;
use crate::store::{RunWrite, Store};

const RUNS: u64 = 100_000;

/// A tree of `RUNS` runs, four children each, in batches as the writer makes them.
pub(super) fn tree(process: u32, runs: u64) -> Vec<Vec<RunWrite>> {
    let (flow, task) = (definition("process-tree-flow"), definition("process_node"));
    let mut made: Vec<RunWrite> = Vec::new();
    for count in 0..runs {
        let parent = (count > 0).then(|| &made[usize::try_from((count - 1) / 4).unwrap()]);
        let definition = if count % 2 == 0 { &flow } else { &task };
        let made_now = with_result(run(process, count, parent, definition, DONE), "\"Processed node: A1\"");
        made.push(made_now);
    }
    made.chunks(5_000).map(<[RunWrite]>::to_vec).collect()
}

#[test]
fn a_run_takes_no_more_than_300_bytes() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    let batches = tree(process, RUNS);
    let begin = Instant::now();
    for (runs, sequence) in batches.into_iter().zip(1..) {
        store.apply(&batch(process, sequence, runs)).unwrap();
    }
    let taken = begin.elapsed();
    drop(store);
    let bytes = std::fs::metadata(place.file()).unwrap().len();
    println!(
        "{} bytes a run, {:.0} runs/s",
        bytes / RUNS,
        RUNS as f64 / taken.as_secs_f64()
    );
    assert!(bytes <= 300 * RUNS, "{} bytes a run", bytes / RUNS);
}
