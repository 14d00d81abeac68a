//! What the suite for all stores doesn't ask: what is forgotten, and batches out of order.

use std::sync::Arc;

use super::super::conformance::{Draft, Writer};
use super::super::query::RunQuery;
use super::super::store::Store;
use super::MemoryStore;
use crate::run::RunId;

fn tree(writer: &Writer, leaves: usize) -> Vec<Draft> {
    let mut flow = writer.flow("tree");
    flow.begin();
    let leaves: Vec<Draft> = (0..leaves).map(|_| writer.task_below(&flow, "leaf")).collect();
    std::iter::once(flow).chain(leaves).collect()
}

fn end(tree: &mut [Draft]) {
    for run in tree.iter_mut().rev() {
        if run.write.attempt == 0 {
            run.begin();
        }
        run.complete("1");
    }
}

fn roots(store: &dyn Store) -> Vec<RunId> {
    let query = RunQuery {
        roots: true,
        oldest_first: true,
        ..RunQuery::default()
    };
    store.runs(&query).unwrap().items.iter().map(|row| row.id).collect()
}

#[test]
fn whole_trees_go_those_that_ended_first() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::with_max_runs(10));
    let writer = Writer::new(&store);
    let mut trees: Vec<Vec<Draft>> = (0..4).map(|_| tree(&writer, 4)).collect();
    for tree in &mut trees {
        writer.write(tree.iter_mut());
    }
    let ids: Vec<RunId> = trees.iter().map(|tree| tree[0].id()).collect();
    assert_eq!(roots(&*store), ids, "a tree with an open run never goes");

    let log = [(tracing::Level::INFO, "line")];
    for n in [2, 0, 3, 1] {
        end(&mut trees[n]);
        writer.log(&trees[n][1], log);
        writer.write(trees[n].iter_mut());
    }
    assert_eq!(roots(&*store), [ids[1], ids[3]], "the latest ten are kept");
    assert!(store.run(trees[0][3].id()).unwrap().is_none());
    assert!(store.counts(trees[0][0].number()).unwrap().is_empty());
    let health = store.check(true).unwrap();
    assert_eq!(health.problems, [""; 0]);
    assert!(health.facts.contains(&("log lines".to_owned(), "2".to_owned())));
}

#[test]
fn a_tree_that_is_larger_than_all_stays_until_enough_is_left_without_it() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::with_max_runs(10));
    let writer = Writer::new(&store);
    let mut large = tree(&writer, 50);
    end(&mut large);
    writer.write(large.iter_mut());
    for n in 0..10 {
        assert!(store.run(large[0].id()).unwrap().is_some(), "{n} others");
        let mut small = tree(&writer, 0);
        end(&mut small);
        writer.write(small.iter_mut());
    }
    assert!(store.run(large[0].id()).unwrap().is_none());
    assert_eq!(roots(&*store).len(), 10);
}

#[test]
fn batches_of_several_threads_come_out_of_order() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let writer = Writer::new(&store);
    let mut tasks = [writer.task("a"), writer.task("b"), writer.task("c")];
    let batches: Vec<_> = tasks.iter_mut().map(|task| writer.batch([task])).collect();
    for batch in batches.iter().rev() {
        store.apply(batch).unwrap();
    }
    for task in &tasks {
        assert!(store.run(task.id()).unwrap().is_some());
    }
}

#[test]
fn a_child_may_come_before_its_parent() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let writer = Writer::new(&store);
    let mut tree = tree(&writer, 2);
    end(&mut tree);
    let [flow, first, second] = &mut tree[..] else { panic!() };
    writer.write([&mut *first]);
    // Nothing ended before its root was written is pruned.
    assert_eq!(store.prune(i64::MAX, 10).unwrap(), 0);
    writer.write([&mut *flow, &mut *second]);
    assert_eq!(store.groups(flow.number()).unwrap()[0].count, 2);
    assert_eq!(store.check(true).unwrap().problems, [""; 0]);
    assert_eq!(store.prune(i64::MAX, 10).unwrap(), 3);
}
