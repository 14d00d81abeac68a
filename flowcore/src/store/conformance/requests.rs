//! Requests from outside: cancel that run.

use std::time::Duration;

use super::super::store::Store;
use super::builder::{Draft, Writer, instant};
use super::check::{Must, check, same, same_runs, same_set, states};
use super::{Make, listed};
use crate::run::RunId;
use crate::state::StateName;

listed! { "requests":
    a_cancellation_is_told_once,
    a_cancellation_is_told_to_who_runs_it,
    a_cancellation_asked_for_twice_is_told_once,
    a_run_that_is_over_is_not_cancelled,
    who_ends_before_learning_of_it_is_not_told,
    a_cancellation_ends_with_the_life_it_was_for,
    an_unknown_run_is_not_cancelled,
}

#[track_caller]
fn told(store: &dyn Store, writer: &Writer) -> Vec<RunId> {
    let beat = store.heartbeat(writer.process(), Duration::from_secs(60));
    beat.must("a heartbeat").cancel
}

#[track_caller]
fn ask(store: &dyn Store, run: &Draft) -> bool {
    store
        .request_cancel(run.id(), instant())
        .must("asking for a cancellation")
}

fn a_cancellation_is_told_once(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let mut task = writer.task_below(&flow, "inner");
    let mut other = writer.flow("other");
    writer.write([flow.begin(), task.begin(), other.begin()]);
    check("nothing is to be cancelled", told(&*store, &writer).is_empty());
    check("an open run", ask(&*store, &flow));
    check("an open run that isn't a root", ask(&*store, &task));
    same_set("what is told", &told(&*store, &writer), &[flow.id(), task.id()]);
    check("it is told once", told(&*store, &writer).is_empty());
    check("another", ask(&*store, &other));
    same_set("what is told", &told(&*store, &writer), &[other.id()]);
    // To ask changes no run.
    same_runs(&*store, writer.process(), [&flow, &task, &other]);
}

fn a_cancellation_is_told_to_who_runs_it(make: &Make) {
    let store = make();
    let [first, second] = [Writer::new(&store), Writer::new(&store)];
    let mut flow = first.flow("one");
    let mut moved = first.flow("moved");
    first.write([flow.begin(), moved.begin()]);
    check("an open run", ask(&*store, &flow));
    check("an open run", ask(&*store, &moved));
    second.write([moved.enter("AwaitingRetry")]);
    same_set("what the second is told", &told(&*store, &second), &[moved.id()]);
    same_set("what the first is told", &told(&*store, &first), &[flow.id()]);
    check("it is told once", told(&*store, &second).is_empty());
}

fn a_cancellation_asked_for_twice_is_told_once(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("impatient");
    writer.write([flow.begin()]);
    check("an open run", ask(&*store, &flow));
    check("an open run once more", ask(&*store, &flow));
    same("what is told", &told(&*store, &writer), &vec![flow.id()]);
}

fn a_run_that_is_over_is_not_cancelled(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    for state in StateName::ALL {
        let mut task = writer.task("any");
        task.enter(state.as_str());
        writer.write([&mut task]);
        let open = !task.states()[1].is_final();
        same(
            &format!("asking for a run that is {}", state.as_str()),
            &ask(&*store, &task),
            &open,
        );
        same(
            "whether it is told",
            &told(&*store, &writer).contains(&task.id()),
            &open,
        );
        same_runs(&*store, writer.process(), [&task]);
    }
}

fn who_ends_before_learning_of_it_is_not_told(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("quick");
    writer.write([task.begin()]);
    check("an open run", ask(&*store, &task));
    writer.write([task.complete("1")]);
    check("a run that is over", told(&*store, &writer).is_empty());
}

fn a_cancellation_ends_with_the_life_it_was_for(make: &Make) {
    let store = make();
    let [first, second] = [Writer::new(&store), Writer::new(&store)];
    let mut flow = first.flow("durable");
    first.write([flow.durable().begin()]);
    check("an open run", ask(&*store, &flow));
    store.bury(first.process(), "gone").must("burying");
    check("a run that is lost", !ask(&*store, &flow));
    store.claim(flow.id(), second.process(), instant()).must("claiming");
    check(
        "a resumed run isn't cancelled for what was asked before",
        told(&*store, &second).is_empty(),
    );
    check("a resumed run", ask(&*store, &flow));
    same("what is told", &told(&*store, &second), &vec![flow.id()]);
    flow.adopt(&states(&*store, &flow));
    (flow.write.forgiven, flow.write.crashes) = (1, 1);
    same_runs(&*store, second.process(), [&flow]);
}

fn an_unknown_run_is_not_cancelled(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let asked = store.request_cancel(RunId::generate(instant()), instant());
    check("a run that isn't there", !asked.unwrap_or(false));
    check("nothing is told", told(&*store, &writer).is_empty());
}
