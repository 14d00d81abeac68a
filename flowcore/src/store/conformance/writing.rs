//! Batches: what is written is there, once, and whole.

use std::sync::Arc;

use super::super::batch::{CallKey, DefinitionRow, ResultWrite};
use super::super::error::StoreErrorKind;
use super::super::number::RunNumber;
use super::super::row::Replay;
use super::builder::{Draft, Writer, instant};
use super::check::{Must, check, error, is_gone, row, same, same_counts, same_runs, state_name, states};
use super::{Make, listed};
use crate::run::RunKind::{Flow, Task};
use crate::state::{StateName, StateType};

listed! { "writing":
    a_bare_run_is_kept,
    every_field_is_kept,
    extreme_numbers_are_kept,
    every_state_is_kept,
    states_are_kept_over_many_batches,
    long_histories_are_kept,
    times_follow_the_states,
    a_later_write_changes_what_it_tells,
    a_run_that_goes_on_forgets_its_end,
    a_run_belongs_to_who_wrote_it_last,
    a_new_parent_stands_before_its_children,
    large_batches_are_written,
    an_empty_batch_is_no_trouble,
    a_batch_is_written_once,
    another_batch_of_the_same_number_is_not_written,
    sequences_of_processes_are_apart,
    a_write_repeated_changes_nothing,
    an_old_write_repeated_changes_nothing,
    a_batch_is_written_whole_or_not_at_all,
    who_was_declared_dead_is_fenced,
    who_left_is_fenced,
    counts_follow_every_change,
}

fn a_bare_run_is_kept(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("bare");
    writer.write([&mut task]);
    same_runs(&*store, writer.process(), [&task]);
    same("its result", &store.result(task.number()).must("its result"), &None);
}

