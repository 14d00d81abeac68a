//! What is written of a run is kept.

use std::sync::Arc;

use super::super::batch::{CallKey, DefinitionRow, ResultWrite};
use super::super::number::RunNumber;
use super::super::row::Replay;
use super::builder::{Draft, Writer, instant};
use super::check::{Must, check, row, same, same_counts, same_runs};
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
