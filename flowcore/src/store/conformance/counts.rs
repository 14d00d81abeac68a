//! The counts of a tree.

use std::sync::Arc;

use super::super::batch::DefinitionRow;
use super::builder::{Draft, Writer, instant};
use super::check::{Must, same_counts, states};
use super::{Make, listed};
use crate::run::RunKind::{Flow, Task};
use crate::state::StateType::{Cancelled, Completed, Crashed, Failed, Pending, Running, Scheduled};

listed! { "counts":
    counts_follow_every_change,
}

fn counts_follow_every_change(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("tree").durable().clone();
    let root = flow.number();
    let mut subflow = writer.flow_below(&flow, "tree");
    let mut tasks: Vec<Draft> = (0..4).map(|_| writer.task_below(&subflow, "leaf")).collect();
    same_counts("before the first write", &*store, root, &[]);
    writer.write([&mut flow, &mut subflow]);
    same_counts("two runs of one flow", &*store, root, &[(Flow, "tree", Pending, 2)]);
    writer.write(tasks.iter_mut());
    writer.write([flow.begin(), subflow.begin(), tasks[0].begin()]);
    same_counts(
        "after some began",
        &*store,
        root,
        &[
            (Flow, "tree", Running, 2),
            (Task, "leaf", Running, 1),
            (Task, "leaf", Pending, 3),
        ],
    );
    // From Running over others to Running: nothing has changed.
    writer.write([tasks[0].enter("AwaitingRetry").enter("Retrying")]);
    writer.write([tasks[1].begin().enter("AwaitingRetry")]);
    writer.write([tasks[2].begin().complete("1")]);
    writer.write([tasks[3].enter("NotReady")]);
    same_counts(
        "in several states",
        &*store,
        root,
        &[
            (Flow, "tree", Running, 2),
            (Task, "leaf", Running, 1),
            (Task, "leaf", Scheduled, 1),
            (Task, "leaf", Completed, 1),
            (Task, "leaf", Pending, 1),
        ],
    );
    // Two tasks of one name are counted as one.
    let mut namesake = writer.task_below(&flow, "leaf");
    namesake.write.definition = Arc::new(DefinitionRow {
        kind: Task,
        name: "leaf".into(),
        key: "elsewhere::leaf".into(),
        version: Some("2".into()),
    });
    writer.write([namesake.enter("Cancelled")]);
    // Another tree is counted for itself.
    let mut other = writer.task("leaf");
    writer.write([&mut other]);
    store.bury(writer.process(), "gone").must("burying");
    let after = [
        (Flow, "tree", Crashed, 2),
        (Task, "leaf", Crashed, 2),
        (Task, "leaf", Completed, 1),
        (Task, "leaf", Pending, 1),
        (Task, "leaf", Cancelled, 1),
    ];
    same_counts("after a burial", &*store, root, &after);
    same_counts("another tree", &*store, other.number(), &[(Task, "leaf", Crashed, 1)]);
    store.bury(writer.process(), "gone").must("burying once more");
    same_counts("after a second burial", &*store, root, &after);

    let next = Writer::new(&store);
    store.claim(flow.id(), next.process(), instant()).must("claiming");
    let mut claimed = after.to_vec();
    claimed[0] = (Flow, "tree", Crashed, 1);
    claimed.push((Flow, "tree", Pending, 1));
    same_counts("after a claim", &*store, root, &claimed);
    flow.adopt(&states(&*store, &flow));
    next.write([flow.begin().fail("again")]);
    claimed[5] = (Flow, "tree", Failed, 1);
    same_counts("after the next end", &*store, root, &claimed);
    store.delete(flow.id()).must("deleting");
    same_counts("after the deletion", &*store, root, &[]);
    same_counts("another tree", &*store, other.number(), &[(Task, "leaf", Crashed, 1)]);
}
