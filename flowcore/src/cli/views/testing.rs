//! Recorded trees for the views' tests.

mod counted;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use self::counted::Counted;
use crate::run::{RunId, RunKind};
use crate::state::State;
use crate::store::{Batch, DefinitionRow, MemoryStore, ProcessIdentity, RunNumber, RunRow, RunWrite, Store};

pub(super) const FLOW: RunKind = RunKind::Flow;
pub(super) const TASK: RunKind = RunKind::Task;

/// When the trees begin. Unix nanoseconds.
pub(super) const START: i64 = 1_790_000_000_000_000_000;

/// A moment so many milliseconds after [`START`].
pub(super) fn millis(millis: i64) -> i64 {
    START + millis * 1_000_000
}

/// So many runs are written at once.
const BATCH: usize = 10_000;

/// Runs of one process, recorded one after the other.
pub(super) struct Forest {
    store: MemoryStore,
    process: u32,
    batch: Batch,
    first: Option<RunId>,
    /// The root and the depth of each run.
    places: Vec<(RunNumber, u32)>,
    definitions: HashMap<(RunKind, String), Arc<DefinitionRow>>,
}

impl Forest {
    pub(super) fn new() -> Self {
        let store = MemoryStore::with_max_runs(usize::MAX);
        let process = store
            .register(&ProcessIdentity::default(), Duration::from_secs(3600))
            .unwrap();
        Self {
            store,
            process,
            batch: Batch::default(),
            first: None,
            places: Vec::new(),
            definitions: HashMap::new(),
        }
    }

    /// A run, and what became of it: `"Pending 0, Running 10, Failed 500: no such file"`, in milliseconds.
    pub(super) fn run(
        &mut self,
        parent: Option<RunNumber>,
        kind: RunKind,
        definition: &str,
        name: &str,
        life: &str,
    ) -> RunNumber {
        if self.batch.runs.len() == BATCH {
            self.flush();
        }
        let count = self.places.len() as u64 + 1;
        let number = RunNumber::new(self.process, count);
        let above = parent.map(|parent| self.places[parent.count() as usize - 1]);
        let (root, depth) = above.map_or((number, 0), |(root, depth)| (root, depth + 1));
        self.places.push((root, depth));
        let definition = self
            .definitions
            .entry((kind, definition.to_owned()))
            .or_insert_with(|| {
                Arc::new(DefinitionRow {
                    kind,
                    name: definition.to_owned(),
                    key: definition.to_owned(),
                    version: None,
                })
            });
        let (life, message) = life
            .split_once(": ")
            .map_or((life, None), |(life, message)| (life, Some(message)));
        let mut states: SmallVec<[State; 3]> = SmallVec::new();
        for state in life.split(", ") {
            let (name, at) = state.split_once(' ').unwrap();
            states.push(State::restored(name, millis(at.parse().unwrap()), None).unwrap());
        }
        let last = states.pop().unwrap();
        states.push(State::restored(last.name(), last.unix_nanos(), message).unwrap());
        let bodies = states
            .iter()
            .filter(|state| matches!(state.name(), "Running" | "Retrying"));
        let id = RunId::generate(START + count as i64 * 1000);
        self.first.get_or_insert(id);
        self.batch.runs.push(RunWrite {
            parent,
            root,
            depth,
            name: name.to_owned(),
            attempt: bodies.count() as u32,
            states,
            ..RunWrite::bare(number, id, definition.clone())
        });
        number
    }

    /// The result of one run is an input of another.
    pub(super) fn depends(&mut self, run: RunNumber, upstream: RunNumber) {
        let run = self.batch.runs.iter_mut().find(|write| write.number == run).unwrap();
        run.upstream.push(upstream);
    }

    fn flush(&mut self) {
        self.batch.process = self.process;
        self.batch.sequence += 1;
        self.store.apply(&self.batch).unwrap();
        self.batch.runs.clear();
    }

    /// The store with all of it, and the first run.
    pub(super) fn record(mut self) -> (Counted, RunRow) {
        self.flush();
        let first = self.store.run(self.first.unwrap()).unwrap().unwrap();
        (Counted::new(self.store), first)
    }
}

