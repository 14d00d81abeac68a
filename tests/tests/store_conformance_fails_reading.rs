//! The suite for stores can fail: faults in what is read, claimed, requested and deleted are found by the case that looks for them.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use flowcore::StateType;
use flowcore::store::{Claimed, MemoryStore, RunQuery, StoreError, StoreErrorKind, conformance};
use flowcore_tests::{Altered, caught};

#[test]
fn counts_that_are_wrong() {
    caught("counts::counts_follow_every_change", |store| {
        store.counts(|store, root| {
            let mut counts = store.counts(root)?;
            counts.iter_mut().for_each(|count| count.count *= 2);
            Ok(counts)
        })
    });
    // Burials aren't counted.
    caught("counts::counts_follow_every_change", |store| {
        store.counts(|store, root| {
            let mut counts = store.counts(root)?;
            counts.retain(|count| count.state != StateType::Crashed);
            Ok(counts)
        })
    });
    caught("reading::groups_come_in_the_order_of_their_first", |store| {
        store.groups(|store, parent| {
            let mut groups = store.groups(parent)?;
            groups.sort_by(|one, other| one.definition.cmp(&other.definition));
            Ok(groups)
        })
    });
    caught("reading::groups_fold_children", |store| {
        store.groups(|store, parent| {
            let mut groups = store.groups(parent)?;
            groups
                .iter_mut()
                .for_each(|group| group.last_ended_at = group.first_started_at);
            Ok(groups)
        })
    });
}

#[test]
fn pages_that_skip_a_run() {
    // The next page begins one too far.
    caught("paging::pages_join_without_gaps", |store| {
        store.runs(|store, query| {
            let mut page = store.runs(query)?;
            if query.after.is_some() && !page.items.is_empty() {
                page.items.remove(0);
            }
            Ok(page)
        })
    });
    caught("paging::pages_tell_whether_there_is_more", |store| {
        store.runs(|store, query| {
            let mut page = store.runs(query)?;
            page.more = page.items.len() == query.limit;
            Ok(page)
        })
    });
    // Filters are applied after the page is cut.
    caught("paging::filtered_pages_join_without_gaps", |store| {
        store.runs(|store, query| {
            let mut plain = query.clone();
            plain.kind = None;
            let mut page = store.runs(&plain)?;
            page.items.retain(|row| query.kind.is_none_or(|kind| kind == row.kind));
            Ok(page)
        })
    });
    caught("paging::runs_come_newest_first", |store| {
        store.runs(|store, query| {
            let mut page = store.runs(query)?;
            page.items.sort_by_key(|row| row.id);
            Ok(page)
        })
    });
    caught("paging::runs_are_ordered_by_id_not_by_writing", |store| {
        store.runs(|store, query| {
            let mut page = store.runs(query)?;
            page.items.sort_by_key(|row| row.number);
            if !query.oldest_first {
                page.items.reverse();
            }
            Ok(page)
        })
    });
    caught("logs::pages_of_lines_join", |store| {
        store.logs(|store, query| {
            let mut query = query.clone();
            query.after = query.after.map(|after| after + 1);
            store.logs(&query)
        })
    });
    caught("logs::the_last_lines_are_found", |store| {
        store.logs(|store, query| {
            let mut query = query.clone();
            query.last = false;
            store.logs(&query)
        })
    });
    caught("reading::ids_are_found_by_their_beginnings", |store| {
        store.ids(|store, prefix, limit| {
            // Only whole bytes are compared.
            store
                .ids(&prefix[..prefix.len().div_ceil(2) * 2 - prefix.len() % 2 * 2], limit)
                .or(Ok(Vec::new()))
        })
    });
}

#[test]
fn filters_that_are_not_heeded() {
    let faults: [fn(&mut RunQuery); 9] = [
        |query| query.states.truncate(1),
        |query| query.definition = None,
        |query| query.kind = None,
        |query| query.tags.truncate(1),
        |query| query.since = query.since.map(|since| since + 1),
        |query| query.until = query.until.map(|until| until + 1),
        |query| query.roots = false,
        |query| query.parent = None,
        |query| query.root = None,
    ];
    for fault in faults {
        caught("paging::every_filter_filters", move |store| {
            store.runs(move |store, query| {
                let mut query = query.clone();
                fault(&mut query);
                store.runs(&query)
            })
        });
    }
}

