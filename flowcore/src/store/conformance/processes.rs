//! Processes: their lives, and what becomes of their runs.

use std::time::Duration;

use super::super::process::{ProcessIdentity, ProcessRow};
use super::super::store::Store;
use super::builder::{Draft, Writer, instant};
use super::check::{Must, check, recorded, row, same, same_runs, same_set, state_name, states};
use super::{Make, listed};
use crate::state::StateName;

listed! { "processes":
    numbers_begin_at_1_and_are_given_once,
    identities_are_kept,
    a_lease_counts_from_the_last_sign,
    endless_leases_are_no_trouble,
    a_lease_that_is_over_is_no_end,
    a_heartbeat_tells_the_dead,
    processes_are_listed_oldest_first,
    who_leaves_has_ended,
    who_leaves_crashes_its_runs,
    a_burial_crashes_open_runs,
    a_burial_leaves_others_runs,
    a_burial_forgives_attempts,
    a_crash_counts_where_no_child_runs,
    a_burial_keeps_the_time_of_the_retry,
    a_second_burial_changes_nothing,
    unknown_processes_are_no_trouble,
}

fn process(store: &dyn Store, number: u32) -> ProcessRow {
    let rows = store.processes(true).must("the processes");
    rows.into_iter().find(|row| row.number == number).must("the process")
}

fn enter(store: &dyn Store) -> u32 {
    let hour = Duration::from_secs(3600);
    store
        .register(&ProcessIdentity::default(), hour)
        .must("entering a process")
}

fn numbers_begin_at_1_and_are_given_once(make: &Make) {
    let store = make();
    same("the first number", &enter(&*store), &1);
    let second = enter(&*store);
    store.leave(second).must("leaving");
    let third = enter(&*store);
    store.bury(third, "gone").must("burying");
    let fourth = enter(&*store);
    let mut numbers = vec![1, second, third, fourth];
    numbers.dedup();
    check("numbers grow", numbers.is_sorted() && numbers.len() == 4);
}

fn identities_are_kept(make: &Make) {
    let store = make();
    let identity = ProcessIdentity {
        host: "büro".into(),
        machine: "4c4c4544".into(),
        boot: "b00t".into(),
        pid_namespace: "pid:[4026531836]".into(),
        pid: u32::MAX,
        started: (1 << 63) | 5,
        program: "/opt/app/bin/app".into(),
    };
    let number = store.register(&identity, Duration::from_secs(60)).must("entering");
    let row = process(&*store, number);
    same("who it is", &row.identity, &identity);
    same("its end", &(row.ended_at, row.end), &(None, None));
    same("a process that wasn't heard of since", &row.seen_at, &row.opened_at);
    check(
        "it opened the store in this century",
        row.opened_at > 946_684_800_000_000_000,
    );
}

fn a_lease_counts_from_the_last_sign(make: &Make) {
    let store = make();
    let minute = Duration::from_secs(60);
    let number = store.register(&ProcessIdentity::default(), minute).must("entering");
    let first = process(&*store, number);
    same("the lease", &(first.lease_until - first.seen_at), &60_000_000_000);
    let beat = store.heartbeat(number, 2 * minute).must("a heartbeat");
    check("it lives", !beat.fenced && beat.cancel.is_empty());
    let second = process(&*store, number);
    check("it was seen later", second.seen_at >= first.seen_at);
    same("it was opened once", &second.opened_at, &first.opened_at);
    same(
        "the next lease",
        &(second.lease_until - second.seen_at),
        &120_000_000_000,
    );
}

fn endless_leases_are_no_trouble(make: &Make) {
    let store = make();
    let number = store
        .register(&ProcessIdentity::default(), Duration::MAX)
        .must("entering");
    store.heartbeat(number, Duration::MAX).must("a heartbeat");
    let row = process(&*store, number);
    check(
        "an endless lease is long",
        row.lease_until > row.seen_at + 1_000_000_000 * 3600,
    );
}

fn a_lease_that_is_over_is_no_end(make: &Make) {
    let store = make();
    let number = store
        .register(&ProcessIdentity::default(), Duration::ZERO)
        .must("entering");
    check("it has not ended", process(&*store, number).ended_at.is_none());
    let beat = store.heartbeat(number, Duration::from_secs(60)).must("a heartbeat");
    check("only a burial is its end", !beat.fenced);
    let row = process(&*store, number);
    check("it lives on", row.ended_at.is_none() && row.lease_until > row.seen_at);
}

