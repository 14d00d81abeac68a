//! Results that later runs find by a cache key.

use super::super::batch::ResultWrite;
use super::super::store::Store;
use super::builder::{Draft, Writer, instant};
use super::check::{Must, same};
use super::{Make, listed};
use crate::state::StateName;

listed! { "cached":
    the_latest_cached_result_is_found,
    cached_results_expire,
    an_older_cached_result_that_lives_is_found,
    cached_results_are_of_completed_runs,
    cached_results_are_whole,
    cached_results_are_of_one_task_and_key,
}

/// A run that completed, or ended otherwise, and is to be found by its cache key.
fn cacheable(writer: &Writer, name: &str, json: &str, until: Option<i64>) -> Draft {
    let mut task = writer.task(name);
    task.write.cache = Some(("key".into(), until));
    task.begin().complete(json);
    writer.write([&mut task]);
    task
}

#[track_caller]
fn cached(store: &dyn Store, name: &str, key: &str, now: i64) -> Option<String> {
    let found = store
        .cached(&format!("tests::{name}"), key, now)
        .must("a cached result");
    found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn the_latest_cached_result_is_found(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let now = instant();
    same("before the first", &cached(&*store, "task", "key", now), &None);
    for n in 0..3 {
        let result = format!("{{\"n\":{n}}}");
        cacheable(&writer, "task", &result, None);
        same("the latest", &cached(&*store, "task", "key", now), &Some(result));
    }
    // Of two that run at the same time, that which ended last.
    let mut slow = writer.task("task");
    slow.write.cache = Some(("key".into(), None));
    writer.write([slow.begin()]);
    cacheable(&writer, "task", "\"quick\"", None);
    same(
        "who is still running isn't found",
        &cached(&*store, "task", "key", now),
        &text("\"quick\""),
    );
    writer.write([slow.complete("\"slow\"")]);
    same(
        "the last to end",
        &cached(&*store, "task", "key", now),
        &text("\"slow\""),
    );
}

fn cached_results_expire(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let until = instant();
    cacheable(&writer, "task", "1", Some(until));
    same(
        "before it expires",
        &cached(&*store, "task", "key", until - 1),
        &text("1"),
    );
    same("when it expires", &cached(&*store, "task", "key", until), &None);
    same(
        "after it has expired",
        &cached(&*store, "task", "key", until + 1),
        &None,
    );
    same("for good", &cached(&*store, "task", "key", i64::MAX), &None);
    cacheable(&writer, "task", "2", None);
    same(
        "one that never does",
        &cached(&*store, "task", "key", i64::MAX),
        &text("2"),
    );
}

fn an_older_cached_result_that_lives_is_found(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let soon = instant();
    cacheable(&writer, "task", "1", None);
    cacheable(&writer, "task", "2", Some(soon));
    same("while both live", &cached(&*store, "task", "key", soon - 1), &text("2"));
    same(
        "when the later has expired",
        &cached(&*store, "task", "key", soon),
        &text("1"),
    );
}

fn cached_results_are_of_completed_runs(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    for end in StateName::ALL {
        let mut task = writer.task(end.as_str());
        task.write.cache = Some(("key".into(), None));
        task.write.result = Some(ResultWrite {
            json: (*b"1").into(),
            whole: true,
        });
        task.begin().enter(end.as_str());
        writer.write([&mut task]);
        let right = task.states()[2].is_completed().then(|| "1".to_owned());
        let what = format!("a run that is {}", end.as_str());
        same(&what, &cached(&*store, end.as_str(), "key", instant()), &right);
    }
}

fn cached_results_are_whole(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let head = |json: &str, whole| {
        let mut task = writer.task("task");
        task.write.cache = Some(("key".into(), None));
        task.begin().complete("");
        task.write.result = Some(ResultWrite {
            json: json.as_bytes().into(),
            whole,
        });
        writer.write([&mut task]);
    };
    head("[1,2", false);
    same("a head", &cached(&*store, "task", "key", instant()), &None);
    head("[1]", true);
    head("[1,2,3", false);
    same(
        "the latest that is whole",
        &cached(&*store, "task", "key", instant()),
        &text("[1]"),
    );
    let mut without = writer.task("other");
    without.write.cache = Some(("key".into(), None));
    writer.write([without.begin().enter("Completed")]);
    same("no result", &cached(&*store, "other", "key", instant()), &None);
}

fn cached_results_are_of_one_task_and_key(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    cacheable(&writer, "task", "1", None);
    cacheable(&writer, "other", "2", None);
    let mut plain = writer.task("plain");
    writer.write([plain.begin().complete("3")]);
    let now = instant();
    same("its own", &cached(&*store, "task", "key", now), &text("1"));
    same("another task's", &cached(&*store, "other", "key", now), &text("2"));
    same("another key", &cached(&*store, "task", "Key", now), &None);
    same("a longer key", &cached(&*store, "task", "key2", now), &None);
    same("a task that isn't there", &cached(&*store, "tasks", "key", now), &None);
    same("a run without a key", &cached(&*store, "plain", "", now), &None);
}