/// A run of everything: completed, retried, failed, crashed, cancelled, running, waiting, folded, in several scripts.
pub(super) fn pipeline() -> (Counted, RunRow) {
    let mut forest = Forest::new();
    let root = forest.run(None, FLOW, "nightly-import", "crimson-fox", "Pending 0, Running 2");
    let fetch = forest.run(
        Some(root),
        FLOW,
        "fetch",
        "fetch 2026-11-24",
        "Pending 3, Running 4, Completed 30500",
    );
    let mut pages = Vec::new();
    for page in 0..998 {
        let begin = 10 + page * 30;
        let life = format!("Pending 5, Running {begin}, Completed {}", begin + 400);
        pages.push(forest.run(Some(fetch), TASK, "download", &format!("download-{page}"), &life));
    }
    let lost = "Pending 5, Running 29900, AwaitingRetry 30000, Retrying 30100, AwaitingRetry 30200, Retrying 30400, \
                Failed 30450: GET https://data.example/pages/998 gave 503 Service Unavailable";
    let lost = forest.run(Some(fetch), TASK, "download", "download-998", lost);
    let slow = "Pending 5, Running 1000, AwaitingRetry 5000, Retrying 15000, Completed 16000";
    forest.run(Some(fetch), TASK, "download", "download-999", slow);
    let parse = forest.run(
        Some(root),
        TASK,
        "parse",
        "解析 木曜日",
        "Pending 3, Running 30600, Completed 41000",
    );
    for page in [pages[0], pages[1], pages[2]] {
        forest.depends(parse, page);
    }
    let load = forest.run(
        Some(root),
        FLOW,
        "load",
        "brisk-otter",
        "Pending 3, Running 41000, Failed 52000: load › insert failed: duplicate key value violates unique constraint \"pk\"\nDETAIL: id=7",
    );
    forest.depends(load, parse);
    let connect = forest.run(
        Some(load),
        TASK,
        "connect",
        "connect",
        "Pending 41001, Completed 41001".replace("Completed", "Cached").as_str(),
    );
    let insert = forest.run(
        Some(load),
        TASK,
        "insert",
        "insert \"rows\" <1..7> & more\x1b[31m",
        "Pending 41002, Running 41010, Failed 51900: duplicate key value violates unique constraint \"pk\"\nDETAIL: id=7",
    );
    forest.depends(insert, connect);
    let index = forest.run(
        Some(load),
        TASK,
        "index",
        "index",
        "Pending 41003, NotReady 51950: an input failed",
    );
    forest.depends(index, insert);
    let train = forest.run(Some(root), FLOW, "train", "قطار", "Pending 3, Running 41200");
    forest.depends(train, parse);
    forest.run(
        Some(train),
        TASK,
        "epoch",
        "epoch 1",
        "Pending 41300, Running 41301, Completed 63000",
    );
    forest.run(
        Some(train),
        TASK,
        "epoch",
        "epoch 2",
        "Pending 41300, Running 63001, Crashed 70000: the process died",
    );
    forest.run(Some(train), TASK, "epoch", "epoch 3", "Pending 41300, Running 70500");
    forest.run(
        Some(train),
        TASK,
        "report",
        "report",
        "Pending 41300, Running 45000, AwaitingRetry 93000",
    );
    let cleanup = "Pending 3, Running 53000, Cancelling 60000, Cancelled 61000: cancelled by user";
    forest.run(Some(root), TASK, "cleanup", "cleanup", cleanup);
    let publish = forest.run(Some(root), TASK, "publish", "publish", "Pending 3");
    forest.depends(publish, train);
    forest.depends(publish, lost);
    forest.record()
}

/// Flows in flows, that many, all of them ended in that way.
pub(super) fn chain(levels: i64, end: &str) -> (Counted, RunRow) {
    let (end, message) = end.split_once(' ').unwrap_or((end, ""));
    let mut forest = Forest::new();
    let mut parent = None;
    for level in 0..levels {
        let life = format!(
            "Pending {level}, Running {level}, {end} {}{message}",
            2 * levels - level
        );
        parent = Some(forest.run(parent, FLOW, "dig", &format!("dig {level}"), &life));
    }
    forest.record()
}

/// Ten thousand flows of so many tasks each, of which one task failed and its flow didn't mind.
pub(super) fn crawl(pages: i64) -> (Counted, RunRow) {
    let mut forest = Forest::new();
    let root = forest.run(None, FLOW, "crawl", "crawl", "Pending 0, Running 0, Completed 2000000");
    for site in 0..10_000 {
        let life = format!("Pending 1, Running {}, Completed {}", site * 100, site * 100 + 5000);
        let flow = forest.run(Some(root), FLOW, "site", &format!("site-{site}"), &life);
        for page in 0..pages {
            let at = site * 100 + page * 40;
            let end = if (site, page) == (7_777, pages - 1) {
                "Failed"
            } else {
                "Completed"
            };
            let life = format!("Pending {at}, Running {at}, {end} {}", at + 40);
            forest.run(Some(flow), TASK, "page", "page", &life);
        }
    }
    forest.record()
}

/// What others may call their runs.
pub(super) const HOSTILE: [&str; 12] = [
    "\"]:::x;click n0 href \"javascript:alert(1)\"",
    "<script>alert(1)</script><img src=x onerror=\"alert(1)\">",
    "]]>&amp;&lt;&#x0;<!--",
    "%%{init: {\"theme\":\"dark\"}}%%\nend\nsubgraph",
    "\x1b[31mred\x1b]0;title\x07\0\u{9b}31m",
    "\u{202e}txt.exe\u{2066}\u{200f}",
    "#quot;#35;`**bold**`",
    "\\N\\n\\\\\"; x [label=\"y\"]; }",
    "\u{fffe}\u{ffff}\u{fdd0}\u{10ffff}",
    "日本語の名前 👩‍👩‍👧‍👦 ❤️ e\u{301}\u{301}\u{301}",
    "\r\n\t\u{2028}\u{2029}\u{85}",
    "",
];

/// Runs with such names, and one that is a megabyte long.
pub(super) fn hostile() -> (Counted, RunRow) {
    let mut forest = Forest::new();
    let long = "x木".repeat(1 << 18);
    let root = forest.run(None, FLOW, HOSTILE[0], HOSTILE[1], "Pending 0, Running 1, Failed 900");
    let mut before = None;
    for (index, name) in HOSTILE.into_iter().chain([long.as_str()]).enumerate() {
        let life = format!("Pending 0, Running {index}, Failed 800: {name}");
        let run = forest.run(Some(root), FLOW, name, name, &life);
        let inner = forest.run(
            Some(run),
            TASK,
            name,
            name,
            "Pending 2, Running 3, AwaitingRetry 300, Retrying 500",
        );
        if let Some(before) = before.replace(inner) {
            forest.depends(inner, before);
        }
    }
    forest.record()
}

/// Tags that close each other, no text but within the outermost, no bare `&`: what an XML parser looks at first.
pub(super) fn assert_well_formed(xml: &str) {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        assert_text(&rest[..start]);
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        assert!(!tag.contains('<'), "{tag}");
        assert_text(tag);
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
}

fn assert_text(text: &str) {
    assert!(
        !text.contains(|c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}')),
        "{text:?}"
    );
    for entity in text.split('&').skip(1) {
        let name = entity.split(';').next().unwrap();
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "{text}");
    }
}
