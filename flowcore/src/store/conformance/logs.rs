//! Logs.

use tracing::Level;

use super::super::query::LogQuery;
use super::super::row::LogRow;
use super::super::store::Store;
use super::builder::{Draft, Writer};
use super::check::{Must, check, same};
use super::{Make, listed};

listed! { "logs":
    lines_are_kept,
    lines_come_in_the_order_of_writing,
    levels_filter,
    lines_below_a_root_are_those_of_the_tree,
    pages_of_lines_join,
    the_last_lines_are_found,
    odd_limits_are_no_trouble,
    lines_may_come_late,
    lines_of_several_processes_are_told_apart,
}

fn of(run: &Draft) -> LogQuery {
    LogQuery {
        run: run.number(),
        below: false,
        level: Level::TRACE,
        after: None,
        last: false,
        limit: 1_000,
    }
}

#[track_caller]
fn lines(store: &dyn Store, query: &LogQuery) -> Vec<LogRow> {
    store.logs(query).must("a log").items
}

#[track_caller]
fn texts(store: &dyn Store, query: &LogQuery) -> Vec<String> {
    lines(store, query).into_iter().map(|line| line.message).collect()
}

fn write_lines(writer: &Writer, run: &Draft, count: usize) -> Vec<String> {
    let texts: Vec<String> = (0..count).map(|n| format!("line {n}")).collect();
    writer.log(run, texts.iter().map(|text| (Level::INFO, &**text)));
    texts
}

fn lines_are_kept(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let mut task = writer.task_below(&flow, "inner");
    let mut batch = writer.batch([&mut flow, &mut task]);
    // Lines of a run may come with it.
    batch.logs = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE]
        .map(|level| task.line(level, &format!("at {level}")))
        .into();
    batch.logs[1].target = "app::payments".into();
    batch.logs[2].at = i64::MAX;
    batch.logs[3].at = 0;
    store.apply(&batch).must("lines of a log");
    let found = lines(&*store, &of(&task));
    same("how many lines", &found.len(), &5);
    for (found, right) in found.iter().zip(&batch.logs) {
        same("its run", &found.run, &task.number());
        same("the name of its run", &found.run_name, &task.write.name);
        same("its time", &found.at, &right.at);
        same("its level", &found.level, &right.level);
        same("its target", &found.target, &right.target);
        same("its text", &found.message, &right.message);
    }
    check("another run's log is empty", lines(&*store, &of(&flow)).is_empty());
}

fn lines_come_in_the_order_of_writing(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("talkative");
    writer.write([&mut task]);
    let mut right = Vec::new();
    for _ in 0..5 {
        right.extend(write_lines(&writer, &task, 7));
    }
    let found = lines(&*store, &of(&task));
    let texts: Vec<String> = found.iter().map(|line| line.message.clone()).collect();
    same("lines", &texts, &right);
    check("numbers grow", found.is_sorted_by(|one, next| one.number < next.number));
}

fn levels_filter(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("talkative");
    writer.write([&mut task]);
    // From the worst to the least.
    let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
    let names = levels.map(|level| level.to_string());
    writer.log(&task, levels.into_iter().zip(names.iter().map(|name| &**name)));
    for (n, level) in levels.into_iter().enumerate() {
        for below in [false, true] {
            let mut query = of(&task);
            (query.level, query.below) = (level, below);
            same(
                &format!("lines at {level}"),
                &texts(&*store, &query),
                &names[..=n].to_vec(),
            );
        }
    }
    // Lines that are left out aren't counted.
    let mut query = of(&task);
    (query.level, query.limit) = (Level::WARN, 2);
    let page = store.logs(&query).must("a log");
    same("a page of bad lines", &(page.items.len(), page.more), &(2, false));
    query.last = true;
    let page = store.logs(&query).must("a log");
    same("the last bad lines", &(page.items.len(), page.more), &(2, false));
}

