//! Reading one run, and what is told of trees.

use super::super::number::RunNumber;
use super::super::query::{LogQuery, RunQuery};
use super::super::row::{Edge, Group};
use super::builder::{Draft, Writer, instant};
use super::check::{Must, check, same, same_set};
use super::{Make, listed};
use crate::run::{RunId, RunKind};
use crate::state::StateType;

listed! { "reading":
    an_empty_store_is_empty,
    what_is_unknown_has_nothing,
    ids_are_found_by_their_beginnings,
    ids_are_limited,
    wrong_beginnings_find_nothing,
    groups_fold_children,
    groups_come_in_the_order_of_their_first,
    groups_are_of_one_parent,
    edges_are_those_of_children,
    edges_are_limited,
    edges_add_up,
    locations_are_told,
}

fn nothing_there(store: &dyn super::super::store::Store, number: RunNumber, id: RunId) {
    same("a run by its id", &store.run(id).must("a run by its id"), &None);
    same(
        "a run by its number",
        &store.run_numbered(number).must("by number"),
        &None,
    );
    check("states", store.states(number).must("states").is_empty());
    same("a result", &store.result(number).must("a result"), &None);
    check("groups", store.groups(number).must("groups").is_empty());
    check(
        "counts",
        store.counts(number).must("counts").iter().all(|count| count.count == 0),
    );
    check("dependencies", store.edges(number, 10).must("dependencies").is_empty());
    check(
        "recorded calls",
        store.recorded(number).must("recorded calls").is_empty(),
    );
    for below in [false, true] {
        let query = LogQuery {
            run: number,
            below,
            level: tracing::Level::TRACE,
            after: None,
            last: below,
            limit: 10,
        };
        let page = store.logs(&query).must("a log");
        check("a log", page.items.is_empty() && !page.more);
    }
    for query in [
        RunQuery {
            parent: Some(number),
            ..RunQuery::default()
        },
        RunQuery {
            root: Some(number),
            ..RunQuery::default()
        },
    ] {
        let page = store.runs(&query).must("runs");
        check("runs", page.items.is_empty() && !page.more);
    }
}

fn an_empty_store_is_empty(make: &Make) {
    let store = make();
    let page = store.runs(&RunQuery::default()).must("runs");
    check("runs", page.items.is_empty() && !page.more);
    check("processes", store.processes(true).must("processes").is_empty());
    check("ids", store.ids("0", 10).must("ids").is_empty());
    same(
        "a cached result",
        &store.cached("a", "b", 0).must("a cached result"),
        &None,
    );
    same("what was pruned", &store.prune(i64::MAX, 10).must("pruning"), &0);
    nothing_there(&*store, RunNumber::new(1, 1), RunId::generate(instant()));
}

fn what_is_unknown_has_nothing(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("known");
    writer.write([task.begin()]);
    let stranger = RunId::generate(instant());
    nothing_there(&*store, RunNumber::new(9, 9), stranger);
    nothing_there(&*store, RunNumber::from_stored(-1), stranger);
    nothing_there(&*store, RunNumber::from_stored(i64::MAX), stranger);
    // A run without children, results and lines has none of those.
    check("groups", store.groups(task.number()).must("groups").is_empty());
    check(
        "dependencies",
        store.edges(task.number(), 10).must("dependencies").is_empty(),
    );
    same("a result", &store.result(task.number()).must("a result"), &None);
}

fn digits(id: RunId) -> String {
    id.to_string().replace('-', "")
}

