//! Deleting, pruning, checking.

use tracing::Level;

use super::super::error::StoreErrorKind;
use super::super::query::{LogQuery, RunQuery};
use super::super::store::Store;
use super::builder::{Draft, Writer, instant};
use super::check::{Must, check, error, is_gone, row, same, same_counts, same_runs, same_set, states};
use super::{Make, listed};
use crate::run::RunId;
use crate::state::StateName;

listed! { "upkeep":
    a_deleted_tree_is_gone,
    a_deletion_leaves_others,
    only_roots_are_deleted,
    open_trees_are_not_deleted,
    what_is_gone_is_not_deleted,
    what_ended_before_is_pruned,
    the_oldest_are_pruned_first,
    open_trees_are_not_pruned,
    claimed_trees_are_not_pruned,
    cached_results_that_live_are_not_pruned,
    odd_limits_are_no_trouble,
    a_store_in_use_is_in_order,
}

/// A tree of six runs that has ended, with lines, results, dependencies and a cached result.
fn tree(writer: &Writer) -> Vec<Draft> {
    let mut flow = writer.flow("outer");
    flow.durable().begin();
    let mut subflow = writer.flow_below(&flow, "middle");
    subflow.begin();
    let mut tasks: Vec<Draft> = (0..4).map(|_| writer.task_below(&subflow, "inner")).collect();
    let first = tasks[0].number();
    for task in &mut tasks {
        task.write.tags = vec!["leaf".into()];
        task.begin().complete("1");
        if task.number() != first {
            task.write.upstream = vec![first];
        }
    }
    let mut runs = vec![flow, subflow];
    runs.append(&mut tasks);
    writer.write(runs.iter_mut());
    runs[1].complete("2");
    runs[0].fail("too late");
    writer.write(runs[..2].iter_mut().rev());
    for run in &runs {
        writer.log(run, [(Level::INFO, "one"), (Level::INFO, "two")]);
    }
    runs
}

fn log_of(run: &Draft) -> LogQuery {
    LogQuery {
        run: run.number(),
        below: true,
        level: Level::TRACE,
        after: None,
        last: false,
        limit: 100,
    }
}

#[track_caller]
fn nothing_is_left(store: &dyn Store, runs: &[Draft]) {
    for run in runs {
        is_gone(store, run);
        same(
            "by its number",
            &store.run_numbered(run.number()).must("by its number"),
            &None,
        );
        check("its states", states(store, run).is_empty());
        same("its result", &store.result(run.number()).must("its result"), &None);
        check("its log", store.logs(&log_of(run)).must("its log").items.is_empty());
        check("its groups", store.groups(run.number()).must("its groups").is_empty());
        check("its calls", store.recorded(run.number()).must("its calls").is_empty());
        check(
            "dependencies",
            store.edges(run.number(), 10).must("dependencies").is_empty(),
        );
        let digits = run.id().to_string().replace('-', "");
        check("its id", store.ids(&digits, 10).must("its id").is_empty());
        same_counts("counts", store, run.number(), &[]);
    }
}

#[track_caller]
fn all(store: &dyn Store) -> Vec<RunId> {
    let query = RunQuery {
        limit: 1_000,
        ..RunQuery::default()
    };
    store
        .runs(&query)
        .must("all runs")
        .items
        .iter()
        .map(|row| row.id)
        .collect()
}

fn a_deleted_tree_is_gone(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let runs = tree(&writer);
    same(
        "how many runs are gone",
        &store.delete(runs[0].id()).must("deleting"),
        &6,
    );
    nothing_is_left(&*store, &runs);
    check("no runs", all(&*store).is_empty());
    let tagged = RunQuery {
        tags: vec!["leaf".into()],
        ..RunQuery::default()
    };
    check(
        "no runs by tag",
        store.runs(&tagged).must("runs by tag").items.is_empty(),
    );

    // A cached result goes with its run.
    let mut task = writer.task("cached");
    task.write.cache = Some(("key".into(), None));
    writer.write([task.begin().complete("1")]);
    store.delete(task.id()).must("deleting");
    let found = store.cached("tests::cached", "key", instant()).must("a cached result");
    same("a deleted run's cached result", &found, &None);
}

