//! Batches: written once, whole, and by the living only.

use super::super::error::StoreErrorKind;
use super::super::query::LogQuery;
use super::builder::{Draft, Writer};
use super::check::{Must, check, error, is_gone, same, same_counts, same_runs, state_name, states};
use super::{Make, listed};
use crate::run::RunKind::{Flow, Task};
use crate::state::StateType;

listed! { "batches":
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
    let query = LogQuery {
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