fn lines_below_a_root_are_those_of_the_tree(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let mut subflow = writer.flow_below(&flow, "middle");
    let mut task = writer.task_below(&subflow, "inner");
    let mut other = writer.flow("other");
    writer.write([&mut flow, &mut subflow, &mut task, &mut other]);
    for run in [&task, &flow, &other, &subflow, &task] {
        writer.log(run, [(Level::INFO, &*run.write.definition.name)]);
    }
    let mut query = of(&flow);
    same("its own", &texts(&*store, &query), &vec!["outer".to_owned()]);
    query.below = true;
    let right = ["inner", "outer", "middle", "inner"].map(ToOwned::to_owned).to_vec();
    same("with those below", &texts(&*store, &query), &right);
    let names: Vec<String> = lines(&*store, &query).into_iter().map(|line| line.run_name).collect();
    let right = [&task, &flow, &subflow, &task]
        .map(|run| run.write.name.clone())
        .to_vec();
    same("whose they are", &names, &right);
    same(
        "of a run that is no root",
        &texts(&*store, &of(&subflow)),
        &vec!["middle".to_owned()],
    );
}

fn pages_of_lines_join(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("outer");
    let mut task = writer.task_below(&flow, "inner");
    writer.write([&mut flow, &mut task]);
    let mut right = write_lines(&writer, &task, 10);
    for below in [false, true] {
        for limit in [1, 3, 5, 9, 10, 11] {
            let mut query = of(if below { &flow } else { &task });
            (query.below, query.limit) = (below, limit);
            let mut found = Vec::new();
            loop {
                let page = store.logs(&query).must("a page of a log");
                check("a page isn't longer than asked for", page.items.len() <= limit);
                query.after = page.items.last().map(|line| line.number).or(query.after);
                found.extend(page.items.into_iter().map(|line| line.message));
                if !page.more {
                    break;
                }
                check("pages come to an end", found.len() <= right.len());
            }
            same(&format!("pages of {limit} lines"), &found, &right);
            // Whoever follows a log asks on from there.
            right.extend(write_lines(&writer, &task, 1));
            same("what is new", &texts(&*store, &query), &vec!["line 0".to_owned()]);
        }
    }
}

fn the_last_lines_are_found(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("talkative");
    writer.write([&mut task]);
    let all = write_lines(&writer, &task, 10);
    let numbers: Vec<i64> = lines(&*store, &of(&task)).iter().map(|line| line.number).collect();
    for below in [false, true] {
        for limit in [1, 4, 9, 10, 11] {
            let mut query = of(&task);
            (query.below, query.limit, query.last) = (below, limit, true);
            let page = store.logs(&query).must("the last lines");
            let texts: Vec<String> = page.items.into_iter().map(|line| line.message).collect();
            let first = all.len().saturating_sub(limit);
            same(&format!("the last {limit} lines"), &texts, &all[first..].to_vec());
            same("whether there are more", &page.more, &(first > 0));

            query.after = Some(numbers[4]);
            let page = store.logs(&query).must("the last lines");
            let texts: Vec<String> = page.items.into_iter().map(|line| line.message).collect();
            let first = all.len().saturating_sub(limit).max(5);
            same(
                &format!("the last {limit} lines beyond another"),
                &texts,
                &all[first..].to_vec(),
            );
        }
    }
}

fn odd_limits_are_no_trouble(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("talkative");
    writer.write([&mut task]);
    write_lines(&writer, &task, 3);
    for (limit, length) in [(0, 0), (i64::MAX as usize, 3), (usize::MAX, 3)] {
        for last in [false, true] {
            let mut query = of(&task);
            (query.limit, query.last) = (limit, last);
            same("how many lines", &lines(&*store, &query).len(), &length);
            query.after = Some(i64::MAX);
            check("beyond all lines", lines(&*store, &query).is_empty());
            query.after = Some(i64::MIN);
            same("before all lines", &lines(&*store, &query).len(), &length);
        }
    }
}

fn lines_may_come_late(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut task = writer.task("talkative");
    writer.write([task.begin().complete("1")]);
    let right = write_lines(&writer, &task, 2);
    same("lines after the end", &texts(&*store, &of(&task)), &right);
}

fn lines_of_several_processes_are_told_apart(make: &Make) {
    let store = make();
    let writers = [Writer::new(&store), Writer::new(&store)];
    let mut tasks = [writers[0].task("one"), writers[1].task("two")];
    for (writer, task) in writers.iter().zip(&mut tasks) {
        writer.write([task]);
    }
    for n in 0..6 {
        writers[n % 2].log(&tasks[n % 2], [(Level::INFO, &*n.to_string())]);
    }
    for (n, right) in [["0", "2", "4"], ["1", "3", "5"]].into_iter().enumerate() {
        let right: Vec<String> = right.map(ToOwned::to_owned).into();
        same("the lines of one process", &texts(&*store, &of(&tasks[n])), &right);
    }
}
