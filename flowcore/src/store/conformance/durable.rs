//! Durable runs: claims and recorded calls.

use std::sync::Arc;

use super::super::batch::{CallKey, DefinitionRow, ResultWrite};
use super::super::error::StoreErrorKind;
use super::super::row::Recorded;
use super::builder::{Draft, Writer, instant};
use super::check::{Must, check, error, recorded, row, same, same_runs, same_set, state_name, states};
use super::{Make, listed};
use crate::run::{RunId, RunKind};
use crate::state::StateName;

listed! { "durable":
    a_claim_hands_a_run_over,
    a_claim_forgets_the_end,
    a_claim_is_later_than_the_end,
    only_ended_durable_roots_are_claimed,
    a_claim_is_made_once,
    the_dead_claim_nothing,
    a_claimed_run_goes_on,
    a_claimed_run_can_be_lost_again,
    recorded_calls_are_whole,
    recorded_calls_are_those_of_the_parent,
    completed_calls_come_with_results,
    many_calls_are_recorded,
}

/// A durable flow that has failed.
fn failed(writer: &Writer) -> Draft {
    let mut flow = writer.flow("durable");
    flow.durable().begin().fail("first end");
    writer.write([&mut flow]);
    flow
}

fn a_claim_hands_a_run_over(make: &Make) {
    let store = make();
    for end in ["Failed", "TimedOut", "Cancelled", "Crashed", "NotReady"] {
        let [first, second] = [Writer::new(&store), Writer::new(&store)];
        let mut flow = first.flow("durable");
        flow.durable();
        if end != "NotReady" {
            flow.begin();
        }
        flow.enter_at(end, instant(), Some("why"));
        first.write([&mut flow]);
        let at = instant();
        let claimed = store.claim(flow.id(), second.process(), at).must("claiming");
        same("its state", &claimed.run.state.name(), &"Pending");
        same("when it was claimed", &claimed.run.state.unix_nanos(), &at);
        same("its process", &claimed.run.process, &second.process());
        same("the run that was handed over", &claimed.run, &row(&*store, &flow));
        let states = states(&*store, &flow);
        same("the states before", &&states[..states.len() - 1], &flow.states());
        flow.adopt(&states);
        same_runs(&*store, second.process(), [&flow]);
    }
}

fn a_claim_forgets_the_end(make: &Make) {
    let store = make();
    let [first, second] = [Writer::new(&store), Writer::new(&store)];
    let mut flow = first.flow("durable");
    flow.durable().begin().enter("AwaitingRetry").begin().fail("no more");
    (flow.write.forgiven, flow.write.crashes) = (1, 4);
    flow.write.parameters = Some("{}".into());
    flow.write.tags = vec!["kept".into()];
    first.write([&mut flow]);
    let run = store.claim(flow.id(), second.process(), instant()).must("claiming").run;
    same("its end", &run.ended_at, &None);
    check("its error", run.error.is_empty());
    // Everything else stays.
    same("its attempts", &(run.attempt, run.forgiven, run.crashes), &(2, 1, 4));
    same("when it began", &run.started_at, &Some(flow.states()[1].unix_nanos()));
    same(
        "what it was given",
        &(run.parameters, run.tags),
        &(Some("{}".into()), vec!["kept".into()]),
    );
    same("how many states it has seen", &run.states, &6);
}

fn a_claim_is_later_than_the_end(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let flow = failed(&writer);
    let ended = flow.states()[2].unix_nanos();
    // By the clock of another machine.
    let run = store
        .claim(flow.id(), writer.process(), ended - 5_000)
        .must("claiming")
        .run;
    check("a state is later than the one before", run.state.unix_nanos() > ended);
}

