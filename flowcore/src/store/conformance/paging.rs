//! Lists of runs, page by page.

use super::super::query::RunQuery;
use super::super::store::Store;
use super::builder::{Draft, Writer, instant};
use super::check::{Must, check, same};
use super::{Make, listed};
use crate::run::{RunId, RunKind};
use crate::state::StateType;

listed! { "paging":
    runs_come_newest_first,
    pages_join_without_gaps,
    pages_tell_whether_there_is_more,
    odd_limits_are_no_trouble,
    every_filter_filters,
    filters_are_all_heeded,
    filtered_pages_join_without_gaps,
    pages_join_while_runs_are_added,
    a_page_begins_beyond_a_run_that_is_gone,
    rows_in_lists_are_whole,
    runs_are_ordered_by_id_not_by_writing,
}

fn ids(drafts: &[Draft]) -> Vec<RunId> {
    drafts.iter().map(Draft::id).collect()
}

/// All pages of a query, joined.
#[track_caller]
fn all(store: &dyn Store, query: &RunQuery) -> Vec<RunId> {
    let mut query = query.clone();
    let mut found = Vec::new();
    loop {
        let page = store.runs(&query).must("a page of runs");
        check("a page isn't longer than asked for", page.items.len() <= query.limit);
        check(
            "where there is more, a page is full",
            !page.more || page.items.len() == query.limit,
        );
        found.extend(page.items.iter().map(|row| row.id));
        let Some(last) = found.last().filter(|_| page.more) else {
            return found;
        };
        query.after = Some(*last);
        check("pages come to an end", found.len() < 100_000);
    }
}

fn some_runs(writer: &Writer, count: usize) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = (0..count).map(|_| writer.task("any")).collect();
    writer.write(drafts.iter_mut());
    drafts
}

fn runs_come_newest_first(make: &Make) {
    let store = make();
    let mut right = ids(&some_runs(&Writer::new(&store), 10));
    let oldest_first = RunQuery {
        oldest_first: true,
        ..RunQuery::default()
    };
    same("from the oldest", &all(&*store, &oldest_first), &right);
    right.reverse();
    same("from the newest", &all(&*store, &RunQuery::default()), &right);
}

fn pages_join_without_gaps(make: &Make) {
    let store = make();
    let right = ids(&some_runs(&Writer::new(&store), 25));
    for limit in [1, 2, 3, 5, 24, 25, 26] {
        let mut query = RunQuery {
            oldest_first: true,
            limit,
            ..RunQuery::default()
        };
        same(
            &format!("pages of {limit} from the oldest"),
            &all(&*store, &query),
            &right,
        );
        query.oldest_first = false;
        let mut found = all(&*store, &query);
        found.reverse();
        same(&format!("pages of {limit} from the newest"), &found, &right);
    }
}

fn pages_tell_whether_there_is_more(make: &Make) {
    let store = make();
    some_runs(&Writer::new(&store), 5);
    for (limit, length, more) in [(4, 4, true), (5, 5, false), (6, 5, false)] {
        let query = RunQuery {
            limit,
            ..RunQuery::default()
        };
        let page = store.runs(&query).must("a page");
        same(
            &format!("a page of {limit}"),
            &(page.items.len(), page.more),
            &(length, more),
        );
    }
}

fn odd_limits_are_no_trouble(make: &Make) {
    let store = make();
    some_runs(&Writer::new(&store), 3);
    for (limit, length) in [(0, 0), (i64::MAX as usize, 3), (usize::MAX, 3)] {
        let query = RunQuery {
            limit,
            ..RunQuery::default()
        };
        same("how many runs", &store.runs(&query).must("a page").items.len(), &length);
    }
}

