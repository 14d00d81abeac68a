//! Whatever text and bytes there are, they come back as they were.

use std::sync::Arc;

use super::super::batch::{DefinitionRow, ResultWrite};
use super::super::process::ProcessIdentity;
use super::super::query::{LogQuery, RunQuery};
use super::builder::{Writer, instant};
use super::check::{Must, row, same, same_counts, same_runs};
use super::{Make, listed};
use crate::run::RunKind;
use crate::state::StateType;

listed! { "text":
    odd_text_is_kept_in_every_field,
    odd_text_is_found_by_filters,
    megabytes_are_kept,
    results_are_kept_as_bytes,
    odd_text_in_requests_is_no_trouble,
}

const ODD: [&str; 12] = [
    "",
    " ",
    "\0",
    "a\0b",
    "\u{feff}name",
    "Übergrößenträger, 名前, имя, 🦀👩‍👩‍👧",
    "\u{202e}drawkcab\u{202c}",
    "'; DROP TABLE runs; --",
    "%_\\\"`[]{}",
    "\x1b[31mred\x1b[0m",
    "line\r\nline\ttab",
    "null",
];

fn log_of(run: &super::builder::Draft) -> LogQuery {
    LogQuery {
        run: run.number(),
        below: true,
        level: tracing::Level::TRACE,
        after: None,
        last: false,
        limit: 100,
    }
}

fn odd_text_is_kept_in_every_field(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    for text in ODD {
        let mut task = writer.task(text);
        task.write.definition = Arc::new(DefinitionRow {
            kind: RunKind::Task,
            name: text.into(),
            key: format!("key{text}"),
            version: Some(text.into()),
        });
        task.write.name = text.into();
        task.write.tags = vec![text.into(), "plain".into(), format!("{text}{text}x")];
        task.write.parameters = Some(text.into());
        task.write.error = vec![text.into(), "plain".into(), text.into()];
        task.write.cache = Some((text.into(), None));
        task.write.result = Some(ResultWrite {
            json: text.as_bytes().into(),
            whole: true,
        });
        task.begin().enter_at("Completed", instant(), Some(text));
        let mut batch = writer.batch([&mut task]);
        let mut line = task.line(tracing::Level::INFO, text);
        line.target = text.into();
        batch.logs = vec![line];
        store.apply(&batch).must("odd text");

        same_runs(&*store, writer.process(), [&task]);
        let (result, whole) = store.result(task.number()).must("the result").must("the result");
        same("the result", &(&*result, whole), &(text.as_bytes(), true));
        let lines = store.logs(&log_of(&task)).must("the log").items;
        same("lines", &lines.len(), &1);
        same("the line's message", &&*lines[0].message, &text);
        same("the line's target", &&*lines[0].target, &text);
        same("the line's run", &&*lines[0].run_name, &text);
        same_counts(
            "odd text",
            &*store,
            task.number(),
            &[(RunKind::Task, text, StateType::Completed, 1)],
        );
        let cached = store
            .cached(&format!("key{text}"), text, instant())
            .must("a cached result");
        same("a cached result", &cached.as_deref(), &Some(text.as_bytes()));
    }
}

fn odd_text_is_found_by_filters(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut tasks: Vec<_> = ODD.map(|text| writer.task(text)).into();
    for (task, text) in tasks.iter_mut().zip(ODD) {
        task.write.tags = vec![text.into()];
    }
    writer.write(tasks.iter_mut());
    for (task, text) in tasks.iter().zip(ODD) {
        let queries = [
            RunQuery {
                definition: Some(text.into()),
                ..RunQuery::default()
            },
            RunQuery {
                tags: vec![text.into()],
                ..RunQuery::default()
            },
        ];
        for query in queries {
            let found = store.runs(&query).must("runs by odd text").items;
            let ids: Vec<_> = found.iter().map(|row| row.id).collect();
            same(&format!("runs found by {query:?}"), &ids, &vec![task.id()]);
        }
    }
}

fn megabytes_are_kept(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let text = "ä".repeat(512 * 1024);
    let mut task = writer.task("large");
    task.write.parameters = Some(text.clone());
    task.write.error = vec![text.clone()];
    task.write.tags = vec![text.clone()];
    task.write.result = Some(ResultWrite {
        json: text.as_bytes().into(),
        whole: true,
    });
    task.begin().enter_at("Failed", instant(), Some(&text));
    let mut batch = writer.batch([&mut task]);
    batch.logs = vec![task.line(tracing::Level::INFO, &text)];
    store.apply(&batch).must("megabytes");
    same_runs(&*store, writer.process(), [&task]);
    let (result, _) = store.result(task.number()).must("the result").must("the result");
    same("a large result", &&*result, &text.as_bytes());
    same(
        "a large line",
        &store.logs(&log_of(&task)).must("the log").items[0].message,
        &text,
    );
}

fn results_are_kept_as_bytes(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let all: Vec<u8> = (0..=255).collect();
    // A head may be cut within a character.
    for (bytes, whole) in [
        (&b""[..], true),
        (&all[..], false),
        (&b"\"\xc3"[..], false),
        (&b"\0"[..], true),
    ] {
        let mut task = writer.task("bytes");
        task.begin().complete("");
        task.write.result = Some(ResultWrite {
            json: bytes.into(),
            whole,
        });
        writer.write([&mut task]);
        let result = store.result(task.number()).must("the result");
        same("a result", &result, &Some((bytes.into(), whole)));
    }
}

fn odd_text_in_requests_is_no_trouble(make: &Make) {
    let store = make();
    for text in ODD {
        let identity = ProcessIdentity {
            host: text.into(),
            machine: text.into(),
            boot: text.into(),
            pid_namespace: text.into(),
            program: text.into(),
            ..ProcessIdentity::default()
        };
        let process = store
            .register(&identity, std::time::Duration::from_secs(60))
            .must("entering");
        let rows = store.processes(false).must("the processes");
        let row_of = rows.into_iter().find(|row| row.number == process).must("the process");
        same("the process", &row_of.identity, &identity);
        let writer = Writer::new(&store);
        let mut task = writer.task("buried");
        writer.write([task.begin()]);
        store.bury(writer.process(), text).must("burying");
        same("why it crashed", &row(&*store, &task).state.message(), &Some(text));
        same(
            "a result that isn't there",
            &store.cached(text, text, 0).must("cached"),
            &None,
        );
    }
}