fn only_ended_durable_roots_are_claimed(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let claim = |id| {
        store
            .claim(id, writer.process(), instant())
            .map(|claimed| claimed.run.id)
    };
    error(
        "a run that isn't there",
        claim(RunId::generate(instant())),
        StoreErrorKind::NotFound,
    );

    let mut plain = writer.flow("plain");
    plain.begin().fail("x");
    let mut flow = writer.flow("durable").durable().clone();
    let mut child = writer.flow_below(&flow, "child");
    child.begin().fail("x");
    writer.write([&mut plain, flow.begin().fail("x"), &mut child]);
    error("a run that isn't durable", claim(plain.id()), StoreErrorKind::Refused);
    error("a run that isn't a root", claim(child.id()), StoreErrorKind::Refused);
    same_runs(&*store, writer.process(), [&plain, &child]);

    for state in StateName::ALL {
        let mut flow = writer.flow("any");
        flow.durable().enter_at(state.as_str(), instant(), None);
        let last = &flow.states()[1];
        let may = last.is_final() && !last.is_completed();
        writer.write([&mut flow]);
        if may {
            same(
                "a run that was claimed",
                &claim(flow.id()).must(state.as_str()),
                &flow.id(),
            );
        } else {
            let what = format!("claiming a run that is {}", state.as_str());
            error(&what, claim(flow.id()), StoreErrorKind::Refused);
            same_runs(&*store, writer.process(), [&flow]);
        }
    }
}

fn a_claim_is_made_once(make: &Make) {
    let store = make();
    let writers = [Writer::new(&store), Writer::new(&store)];
    let flow = failed(&writers[0]);
    store.claim(flow.id(), writers[1].process(), instant()).must("claiming");
    let claimed = row(&*store, &flow);
    for writer in &writers {
        let again = store.claim(flow.id(), writer.process(), instant());
        error("a second claim", again, StoreErrorKind::Refused);
    }
    same("the run that was claimed", &row(&*store, &flow), &claimed);
}

fn the_dead_claim_nothing(make: &Make) {
    let store = make();
    let [writer, dead, left] = [Writer::new(&store), Writer::new(&store), Writer::new(&store)];
    let flow = failed(&writer);
    store.bury(dead.process(), "gone").must("burying");
    store.leave(left.process()).must("leaving");
    for process in [dead.process(), left.process()] {
        let claimed = store.claim(flow.id(), process, instant());
        error("a claim of a dead process", claimed, StoreErrorKind::Fenced);
    }
    same_runs(&*store, writer.process(), [&flow]);
}

fn a_claimed_run_goes_on(make: &Make) {
    let store = make();
    let [first, second] = [Writer::new(&store), Writer::new(&store)];
    let mut flow = first.flow("durable");
    flow.durable().begin();
    let mut done = first.task_below(&flow, "done");
    let mut lost = first.task_below(&flow, "lost");
    first.write([&mut flow, done.begin().complete("1"), lost.begin()]);
    store.bury(first.process(), "gone").must("burying");
    store.claim(flow.id(), second.process(), instant()).must("claiming");

    // The interrupted call is made again, as the run that it was.
    flow.adopt(&states(&*store, &flow));
    let known = recorded(&*store, &flow, &lost);
    lost.adopt(&states(&*store, &lost));
    same(
        "how many states the call has seen",
        &(known.states as usize),
        &lost.states().len(),
    );
    (lost.write.forgiven, lost.write.crashes) = (known.forgiven, known.crashes);
    second.write([flow.enter("Running"), lost.enter("Pending").begin().complete("2")]);
    same_runs(&*store, second.process(), [&lost]);
    same_runs(&*store, first.process(), [&done]);
    second.write([flow.complete("3")]);
    same("the run at its end", &state_name(&*store, &flow), &"Completed");
    let again = store.claim(flow.id(), second.process(), instant());
    error("a claim of what has completed", again, StoreErrorKind::Refused);
}

fn a_claimed_run_can_be_lost_again(make: &Make) {
    let store = make();
    let first = Writer::new(&store);
    let mut flow = first.flow("poisonous");
    first.write([flow.durable().begin()]);
    store.bury(first.process(), "gone").must("burying");
    for crashes in 2..5 {
        let next = Writer::new(&store);
        let run = store.claim(flow.id(), next.process(), instant()).must("claiming").run;
        flow.adopt(&states(&*store, &flow));
        (flow.write.forgiven, flow.write.crashes) = (run.forgiven, run.crashes);
        next.write([flow.begin()]);
        same(
            "how many runs were crashed",
            &store.bury(next.process(), "gone").must("burying"),
            &1,
        );
        let run = row(&*store, &flow);
        same(
            "how often it crashed",
            &(run.attempt, run.forgiven, run.crashes),
            &(crashes, crashes, crashes),
        );
    }
}