/// Runs of all sorts: trees of flows, subflows and tasks in several states, with tags.
fn zoo(writer: &Writer) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for n in 0..4 {
        let mut flow = writer.flow(["ape", "bear"][n % 2]);
        flow.write.tags = vec!["zoo".into()];
        flow.begin();
        if n == 3 {
            flow.fail("escaped");
        }
        let mut task = writer.task_below(&flow, "ape");
        task.write.tags = vec!["zoo".into(), format!("cage-{n}"), "zoo-keeper".into()];
        task.begin().complete("1");
        let mut subflow = writer.flow_below(&flow, "cat");
        let leaf = writer.task_below(subflow.enter("AwaitingRetry"), "dog");
        drafts.extend([flow, task, subflow, leaf]);
    }
    let mut alone = writer.task("dog");
    alone.write.tags = vec!["cage-1".into()];
    drafts.push(alone);
    writer.write(drafts.iter_mut());
    drafts
}

fn state_of(draft: &Draft) -> StateType {
    draft.states()[draft.states().len() - 1].kind()
}

/// What the query asks for, found the simple way.
fn right(query: &RunQuery, drafts: &[Draft]) -> Vec<RunId> {
    let fits = |draft: &&Draft| {
        let (write, made) = (&draft.write, draft.states()[0].unix_nanos());
        (query.states.is_empty() || query.states.contains(&state_of(draft)))
            && query
                .definition
                .as_ref()
                .is_none_or(|name| *name == write.definition.name)
            && query.kind.is_none_or(|kind| kind == write.definition.kind)
            && query.tags.iter().all(|tag| write.tags.contains(tag))
            && query.since.is_none_or(|since| made >= since)
            && query.until.is_none_or(|until| made < until)
            && (!query.roots || write.parent.is_none())
            && query.parent.is_none_or(|parent| write.parent == Some(parent))
            && query.root.is_none_or(|root| write.root == root)
    };
    let mut ids: Vec<RunId> = drafts.iter().filter(fits).map(Draft::id).collect();
    ids.sort_unstable();
    if !query.oldest_first {
        ids.reverse();
    }
    ids
}

type Change = fn(&mut RunQuery, &[Draft]);

/// Each sets one filter.
const FILTERS: [(&str, Change); 17] = [
    ("a state", |query, _| query.states = vec![StateType::Completed]),
    ("states", |query, _| {
        query.states = vec![StateType::Failed, StateType::Scheduled]
    }),
    ("a state that none is in", |query, _| {
        query.states = vec![StateType::Crashed]
    }),
    ("a definition", |query, _| query.definition = Some("ape".into())),
    ("a definition that there isn't", |query, _| {
        query.definition = Some("Ape".into())
    }),
    ("flows", |query, _| query.kind = Some(RunKind::Flow)),
    ("tasks", |query, _| query.kind = Some(RunKind::Task)),
    ("a tag", |query, _| query.tags = vec!["zoo".into()]),
    ("two tags", |query, _| query.tags = vec!["cage-1".into(), "zoo".into()]),
    ("a part of a tag", |query, _| query.tags = vec!["cage".into()]),
    ("since", |query, drafts| {
        query.since = Some(drafts[6].states()[0].unix_nanos())
    }),
    ("until", |query, drafts| {
        query.until = Some(drafts[6].states()[0].unix_nanos())
    }),
    ("roots", |query, _| query.roots = true),
    ("a parent", |query, drafts| query.parent = Some(drafts[4].number())),
    ("a parent that is no root", |query, drafts| {
        query.parent = Some(drafts[2].number())
    }),
    ("a root", |query, drafts| query.root = Some(drafts[4].number())),
    ("a root that is none", |query, drafts| {
        query.root = Some(drafts[6].number())
    }),
];

fn every_filter_filters(make: &Make) {
    let store = make();
    let drafts = zoo(&Writer::new(&store));
    for (name, filter) in FILTERS {
        for oldest_first in [false, true] {
            let mut query = RunQuery {
                oldest_first,
                ..RunQuery::default()
            };
            filter(&mut query, &drafts);
            same(
                &format!("the filter {name}"),
                &all(&*store, &query),
                &right(&query, &drafts),
            );
        }
    }
}

fn filters_are_all_heeded(make: &Make) {
    let store = make();
    let drafts = zoo(&Writer::new(&store));
    for (one, first) in FILTERS {
        for (other, second) in FILTERS {
            let mut query = RunQuery::default();
            first(&mut query, &drafts);
            second(&mut query, &drafts);
            same(
                &format!("the filters {one} and {other}"),
                &all(&*store, &query),
                &right(&query, &drafts),
            );
        }
    }
}