#[test]
fn claims_that_are_wrong() {
    caught("durable::a_claim_is_made_once", |store| {
        store.claim(|store, id, process, at| match store.claim(id, process, at) {
            Err(error) => match store.run(id)? {
                Some(run) if run.durable && run.parent.is_none() => Ok(Claimed { run }),
                _ => Err(error),
            },
            claimed => claimed,
        })
    });
    // Two steps, of which each is safe, are not a claim.
    caught("concurrency::of_many_claims_one_wins", |store| {
        let claimed = Mutex::new(HashMap::new());
        store.claim(move |store, id, process, at| match store.claim(id, process, at) {
            Ok(done) => {
                claimed.lock().unwrap().insert(id, done.clone());
                Ok(done)
            }
            Err(error) => claimed.lock().unwrap().get(&id).cloned().ok_or(error),
        })
    });
    caught("durable::completed_calls_come_with_results", |store| {
        store.recorded(|store, parent| {
            let mut recorded = store.recorded(parent)?;
            recorded.iter_mut().for_each(|call| call.result = None);
            Ok(recorded)
        })
    });
    caught("durable::recorded_calls_are_those_of_the_parent", |store| {
        store.recorded(|store, parent| {
            let mut all = store.recorded(parent)?;
            for call in all.clone() {
                all.extend(store.recorded(call.number)?);
            }
            Ok(all)
        })
    });
    caught("cached::cached_results_expire", |store| {
        store.cached(|store, task, key, now| store.cached(task, key, now - 1))
    });
    caught("cached::the_latest_cached_result_is_found", |store| {
        let first = Mutex::new(None);
        store.cached(move |store, task, key, now| {
            let mut first = first.lock().unwrap();
            if first.is_none() {
                *first = store.cached(task, key, now)?;
            }
            Ok(first.clone())
        })
    });
}

#[test]
fn requests_that_are_wrong() {
    let remembering = |store: Altered| {
        let told = Mutex::new(Vec::new());
        store.heartbeat(move |store, process, lease| {
            let mut told = told.lock().unwrap();
            let mut beat = store.heartbeat(process, lease)?;
            told.append(&mut beat.cancel);
            beat.cancel.clone_from(&told);
            Ok(beat)
        })
    };
    caught("requests::a_cancellation_is_told_once", remembering);
    caught("concurrency::a_cancellation_is_told_to_one_heartbeat", remembering);
    caught("requests::a_run_that_is_over_is_not_cancelled", |store| {
        store.request_cancel(|store, id, at| store.request_cancel(id, at).map(|_| true))
    });
    caught("requests::a_cancellation_is_told_once", |store| {
        store.request_cancel(|_, _, _| Ok(true))
    });
}

#[test]
fn upkeep_that_is_wrong() {
    caught("upkeep::a_deleted_tree_is_gone", |store| store.delete(|_, _| Ok(6)));
    caught("upkeep::open_trees_are_not_deleted", |store| {
        store.delete(|store, id| store.delete(id).or(Ok(0)))
    });
    caught("upkeep::what_ended_before_is_pruned", |store| {
        store.prune(|store, before, limit| store.prune(before.saturating_add(1), limit))
    });
    caught("upkeep::the_oldest_are_pruned_first", |store| {
        store.prune(|store, before, _| store.prune(before, usize::MAX))
    });
    // A cached result goes with the tree that holds it.
    caught("upkeep::cached_results_that_live_are_not_pruned", |store| {
        let pruned = Arc::new(Mutex::new(false));
        let seen = pruned.clone();
        store
            .prune(move |store, before, limit| {
                *pruned.lock().unwrap() = true;
                store.prune(before, limit).map(|gone| gone + 6)
            })
            .cached(move |store, task, key, now| match *seen.lock().unwrap() {
                true => Ok(None),
                false => store.cached(task, key, now),
            })
    });
    caught("reading::what_is_unknown_has_nothing", |store| {
        store.result(|store, run| match store.run_numbered(run) {
            Ok(None) => Err(StoreError::new(StoreErrorKind::NotFound, "no such run")),
            _ => store.result(run),
        })
    });
}

#[test]
fn a_run_of_the_suite_names_every_case_that_failed() {
    let broken = || Arc::new(Altered::new(Arc::new(MemoryStore::new())).groups(|_, _| Ok(Vec::new())));
    let run = || conformance::run(&|| broken());
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("the suite fails");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("reading::groups_fold_children"), "{message}");
    assert!(message.contains("reading::groups_are_of_one_parent"), "{message}");
    assert!(!message.contains("writing::"), "{message}");
}

#[test]
fn names_of_cases_are_unique() {
    let names: Vec<String> = conformance::cases().map(|case| case.to_string()).collect();
    let unique: HashSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    assert!(names.len() >= 100);
}