fn a_heartbeat_tells_the_dead(make: &Make) {
    let store = make();
    let [living, dead] = [enter(&*store), enter(&*store)];
    store.bury(dead, "no sign of life").must("burying");
    let before = process(&*store, dead);
    let beat = store
        .heartbeat(dead, Duration::from_secs(60))
        .must("a heartbeat of a dead process");
    check("who was declared dead learns of it", beat.fenced);
    same("who was declared dead stays so", &process(&*store, dead), &before);
    let beat = store.heartbeat(living, Duration::from_secs(60)).must("a heartbeat");
    check("who lives isn't fenced", !beat.fenced);
}

fn processes_are_listed_oldest_first(make: &Make) {
    let store = make();
    let all: Vec<u32> = (0..5).map(|_| enter(&*store)).collect();
    store.bury(all[1], "gone").must("burying");
    store.leave(all[3]).must("leaving");
    let numbers = |ended| -> Vec<u32> {
        let rows = store.processes(ended).must("the processes");
        rows.iter().map(|row| row.number).collect()
    };
    same(
        "those that have not ended",
        &numbers(false),
        &vec![all[0], all[2], all[4]],
    );
    same("all processes", &numbers(true), &all);
}

fn who_leaves_has_ended(make: &Make) {
    let store = make();
    let number = enter(&*store);
    store.leave(number).must("leaving");
    let row = process(&*store, number);
    check(
        "it has an end",
        row.ended_at.is_some_and(|ended| ended >= row.opened_at),
    );
    store.leave(number).must("leaving once more");
    store.bury(number, "too late").must("burying who has left");
    same("who has ended stays so", &process(&*store, number), &row);
}

fn who_leaves_crashes_its_runs(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut open = writer.flow("open");
    let mut over = writer.flow("over");
    writer.write([open.begin(), over.begin().complete("1")]);
    store.leave(writer.process()).must("leaving");
    same("a run that was left open", &state_name(&*store, &open), &"Crashed");
    let crashed = row(&*store, &open);
    same("as by a burial", &(crashed.forgiven, crashed.crashes), &(1, 1));
    same_runs(&*store, writer.process(), [&over]);
}

/// A run in each state, below a flow.
fn in_each_state(writer: &Writer, flow: &Draft) -> Vec<Draft> {
    let draft = |state: StateName| {
        let mut task = writer.task_below(flow, "any");
        if state != StateName::Pending {
            task.enter(state.as_str());
        }
        task
    };
    StateName::ALL.into_iter().map(draft).collect()
}

fn a_burial_crashes_open_runs(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("lost");
    writer.write([flow.begin()]);
    let mut tasks = in_each_state(&writer, &flow);
    writer.write(tasks.iter_mut());
    let open = tasks
        .iter()
        .filter(|task| !task.states()[task.states().len() - 1].is_final())
        .count() as u64;
    let buried = store.bury(writer.process(), "the power went").must("burying");
    same("how many runs were crashed", &buried, &(open + 1));

    for task in tasks.iter().chain([&flow]) {
        let last = &task.states()[task.states().len() - 1];
        if last.is_final() {
            same_runs(&*store, writer.process(), [task]);
            continue;
        }
        let what = format!("a run that was {}", last.name());
        let row = row(&*store, task);
        same(&what, &row.state.name(), &"Crashed");
        same(&what, &row.state.message(), &Some("the power went"));
        check(
            "a state is later than the one before",
            row.state.unix_nanos() > last.unix_nanos(),
        );
        same("its end", &row.ended_at, &Some(row.state.unix_nanos()));
        same(
            "how many states it has seen",
            &(row.states as usize),
            &(task.states().len() + 1),
        );
        let states = states(&*store, task);
        same("the states before", &&states[..states.len() - 1], &task.states());
        same("the last state", &states[states.len() - 1], &row.state);
        same("its process", &row.process, &writer.process());
    }
    let ended = process(&*store, writer.process());
    same("why the process ended", &ended.end.as_deref(), &Some("the power went"));
    check("when it ended", ended.ended_at.is_some_and(|at| at >= ended.opened_at));
}

fn a_burial_leaves_others_runs(make: &Make) {
    let store = make();
    let [dead, living] = [Writer::new(&store), Writer::new(&store)];
    let mut task = living.task("alive");
    let mut moved = dead.task("moved");
    living.write([task.begin()]);
    dead.write([moved.begin()]);
    living.write([moved.enter("AwaitingRetry")]);
    same(
        "how many runs were crashed",
        &store.bury(dead.process(), "gone").must("burying"),
        &0,
    );
    same_runs(&*store, living.process(), [&task, &moved]);
}