fn a_deletion_leaves_others(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let [before, gone, after] = [tree(&writer), tree(&writer), tree(&writer)];
    store.delete(gone[0].id()).must("deleting");
    nothing_is_left(&*store, &gone);
    for runs in [&before, &after] {
        same_runs(&*store, writer.process(), runs);
        same("lines", &store.logs(&log_of(&runs[0])).must("the log").items.len(), &12);
        same(
            "dependencies",
            &store.edges(runs[1].number(), 10).must("dependencies").len(),
            &3,
        );
        same("calls", &store.recorded(runs[1].number()).must("calls").len(), &4);
    }
    let right: Vec<RunId> = before.iter().chain(&after).map(Draft::id).collect();
    same_set("the runs that are left", &all(&*store), &right);
}

fn only_roots_are_deleted(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let runs = tree(&writer);
    for run in &runs[1..] {
        error(
            "deleting what isn't a root",
            store.delete(run.id()),
            StoreErrorKind::Refused,
        );
    }
    same_runs(&*store, writer.process(), &runs);
}

fn open_trees_are_not_deleted(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    for state in StateName::ALL {
        let mut flow = writer.flow("any");
        flow.enter(state.as_str());
        writer.write([&mut flow]);
        if flow.states()[1].is_final() {
            same(
                "how many runs are gone",
                &store.delete(flow.id()).must(state.as_str()),
                &1,
            );
            is_gone(&*store, &flow);
        } else {
            let what = format!("deleting a run that is {}", state.as_str());
            error(&what, store.delete(flow.id()), StoreErrorKind::Refused);
            same_runs(&*store, writer.process(), [&flow]);
        }
    }
    // The root is over, and a run deep below it isn't.
    let mut flow = writer.flow("outer");
    let mut subflow = writer.flow_below(&flow, "middle");
    let mut task = writer.task_below(&subflow, "inner");
    flow.begin().fail("x");
    subflow.begin().fail("x");
    writer.write([&mut flow, &mut subflow, task.begin()]);
    error(
        "deleting an open tree",
        store.delete(flow.id()),
        StoreErrorKind::Refused,
    );
    same_runs(&*store, writer.process(), [&flow, &subflow, &task]);
    writer.write([task.fail("x")]);
    same("how many runs are gone", &store.delete(flow.id()).must("deleting"), &3);
}

fn what_is_gone_is_not_deleted(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let unknown = store.delete(RunId::generate(instant()));
    error("deleting what isn't there", unknown, StoreErrorKind::NotFound);
    let runs = tree(&writer);
    store.delete(runs[0].id()).must("deleting");
    error(
        "deleting once more",
        store.delete(runs[0].id()),
        StoreErrorKind::NotFound,
    );
}

fn what_ended_before_is_pruned(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let trees = [tree(&writer), tree(&writer), tree(&writer)];
    let ended = row(&*store, &trees[1][0]).ended_at.must("its end");
    same("what ended before", &store.prune(ended, 100).must("pruning"), &6);
    nothing_is_left(&*store, &trees[0]);
    for runs in &trees[1..] {
        same_runs(&*store, writer.process(), runs);
        same("lines", &store.logs(&log_of(&runs[0])).must("the log").items.len(), &12);
    }
    same("nothing more", &store.prune(ended, 100).must("pruning"), &0);
    same("a moment later", &store.prune(ended + 1, 100).must("pruning"), &6);
    nothing_is_left(&*store, &trees[1]);
    same_runs(&*store, writer.process(), &trees[2]);
    // A root that is NotReady is over.
    let mut never = writer.task("never");
    writer.write([never.enter("NotReady")]);
    same("all", &store.prune(i64::MAX, 100).must("pruning"), &7);
    check("no runs", all(&*store).is_empty());
}

fn the_oldest_are_pruned_first(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let trees: Vec<Vec<Draft>> = (0..5).map(|_| tree(&writer)).collect();
    for n in [0, 2] {
        same("two trees", &store.prune(i64::MAX, 2).must("pruning"), &12);
        nothing_is_left(&*store, &trees[n]);
        nothing_is_left(&*store, &trees[n + 1]);
        for runs in &trees[n + 2..] {
            same_runs(&*store, writer.process(), runs);
        }
    }
    same("the last", &store.prune(i64::MAX, 2).must("pruning"), &6);
}