fn filtered_pages_join_without_gaps(make: &Make) {
    let store = make();
    let drafts = zoo(&Writer::new(&store));
    for (name, filter) in FILTERS {
        for (limit, oldest_first) in [(1, false), (2, true), (3, false)] {
            let mut query = RunQuery {
                oldest_first,
                limit,
                ..RunQuery::default()
            };
            filter(&mut query, &drafts);
            let found = all(&*store, &query);
            same(
                &format!("pages of {limit}, filter {name}"),
                &found,
                &right(&query, &drafts),
            );
        }
    }
}

fn pages_join_while_runs_are_added(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut early = some_runs(&writer, 10);
    for oldest_first in [false, true] {
        let mut query = RunQuery {
            limit: 3,
            oldest_first,
            ..RunQuery::default()
        };
        let mut found = Vec::new();
        let mut added = Vec::new();
        loop {
            let page = store.runs(&query).must("a page");
            found.extend(page.items.iter().map(|row| row.id));
            // As many as a page are added after each, for the first few.
            if added.len() < 9 {
                added.extend(some_runs(&writer, 3));
            }
            if !page.more {
                break;
            }
            query.after = found.last().copied();
        }
        let mut right = ids(&early);
        if oldest_first {
            right.extend(ids(&added));
        } else {
            right.reverse();
        }
        same("pages while runs were added", &found, &right);
        early.extend(added);
    }
}

fn a_page_begins_beyond_a_run_that_is_gone(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut drafts: Vec<Draft> = (0..6).map(|_| writer.task("any")).collect();
    writer.write(drafts.iter_mut().map(|draft| draft.begin().complete("1")));
    store.delete(drafts[2].id()).must("deleting");
    let mut query = RunQuery {
        after: Some(drafts[2].id()),
        oldest_first: true,
        ..RunQuery::default()
    };
    same("later ones", &all(&*store, &query), &ids(&drafts[3..]));
    query.oldest_first = false;
    let mut found = all(&*store, &query);
    found.reverse();
    same("earlier ones", &found, &ids(&drafts[..2]));
    // Nor need it ever have been there.
    query.after = Some(RunId::generate(instant()));
    same("all are earlier", &all(&*store, &query).len(), &5);
    query.oldest_first = true;
    same("none is later", &all(&*store, &query).len(), &0);
}

fn rows_in_lists_are_whole(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut drafts = zoo(&writer);
    drafts[1].write.parameters = Some(r#"{"n":1}"#.into());
    writer.write([&mut drafts[1]]);
    let page = store.runs(&RunQuery {
        oldest_first: true,
        ..RunQuery::default()
    });
    let page = page.must("all runs");
    same("how many runs", &page.items.len(), &drafts.len());
    for (row, draft) in page.items.iter().zip(&drafts) {
        same("a run in a list", row, &draft.row(writer.process()));
    }
}

fn runs_are_ordered_by_id_not_by_writing(make: &Make) {
    let store = make();
    let writers = [Writer::new(&store), Writer::new(&store)];
    let mut root = writers[0].flow("outer");
    writers[0].write([&mut root]);
    let mut drafts: Vec<Draft> = (0..12).map(|n| writers[n % 2].task_below(&root, "any")).collect();
    // Every fifth, so that neither order is that of the ids.
    for n in 0..12 {
        let n = n * 5 % 12;
        writers[n % 2].write([&mut drafts[n]]);
    }
    let mut right = ids(&drafts);
    let mut query = RunQuery {
        parent: Some(root.number()),
        oldest_first: true,
        limit: 5,
        ..RunQuery::default()
    };
    same("children of one run", &all(&*store, &query), &right);
    query.parent = None;
    query.root = Some(root.number());
    right.insert(0, root.id());
    same("a tree", &all(&*store, &query), &right);
    query.root = None;
    query.oldest_first = false;
    right.reverse();
    same("all", &all(&*store, &query), &right);
}