fn a_burial_forgives_attempts(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("lost");
    writer.write([flow.begin()]);
    let mut tasks = in_each_state(&writer, &flow);
    for task in &mut tasks {
        task.write.attempt = 4;
        task.write.forgiven = 2;
    }
    writer.write(tasks.iter_mut());
    store.bury(writer.process(), "gone").must("burying");
    for task in &tasks {
        let last = &task.states()[task.states().len() - 1];
        let right = if matches!(last.name(), "Running" | "Retrying") {
            3
        } else {
            2
        };
        let row = row(&*store, task);
        same(&format!("attempts of a run that was {}", last.name()), &row.attempt, &4);
        same(
            &format!("forgiven attempts of a run that was {}", last.name()),
            &row.forgiven,
            &right,
        );
    }
}

fn a_crash_counts_where_no_child_runs(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let mut middle = writer.flow_below(&flow, "middle");
    let mut leaf = writer.task_below(&middle, "leaf");
    let mut waiting = writer.task_below(&flow, "waiting");
    // The children of these are over, wait, or are asked to stop.
    let mut alone = writer.flow_below(&flow, "alone");
    let mut over = writer.task_below(&alone, "over");
    let mut pending = writer.task_below(&alone, "pending");
    let mut retrying = writer.task_below(&alone, "awaiting");
    // A retry's body is a body.
    let mut parent = writer.flow_below(&flow, "parent");
    let mut again = writer.task_below(&parent, "again");
    leaf.write.crashes = 2;
    writer.write([
        flow.begin(),
        middle.begin(),
        leaf.begin(),
        &mut waiting,
        alone.begin(),
        over.begin().complete("1"),
        &mut pending,
        retrying.begin().enter("AwaitingRetry"),
        parent.begin(),
        again.begin().enter("AwaitingRetry").begin(),
    ]);
    store.bury(writer.process(), "gone").must("burying");
    let crashes = |draft: &Draft| row(&*store, draft).crashes;
    same("a run with a running child", &crashes(&flow), &0);
    same("a run with a running child", &crashes(&middle), &0);
    same("a run without children", &crashes(&leaf), &3);
    same("a run without a running child", &crashes(&alone), &1);
    same("a run that had no body yet", &crashes(&waiting), &0);
    same("a run that had no body yet", &crashes(&pending), &0);
    same("a run that was over", &crashes(&over), &0);
    same("a run between two bodies", &crashes(&retrying), &0);
    same("a run whose child is Retrying", &crashes(&parent), &0);
    same("a run that was Retrying", &crashes(&again), &1);
}

fn a_burial_keeps_the_time_of_the_retry(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("lost").durable().clone();
    let mut task = writer.task_below(&flow, "waiting");
    task.begin().enter("AwaitingRetry");
    let at = instant();
    task.write.retry_at = Some(at);
    writer.write([flow.begin(), &mut task]);
    store.bury(writer.process(), "gone").must("burying");
    let found = recorded(&*store, &flow, &task);
    same("a run that waited for a retry", &found.state.name(), &"Crashed");
    same("when it may make its next attempt", &found.retry_at, &Some(at));
    same(
        "its attempts",
        &(found.attempt, found.forgiven, found.crashes),
        &(1, 0, 0),
    );
}

fn a_second_burial_changes_nothing(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("lost").durable().clone();
    let mut task = writer.task_below(&flow, "child");
    writer.write([flow.begin(), task.begin()]);
    same(
        "how many runs were crashed",
        &store.bury(writer.process(), "first").must("burying"),
        &2,
    );
    let look = || {
        let runs = [row(&*store, &flow), row(&*store, &task)];
        (runs, states(&*store, &flow), process(&*store, writer.process()))
    };
    let before = look();
    same(
        "who died once",
        &store.bury(writer.process(), "second").must("burying again"),
        &0,
    );
    store.leave(writer.process()).must("leaving when dead");
    same("all of it", &look(), &before);

    // What another process has taken over is not lost again.
    let next = Writer::new(&store);
    store.claim(flow.id(), next.process(), instant()).must("claiming");
    same(
        "who died once",
        &store.bury(writer.process(), "third").must("burying again"),
        &0,
    );
    same("a run that was taken over", &state_name(&*store, &flow), &"Pending");
}

fn unknown_processes_are_no_trouble(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("bystander");
    writer.write([task.begin()]);
    for unknown in [0, 77, u32::MAX] {
        check("nothing was crashed", store.bury(unknown, "gone").unwrap_or(0) == 0);
        // Whether these are errors is the store's choice.
        let _ = store.leave(unknown);
        let _ = store.heartbeat(unknown, Duration::from_secs(60));
        let _ = store.claim(task.id(), unknown, instant());
    }
    same_runs(&*store, writer.process(), [&task]);
    let numbers: Vec<u32> = store
        .processes(true)
        .must("the processes")
        .iter()
        .map(|row| row.number)
        .collect();
    same_set("processes", &numbers, &[writer.process()]);
}