fn ids_are_found_by_their_beginnings(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut tasks: Vec<Draft> = (0..40).map(|_| writer.task("any")).collect();
    writer.write(tasks.iter_mut());
    let all: Vec<RunId> = tasks.iter().map(Draft::id).collect();
    for id in [all[0], all[17], all[39]] {
        for length in 1..=32 {
            let prefix = &digits(id)[..length];
            let right: Vec<RunId> = all
                .iter()
                .copied()
                .filter(|id| digits(*id).starts_with(prefix))
                .collect();
            let found = store.ids(prefix, 100).must("ids");
            same_set(&format!("ids that begin with {prefix}"), &found, &right);
        }
        same("a whole id", &store.ids(&digits(id), 2).must("ids"), &vec![id]);
    }
    // The borders of the digits.
    for prefix in [
        "0",
        "f",
        "00000000000000000000000000000000",
        "ffffffffffffffffffffffffffffffff",
    ] {
        let right: Vec<RunId> = all
            .iter()
            .copied()
            .filter(|id| digits(*id).starts_with(prefix))
            .collect();
        same_set("ids at the border", &store.ids(prefix, 100).must("ids"), &right);
    }
}

fn ids_are_limited(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut tasks: Vec<Draft> = (0..5).map(|_| writer.task("any")).collect();
    writer.write(tasks.iter_mut());
    let prefix = &digits(tasks[0].id())[..4];
    for (limit, right) in [(0, 0), (1, 1), (2, 2), (5, 5), (6, 5), (usize::MAX, 5)] {
        let mut found = store.ids(prefix, limit).must("ids");
        found.dedup();
        same("how many ids", &found.len(), &right);
    }
}

fn wrong_beginnings_find_nothing(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("any");
    writer.write([&mut task]);
    let whole = task.id().to_string();
    let long = format!("{}0", digits(task.id()));
    // Whether these are errors is the store's choice.
    for wrong in [
        "",
        "%",
        "_",
        "0x",
        "é",
        "g",
        "' OR 1=1 --",
        "\0",
        &whole,
        &long,
        &" ".repeat(32),
    ] {
        check("a wrong beginning", store.ids(wrong, 10).unwrap_or_default().is_empty());
    }
}

fn groups_fold_children(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let mut tasks: Vec<Draft> = (0..6).map(|_| writer.task_below(&flow, "leaf")).collect();
    // The same name, another kind.
    let mut subflow = writer.flow_below(&flow, "leaf");
    tasks[2].begin();
    tasks[0].begin().complete("1");
    tasks[1].begin().complete("1");
    tasks[3].begin().enter("AwaitingRetry").begin();
    tasks[4].enter("NotReady");
    writer.write(std::iter::once(flow.begin()).chain(&mut tasks));
    writer.write([subflow.begin().fail("x")]);
    let at = |n: usize, state: usize| Some(tasks[n].states()[state].unix_nanos());
    let leaf = |kind, state, count, first_started_at, last_ended_at| Group {
        kind,
        definition: "leaf".into(),
        state,
        count,
        first_started_at,
        last_ended_at,
    };
    let [began, ended] = [1, 2].map(|n| Some(subflow.states()[n].unix_nanos()));
    let right = [
        leaf(RunKind::Task, StateType::Completed, 2, at(0, 1), at(1, 2)),
        leaf(RunKind::Task, StateType::Running, 2, at(2, 1), None),
        leaf(RunKind::Task, StateType::Pending, 2, None, at(4, 1)),
        leaf(RunKind::Flow, StateType::Failed, 1, began, ended),
    ];
    same("groups", &store.groups(flow.number()).must("groups"), &right);
}

fn groups_come_in_the_order_of_their_first(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let names = ["zebra", "ape", "mole", "zebra", "ape"];
    let mut tasks = names.map(|name| writer.task_below(&flow, name));
    writer.write([flow.begin()]);
    // They are written in another order than they were made in.
    for task in tasks.iter_mut().rev() {
        writer.write([task]);
    }
    let order = || -> Vec<(String, u64)> {
        let groups = store.groups(flow.number()).must("groups");
        groups
            .into_iter()
            .map(|group| (group.definition, group.count))
            .collect()
    };
    let right = [("zebra", 2), ("ape", 2), ("mole", 1)].map(|(name, count)| (name.to_owned(), count));
    same("the order of groups", &order(), &right);
    writer.write([tasks[0].begin()]);
    let right = [("zebra", 1), ("ape", 2), ("mole", 1), ("zebra", 1)].map(|(name, count)| (name.to_owned(), count));
    same("the order of groups", &order(), &right);
}