fn recorded_calls_are_whole(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("durable").durable().clone();
    let mut task = writer.task_below(&flow, "call");
    task.write.definition = Arc::new(DefinitionRow {
        kind: RunKind::Task,
        name: "call".into(),
        key: "app::call".into(),
        version: Some("7".into()),
    });
    task.write.call_key = Some(CallKey([0xff; 16]));
    task.begin().enter_at("AwaitingRetry", instant(), Some("soon"));
    let retry_at = Some(i64::MAX);
    task.write.retry_at = retry_at;
    (task.write.forgiven, task.write.crashes) = (5, 6);
    writer.write([flow.begin(), &mut task]);
    let right = Recorded {
        call_key: CallKey([0xff; 16]),
        number: task.number(),
        id: task.id(),
        name: task.write.name.clone(),
        definition_key: "app::call".into(),
        version: Some("7".into()),
        state: task.states()[2].clone(),
        states: 3,
        attempt: 1,
        forgiven: 5,
        crashes: 6,
        retry_at,
        result: None,
    };
    same("a recorded call", &recorded(&*store, &flow, &task), &right);
    // A body that has begun waits for nothing.
    writer.write([task.begin()]);
    same(
        "when it may make its next attempt",
        &recorded(&*store, &flow, &task).retry_at,
        &None,
    );
}

fn recorded_calls_are_those_of_the_parent(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("durable").durable().clone();
    let mut subflow = writer.flow_below(&flow, "below");
    let mut task = writer.task_below(&flow, "call");
    let mut grandchild = writer.task_below(&subflow, "call");
    let mut keyless = writer.task_below(&flow, "keyless");
    keyless.write.call_key = None;
    let mut other = writer.flow("other").durable().clone();
    let mut elsewhere = writer.task_below(&other, "call");
    writer.write([
        &mut flow,
        &mut subflow,
        &mut task,
        &mut grandchild,
        &mut keyless,
        &mut other,
        &mut elsewhere,
    ]);
    let numbers = |parent: &Draft| -> Vec<_> {
        let recorded = store.recorded(parent.number()).must("recorded calls");
        recorded.iter().map(|recorded| recorded.number).collect()
    };
    same_set("calls of the flow", &numbers(&flow), &[subflow.number(), task.number()]);
    same_set("calls of the subflow", &numbers(&subflow), &[grandchild.number()]);
    same_set("calls of another flow", &numbers(&other), &[elsewhere.number()]);
    same_set("calls of a task", &numbers(&task), &[]);
}

fn completed_calls_come_with_results(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("durable").durable().clone();
    writer.write([flow.begin()]);
    let call = |end: &str, whole: Option<bool>| {
        let mut task = writer.task_below(&flow, "call");
        task.begin().enter(end);
        task.write.result = whole.map(|whole| ResultWrite {
            json: (*b"{}").into(),
            whole,
        });
        writer.write([&mut task]);
        recorded(&*store, &flow, &task).result
    };
    let all = || Some((*b"{}").into());
    same("a completed call", &call("Completed", Some(true)), &all());
    same("a call answered from a cache", &call("Cached", Some(true)), &all());
    same(
        "a result of which the head was kept",
        &call("Completed", Some(false)),
        &None,
    );
    same("a result that wasn't kept", &call("Completed", None), &None);
    same("a failed call", &call("Failed", Some(true)), &None);
    same("an open call", &call("AwaitingRetry", None), &None);
}

fn many_calls_are_recorded(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("durable").durable().clone();
    let mut tasks: Vec<Draft> = (0..3_000).map(|_| writer.task_below(&flow, "call")).collect();
    for (n, task) in tasks.iter_mut().enumerate() {
        task.begin().complete(&n.to_string());
    }
    writer.write(std::iter::once(flow.begin()).chain(&mut tasks));
    let mut found = store.recorded(flow.number()).must("recorded calls");
    same("how many calls", &found.len(), &tasks.len());
    found.sort_by_key(|recorded| recorded.number);
    for (n, (recorded, task)) in found.iter().zip(&tasks).enumerate() {
        same("its number", &recorded.number, &task.number());
        same("its key", &Some(recorded.call_key), &task.write.call_key);
        same(
            "its result",
            &recorded.result.as_deref(),
            &Some(n.to_string().as_bytes()),
        );
    }
}