fn open_trees_are_not_pruned(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut open = writer.flow("open");
    let mut ended = writer.flow("ended");
    let mut task = writer.task_below(&ended, "still open");
    ended.begin().fail("x");
    writer.write([open.begin(), &mut ended, task.begin().enter("AwaitingRetry")]);
    // Those that may not go don't count for the limit.
    let old = tree(&writer);
    same("what may go", &store.prune(i64::MAX, 1).must("pruning"), &6);
    nothing_is_left(&*store, &old);
    same_runs(&*store, writer.process(), [&open, &ended, &task]);
    writer.write([task.fail("x"), open.complete("1")]);
    same("what may go", &store.prune(i64::MAX, 100).must("pruning"), &3);
    check("no runs", all(&*store).is_empty());
}

fn claimed_trees_are_not_pruned(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut runs = tree(&writer);
    store.claim(runs[0].id(), writer.process(), instant()).must("claiming");
    same("what may go", &store.prune(i64::MAX, 100).must("pruning"), &0);
    error(
        "deleting a claimed run",
        store.delete(runs[0].id()),
        StoreErrorKind::Refused,
    );
    let (flow, below) = runs.split_at_mut(1);
    flow[0].adopt(&states(&*store, &flow[0]));
    flow[0].write.error = Vec::new();
    same_runs(&*store, writer.process(), flow.iter().chain(&*below));
    writer.write([flow[0].begin().complete("3")]);
    same("what may go", &store.prune(i64::MAX, 100).must("pruning"), &6);
}

fn cached_results_that_live_are_not_pruned(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let now = instant();
    // Pruning goes by the clock of today.
    for (name, until) in [("expired", Some(now)), ("limited", Some(i64::MAX)), ("endless", None)] {
        let mut flow = writer.flow("outer");
        let mut task = writer.task_below(&flow, name);
        task.write.cache = Some(("key".into(), until));
        task.begin().complete("42");
        writer.write([flow.begin(), &mut task]);
        writer.write([flow.complete("1")]);
    }
    check(
        "what isn't needed goes",
        store.prune(i64::MAX, 100).must("pruning") >= 2,
    );
    let cached = |name: &str| {
        store
            .cached(&format!("tests::{name}"), "key", now)
            .must("a cached result")
    };
    same("a result that has expired", &cached("expired"), &None);
    same("a result that lives", &cached("limited"), &Some((*b"42").into()));
    same(
        "a result that never expires",
        &cached("endless"),
        &Some((*b"42").into()),
    );
}

fn odd_limits_are_no_trouble(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let runs = tree(&writer);
    same("none", &store.prune(i64::MAX, 0).must("pruning"), &0);
    same("before all time", &store.prune(i64::MIN, 10).must("pruning"), &0);
    same_runs(&*store, writer.process(), &runs);
    same(
        "as many as there are",
        &store.prune(i64::MAX, usize::MAX).must("pruning"),
        &6,
    );
}

fn a_store_in_use_is_in_order(make: &Make) {
    let store = make();
    let in_order = |when: &str| {
        for deep in [false, true] {
            let health = store.check(deep).must("checking");
            same(&format!("problems {when}"), &health.problems, &Vec::<String>::new());
            check("facts are told", !health.facts.is_empty());
        }
    };
    in_order("of an empty store");
    let [writer, dead] = [Writer::new(&store), Writer::new(&store)];
    let trees = [tree(&writer), tree(&dead), tree(&writer)];
    let mut open = dead.flow("open").durable().clone();
    let mut task = dead.task_below(&open, "waiting");
    dead.write([open.begin(), task.begin()]);
    in_order("with runs");
    store.bury(dead.process(), "gone").must("burying");
    in_order("after a burial");
    store.claim(open.id(), writer.process(), instant()).must("claiming");
    in_order("after a claim");
    store.delete(trees[0][0].id()).must("deleting");
    in_order("after a deletion");
    store.prune(i64::MAX, 1).must("pruning");
    in_order("after pruning");
    writer.write_again(&[]);
    in_order("after an empty batch");
}