fn groups_are_of_one_parent(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let mut child = writer.flow_below(&flow, "child");
    let mut grandchild = writer.task_below(&child, "grandchild");
    let mut other = writer.flow("other");
    let mut elsewhere = writer.task_below(&other, "elsewhere");
    writer.write([&mut flow, &mut child, &mut grandchild, &mut other, &mut elsewhere]);
    for (parent, right) in [(&flow, "child"), (&child, "grandchild"), (&other, "elsewhere")] {
        let groups = store.groups(parent.number()).must("groups");
        let names: Vec<&str> = groups.iter().map(|group| &*group.definition).collect();
        same("the groups of a parent", &names, &vec![right]);
    }
}

fn edges_are_those_of_children(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut outside = writer.task("outside");
    let mut flow = writer.flow("outer");
    let mut first = writer.task_below(&flow, "first");
    let mut second = writer.task_below(&flow, "second");
    let mut third = writer.task_below(&flow, "third");
    let mut below = writer.task_below(&third, "below");
    second.write.upstream = vec![first.number()];
    third.write.upstream = vec![first.number(), second.number(), outside.number()];
    below.write.upstream = vec![first.number()];
    flow.write.upstream = vec![outside.number()];
    writer.write([&mut outside, &mut flow, &mut first, &mut second, &mut third, &mut below]);
    let edge = |run: &Draft, upstream: &Draft| Edge {
        run: run.number(),
        upstream: upstream.number(),
    };
    let right = [
        edge(&second, &first),
        edge(&third, &first),
        edge(&third, &second),
        edge(&third, &outside),
    ];
    same_set(
        "dependencies",
        &store.edges(flow.number(), 100).must("dependencies"),
        &right,
    );
    let right = [edge(&below, &first)];
    same_set(
        "dependencies",
        &store.edges(third.number(), 100).must("dependencies"),
        &right,
    );
    check(
        "no children",
        store.edges(first.number(), 100).must("dependencies").is_empty(),
    );
}

fn edges_are_limited(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let mut tasks: Vec<Draft> = (0..4).map(|_| writer.task_below(&flow, "leaf")).collect();
    let numbers: Vec<RunNumber> = tasks.iter().map(Draft::number).collect();
    for (n, task) in tasks.iter_mut().enumerate() {
        task.write.upstream = numbers[..n].to_vec();
    }
    writer.write(std::iter::once(&mut flow).chain(&mut tasks));
    for (limit, right) in [(0, 0), (1, 1), (5, 5), (6, 6), (7, 6), (usize::MAX, 6)] {
        let found = store.edges(flow.number(), limit).must("dependencies");
        same("how many dependencies", &found.len(), &right);
    }
}

fn edges_add_up(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let mut tasks = ["a", "b", "c"].map(|name| writer.task_below(&flow, name));
    writer.write(std::iter::once(&mut flow).chain(&mut tasks));
    let [first, second, third] = &mut tasks;
    // A later write tells all that are known; the same twice is one.
    third.write.upstream = vec![first.number()];
    writer.write([&mut *third]);
    third.write.upstream = vec![first.number(), second.number(), first.number()];
    writer.write([third.begin()]);
    let edge = |upstream: &Draft| Edge {
        run: third.number(),
        upstream: upstream.number(),
    };
    let right = [edge(first), edge(second)];
    same_set(
        "dependencies",
        &store.edges(flow.number(), 100).must("dependencies"),
        &right,
    );
}

fn locations_are_told(make: &Make) {
    let store = make();
    check("a store tells where it is", !store.location().is_empty());
}