fn every_field_is_kept(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    flow.durable().begin();
    let mut other = writer.task_below(&flow, "other");
    let mut task = writer.task_below(&flow, "inner");
    task.write.definition = Arc::new(DefinitionRow {
        kind: Task,
        name: "inner".into(),
        key: "app::inner".into(),
        version: Some("2.1".into()),
    });
    task.write.name = "inner-of-42".into();
    task.write.parameters = Some(r#"{"n":42,"s":"x"}"#.into());
    task.write.tags = vec!["b".into(), "a".into()];
    task.write.call_key = Some(CallKey([7; 16]));
    task.write.upstream = vec![other.number()];
    task.write.cache = Some(("forty-two".into(), Some(i64::MAX)));
    task.begin()
        .enter_at("AwaitingRetry", instant(), Some("after an error"));
    task.write.retry_at = Some(instant());
    task.write.forgiven = 1;
    task.write.crashes = 3;
    writer.write([&mut flow, &mut other, &mut task]);
    same_runs(&*store, writer.process(), [&flow, &other, &task]);

    task.begin().fail("disk on fire");
    task.write.error = vec!["disk on fire".into(), "smoke".into(), "spark".into()];
    let mut orphan_names = vec!["a".to_owned(), "b".to_owned()];
    flow.write.replay = Some(Replay {
        answered: 1,
        again: 2,
        new: 3,
        orphans: u64::from(u32::MAX) + 1,
        orphan_names: std::mem::take(&mut orphan_names),
    });
    flow.complete("null");
    writer.write([&mut task, &mut flow]);
    same_runs(&*store, writer.process(), [&flow, &other, &task]);
}

fn extreme_numbers_are_kept(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("extreme");
    task.write.number = RunNumber::new(writer.process(), (1 << 40) - 1);
    task.write.root = task.write.number;
    task.write.depth = u32::MAX;
    task.write.attempt = u32::MAX;
    task.write.forgiven = u32::MAX;
    task.write.crashes = u32::MAX;
    task.write.retry_at = Some(i64::MAX);
    task.enter_at("AwaitingRetry", i64::MAX - 1, None);
    writer.write([&mut task]);
    same_runs(&*store, writer.process(), [&task]);
}

fn every_state_is_kept(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    for state in StateName::ALL {
        for message in [None, Some("why")] {
            let mut task = writer.task("any");
            task.enter_at(state.as_str(), instant(), message);
            writer.write([&mut task]);
            same_runs(&*store, writer.process(), [&task]);
            let row = row(&*store, &task);
            same("the state's name", &row.state.name(), &state.as_str());
            same("the state's type", &row.state.kind(), &state.kind());
            check(
                "a run is over in final states only",
                row.ended_at.is_some() == row.state.is_final(),
            );
        }
    }
}

fn states_are_kept_over_many_batches(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("steps");
    let steps = [
        "Running",
        "AwaitingRetry",
        "Retrying",
        "Paused",
        "Running",
        "Cancelling",
        "Cancelled",
    ];
    writer.write([&mut task]);
    for (n, name) in steps.into_iter().enumerate() {
        task.enter_at(name, instant(), Some(&format!("step {n}")));
        writer.write([&mut task]);
        same_runs(&*store, writer.process(), [&task]);
    }
    // A write that brings no new state brings the rest.
    task.write.error = vec!["stopped".into()];
    writer.write([&mut task]);
    same_runs(&*store, writer.process(), [&task]);
}

fn long_histories_are_kept(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("stubborn");
    for _ in 0..500 {
        task.begin().enter("AwaitingRetry");
    }
    writer.write([&mut task]);
    same_runs(&*store, writer.process(), [&task]);
    for _ in 0..500 {
        task.begin().enter("AwaitingRetry");
    }
    writer.write([&mut task]);
    same_runs(&*store, writer.process(), [&task]);
}

fn times_follow_the_states(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("timed");
    writer.write([&mut task]);
    let times = |task: &Draft| {
        let row = row(&*store, task);
        (row.created_at, row.started_at, row.ended_at)
    };
    let made = task.states()[0].unix_nanos();
    same("a run that waits", &times(&task), &(made, None, None));
    writer.write([task.begin()]);
    let began = task.states()[1].unix_nanos();
    same("a run whose body began", &times(&task), &(made, Some(began), None));
    writer.write([task.enter("AwaitingRetry")]);
    writer.write([task.begin()]);
    same(
        "the first body's begin counts",
        &times(&task),
        &(made, Some(began), None),
    );
    writer.write([task.complete("1")]);
    let ended = task.states()[4].unix_nanos();
    same("a run that is over", &times(&task), &(made, Some(began), Some(ended)));

    let mut never = writer.task("never");
    never.enter("NotReady");
    writer.write([&mut never]);
    let [made, ended] = [0, 1].map(|n| never.states()[n].unix_nanos());
    same(
        "a run that is NotReady is over",
        &times(&never),
        &(made, None, Some(ended)),
    );
}

fn a_later_write_changes_what_it_tells(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("changing");
    task.begin();
    writer.write([&mut task]);
    task.write.attempt = 5;
    task.write.forgiven = 2;
    task.write.crashes = 1;
    task.write.error = vec!["a".into()];
    task.write.tags = vec!["late".into()];
    task.write.parameters = Some("{}".into());
    task.write.replay = Some(Replay::default());
    task.enter("Paused");
    writer.write([&mut task]);
    same_runs(&*store, writer.process(), [&task]);

    task.write.error = vec!["b".into(), "c".into()];
    task.enter("Failed");
    task.write.result = Some(ResultWrite {
        json: (*b"[1,2").into(),
        whole: false,
    });
    writer.write([&mut task]);
    same_runs(&*store, writer.process(), [&task]);
    let result = store.result(task.number()).must("the result").must("the result");
    same("the head of a result", &result, &((*b"[1,2").into(), false));
}

fn a_run_that_goes_on_forgets_its_end(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("resumed");
    flow.durable().begin();
    let mut task = writer.task_below(&flow, "again");
    task.begin().fail("first");
    writer.write([&mut flow, &mut task]);
    task.write.error = Vec::new();
    task.enter("Pending");
    writer.write([&mut task]);
    same_runs(&*store, writer.process(), [&task]);
    same_counts(
        "a run that is open again",
        &*store,
        flow.number(),
        &[
            (Flow, "resumed", StateType::Running, 1),
            (Task, "again", StateType::Pending, 1),
        ],
    );
    task.begin().complete("2");
    writer.write([&mut task]);
    same_runs(&*store, writer.process(), [&task]);
}

fn a_run_belongs_to_who_wrote_it_last(make: &Make) {
    let store = make();
    let [first, second] = [Writer::new(&store), Writer::new(&store)];
    let mut task = first.task("moved");
    first.write([task.begin()]);
    same_runs(&*store, first.process(), [&task]);
    second.write([task.enter("AwaitingRetry")]);
    same_runs(&*store, second.process(), [&task]);
}

fn a_new_parent_stands_before_its_children(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut chain = vec![writer.flow("level")];
    for _ in 1..50 {
        let parent = chain[chain.len() - 1].clone();
        chain.push(writer.flow_below(&parent, "level"));
    }
    writer.write(chain.iter_mut());
    same_runs(&*store, writer.process(), &chain);
    let root = chain[0].number();
    same_counts("a deep tree", &*store, root, &[(Flow, "level", StateType::Pending, 50)]);
}

fn large_batches_are_written(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("wide");
    flow.begin();
    let mut tasks: Vec<Draft> = (0..5_000).map(|_| writer.task_below(&flow, "leaf")).collect();
    for task in &mut tasks {
        task.begin().complete("1");
    }
    let mut batch = writer.batch(std::iter::once(&mut flow).chain(&mut tasks));
    batch.logs = tasks
        .iter()
        .map(|task| task.line(tracing::Level::INFO, "hello"))
        .collect();
    store.apply(&batch).must("a large batch");
    same_counts(
        "a large batch",
        &*store,
        flow.number(),
        &[
            (Flow, "wide", StateType::Running, 1),
            (Task, "leaf", StateType::Completed, 5_000),
        ],
    );
    same_runs(&*store, writer.process(), tasks.iter().step_by(499));
}

fn an_empty_batch_is_no_trouble(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    writer.write([]);
    let mut task = writer.task("after");
    writer.write([&mut task]);
    same_runs(&*store, writer.process(), [&task]);
}

fn a_batch_is_written_once(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("once");
    let mut task = writer.task_below(&flow, "child");
    task.begin();
    let mut batch = writer.batch([flow.begin(), &mut task]);
    batch.logs = vec![task.line(tracing::Level::INFO, "only once")];
    for _ in 0..3 {
        store.apply(&batch).must("a batch that the store has");
    }
    same_runs(&*store, writer.process(), [&flow, &task]);
    same_counts(
        "a batch written three times",
        &*store,
        flow.number(),
        &[
            (Flow, "once", StateType::Running, 1),
            (Task, "child", StateType::Running, 1),
        ],
    );
    let query = super::super::query::LogQuery {
        run: task.number(),
        below: false,
        level: tracing::Level::TRACE,
        after: None,
        last: false,
        limit: 10,
    };
    same(
        "lines of a batch written three times",
        &store.logs(&query).must("the log").items.len(),
        &1,
    );

    // Later ones in between don't make it new.
    writer.write([task.complete("1")]);
    store.apply(&batch).must("a batch that the store has");
    same_runs(&*store, writer.process(), [&flow, &task]);
    same(
        "lines of a batch written again",
        &store.logs(&query).must("the log").items.len(),
        &1,
    );
}

fn another_batch_of_the_same_number_is_not_written(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("first");
    let mut other = writer.task("second");
    let batch = writer.batch([&mut task]);
    store.apply(&batch).must("a batch");
    let mut imposter = writer.batch([&mut other]);
    imposter.sequence = batch.sequence;
    store.apply(&imposter).must("a batch of a number that the store has");
    is_gone(&*store, &other);
    same_runs(&*store, writer.process(), [&task]);
}

fn sequences_of_processes_are_apart(make: &Make) {
    let store = make();
    let writers = [Writer::new(&store), Writer::new(&store), Writer::new(&store)];
    for _ in 0..3 {
        for writer in &writers {
            let mut task = writer.task("apart");
            writer.write([&mut task]);
            same_runs(&*store, writer.process(), [&task]);
        }
    }
}

fn a_write_repeated_changes_nothing(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let mut task = writer.task_below(&flow, "inner");
    task.write.upstream = vec![flow.number()];
    task.write.tags = vec!["a".into(), "b".into()];
    task.begin().complete("[]");
    let writes = [flow.begin().take(), task.take()];
    for _ in 0..3 {
        writer.write_again(&writes);
        same_runs(&*store, writer.process(), [&flow, &task]);
        same_counts(
            "a write repeated",
            &*store,
            flow.number(),
            &[
                (Flow, "outer", StateType::Running, 1),
                (Task, "inner", StateType::Completed, 1),
            ],
        );
        let edges = store.edges(flow.number(), 10).must("dependencies");
        same("dependencies of a write repeated", &edges.len(), &1);
    }
}

fn an_old_write_repeated_changes_nothing(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("inner");
    let old = [task.begin().take()];
    writer.write_again(&old);
    task.enter("AwaitingRetry").begin().fail("boom");
    writer.write([&mut task]);
    writer.write_again(&old);
    same_runs(&*store, writer.process(), [&task]);
    same_counts(
        "an old write repeated",
        &*store,
        task.number(),
        &[(Task, "inner", StateType::Failed, 1)],
    );

    // One that overlaps with what the store has adds the rest.
    let mut longer = writer.task("longer");
    let mut unwritten = longer.begin().clone();
    writer.write([&mut longer]);
    unwritten.complete("3");
    writer.write([&mut unwritten]);
    same_runs(&*store, writer.process(), [&unwritten]);
}

fn a_batch_is_written_whole_or_not_at_all(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut known = writer.flow("known");
    writer.write([&mut known]);

    // Ids are unique: the last of these runs can't be written.
    let mut flow = writer.flow("new");
    let mut thief = writer.task_below(&flow, "thief");
    thief.write.id = known.id();
    let before = known.clone();
    let mut batch = writer.batch([known.begin(), &mut flow, &mut thief]);
    batch.logs = vec![before.line(tracing::Level::INFO, "never written")];
    let outcome = store.apply(&batch);
    check("a run with the id of another is refused", outcome.is_err());
    same_runs(&*store, writer.process(), [&before]);
    is_gone(&*store, &flow);
    same(
        "a run that wasn't written",
        &store.run_numbered(thief.number()).must("by number"),
        &None,
    );
    same_counts(
        "a batch refused",
        &*store,
        known.number(),
        &[(Flow, "known", StateType::Pending, 1)],
    );
    same_counts("a batch refused", &*store, flow.number(), &[]);

    // Its number isn't used up: repaired, it is written.
    batch.runs.pop();
    store.apply(&batch).must("a batch that was refused, without the fault");
    same_runs(&*store, writer.process(), [&known, &flow]);
}

fn who_was_declared_dead_is_fenced(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("lost");
    writer.write([flow.begin()]);
    store.bury(writer.process(), "gone").must("burying");
    let crashed = states(&*store, &flow);

    error(
        "a batch of a dead process",
        writer.try_write([flow.complete("1")]),
        StoreErrorKind::Fenced,
    );
    let mut late = writer.task("late");
    error(
        "a batch of a dead process",
        writer.try_write([&mut late]),
        StoreErrorKind::Fenced,
    );
    is_gone(&*store, &late);
    same("the states of a lost run", &states(&*store, &flow), &crashed);
    same("the state of a lost run", &state_name(&*store, &flow), &"Crashed");
    same(
        "the result of a lost run",
        &store.result(flow.number()).must("its result"),
        &None,
    );
    same_counts(
        "runs of a dead process",
        &*store,
        flow.number(),
        &[(Flow, "lost", StateType::Crashed, 1)],
    );

    let other = Writer::new(&store);
    let mut task = other.task("alive");
    other.write([&mut task]);
    same_runs(&*store, other.process(), [&task]);
}

fn who_left_is_fenced(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    writer.write([]);
    store.leave(writer.process()).must("leaving");
    let mut late = writer.task("late");
    error(
        "a batch of a process that left",
        writer.try_write([&mut late]),
        StoreErrorKind::Fenced,
    );
    is_gone(&*store, &late);
}

fn counts_follow_every_change(make: &Make) {
    use StateType::{Cancelled, Completed, Crashed, Failed, Pending, Running, Scheduled};
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
