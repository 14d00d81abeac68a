//! The suite for stores can fail: each fault that a store may have is found by the case that looks for it.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use flowcore::store::{Batch, MemoryStore, RunWrite, Store, StoreError, StoreErrorKind, StoreResult, conformance};
use flowcore::{RunId, State, StateType};
use flowcore_tests::{Altered, LIMIT};

/// Stores with that fault fail the case.
fn caught(case: &str, faulty: impl Fn(Altered) -> Altered) {
    let found = conformance::cases().find(|known| known.to_string() == case);
    let found = found.unwrap_or_else(|| panic!("there is no case {case}"));
    let run = || found.run(&|| Arc::new(faulty(Altered::new(Arc::new(MemoryStore::new())))));
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err(&format!("{case} finds nothing"));
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains(case), "the message names the case: {message}");
    // Without the fault it passes.
    found.run(&|| Arc::new(MemoryStore::new()));
}

/// Batches are changed before they are written.
fn rewritten(change: impl Fn(&mut Batch) + Copy + Send + Sync + 'static) -> impl Fn(Altered) -> Altered {
    move |store| {
        store.apply(move |store, batch| {
            let mut batch = batch.clone();
            change(&mut batch);
            store.apply(&batch)
        })
    }
}

/// Runs are changed before they are written.
fn rewritten_runs(change: fn(&mut RunWrite)) -> impl Fn(Altered) -> Altered {
    rewritten(move |batch| batch.runs.iter_mut().for_each(change))
}

fn no_error<T>(_: StoreError) -> StoreResult<Option<T>> {
    Ok(None)
}

#[test]
fn fields_that_are_lost() {
    let faults: [fn(&mut RunWrite); 16] = [
        |run| run.tags.clear(),
        |run| run.tags.sort(),
        |run| run.parameters = None,
        |run| run.error.truncate(1),
        |run| run.attempt = 0,
        |run| run.forgiven = 0,
        |run| run.crashes = 0,
        |run| run.replay = None,
        |run| run.call_key = None,
        |run| run.durable = false,
        |run| run.depth = 0,
        |run| run.name = run.definition.name.clone(),
        |run| run.parent = None,
        |run| run.root = run.number,
        |run| Arc::make_mut(&mut run.definition).version = None,
        |run| Arc::make_mut(&mut run.definition).key = run.definition.name.clone(),
    ];
    for fault in faults {
        caught("writing::every_field_is_kept", rewritten_runs(fault));
    }
    caught(
        "durable::recorded_calls_are_whole",
        rewritten_runs(|run| run.retry_at = None),
    );
    caught(
        "reading::edges_are_those_of_children",
        rewritten_runs(|run| run.upstream.truncate(1)),
    );
    caught(
        "durable::cached_results_expire",
        rewritten_runs(|run| {
            run.cache = run.cache.take().map(|(key, _)| (key, None));
        }),
    );
    caught(
        "durable::cached_results_are_of_one_task_and_key",
        rewritten_runs(|run| run.cache = None),
    );
    caught(
        "text::results_are_kept_as_bytes",
        rewritten_runs(|run| {
            if let Some(result) = &mut run.result {
                result.json = String::from_utf8_lossy(&result.json).as_bytes().into();
            }
        }),
    );
}

fn without_message(state: &State) -> State {
    State::restored(state.name(), state.unix_nanos(), None).unwrap()
}

#[test]
fn states_that_are_lost() {
    caught("writing::states_are_kept_over_many_batches", |store| {
        store.states(|store, run| store.states(run).map(|states| states.into_iter().take(5).collect()))
    });
    caught("writing::every_state_is_kept", |store| {
        store.states(|store, run| store.states(run).map(|states| states[..1].to_vec()))
    });
    caught(
        "writing::every_state_is_kept",
        rewritten_runs(|run| {
            run.states = run.states.iter().map(without_message).collect();
        }),
    );
    caught(
        "writing::every_state_is_kept",
        rewritten_runs(|run| {
            let plain = |state: &State| State::restored(state.kind().as_str(), state.unix_nanos(), state.message());
            run.states = run.states.iter().filter_map(plain).collect();
        }),
    );
    caught("writing::long_histories_are_kept", |store| {
        store.states(|store, run| store.states(run).map(|states| states.into_iter().take(1_000).collect()))
    });
    caught(
        "text::odd_text_is_kept_in_every_field",
        rewritten_runs(|run| {
            run.name = run.name.split('\0').next().unwrap_or_default().to_owned();
        }),
    );
    caught(
        "text::megabytes_are_kept",
        rewritten_runs(|run| {
            run.parameters = run.parameters.take().map(|text| text.chars().take(65_536).collect());
        }),
    );
}

#[test]
fn times_that_are_wrong() {
    // NotReady is an end.
    caught("writing::times_follow_the_states", |store| {
        store.run(|store, id| {
            Ok(store.run(id)?.map(|mut row| {
                row.ended_at = row.ended_at.filter(|_| row.state.is_terminal());
                row
            }))
        })
    });
    // The first body's begin is forgotten over the second's.
    caught("writing::times_follow_the_states", |store| {
        store.run(|store, id| {
            Ok(store.run(id)?.map(|mut row| {
                row.started_at = row.started_at.map(|at| at + i64::from(row.attempt - 1));
                row
            }))
        })
    });
}

/// Gives every batch a number that the store hasn't seen.
fn forgetting_sequences(store: Altered) -> Altered {
    let next = Mutex::new(HashMap::<u32, u64>::new());
    store.apply(move |store, batch| {
        let mut batch = batch.clone();
        let mut next = next.lock().unwrap();
        let number = next.entry(batch.process).or_default();
        *number += 1;
        batch.sequence = *number;
        store.apply(&batch)
    })
}

#[test]
fn batches_that_are_written_twice() {
    caught("writing::a_batch_is_written_once", forgetting_sequences);
    caught(
        "writing::another_batch_of_the_same_number_is_not_written",
        forgetting_sequences,
    );
    caught(
        "concurrency::one_batch_from_many_threads_is_written_once",
        forgetting_sequences,
    );
    // States are added without a look at their places.
    caught("writing::a_write_repeated_changes_nothing", |store| {
        let seen = Mutex::new(HashMap::<RunId, u32>::new());
        store.apply(move |store, batch| {
            let mut batch = batch.clone();
            for run in &mut batch.runs {
                let mut seen = seen.lock().unwrap();
                let seen = seen.entry(run.id).or_default();
                run.first_state = *seen;
                *seen += run.states.len() as u32;
            }
            store.apply(&batch)
        })
    });
    // All processes share one count.
    caught("writing::sequences_of_processes_are_apart", |store| {
        let seen = Mutex::new(HashSet::<u64>::new());
        store.apply(move |store, batch| match seen.lock().unwrap().insert(batch.sequence) {
            true => store.apply(batch),
            false => Ok(()),
        })
    });
}

/// Writes a batch run by run, and calls `between` after the first of several.
fn in_parts(store: &dyn Store, batch: &Batch, between: impl Fn(&RunWrite)) -> StoreResult<()> {
    const ENOUGH: u64 = 1_000;
    for (run, part) in batch.runs.iter().zip(0..) {
        store.apply(&Batch {
            process: batch.process,
            sequence: batch.sequence * ENOUGH + part,
            runs: vec![run.clone()],
            logs: Vec::new(),
        })?;
        if part == 0 && batch.runs.len() > 1 {
            between(run);
        }
    }
    Ok(())
}

#[test]
fn batches_that_are_written_in_part() {
    caught("writing::a_batch_is_written_whole_or_not_at_all", |store| {
        store.apply(|store, batch| in_parts(store, batch, |_| {}))
    });
    // Once, the rest of a batch waits until somebody has read its tree.
    caught(
        "concurrency::processes_write_while_others_read_whole_batches",
        |store| {
            let watched = Arc::new(Mutex::new(None));
            let (tell, told) = mpsc::channel();
            let (read, told) = (watched.clone(), Mutex::new(told));
            let waits = AtomicBool::new(true);
            store
                .apply(move |store, batch| {
                    in_parts(store, batch, |first| {
                        if first.state_before.is_some() && waits.swap(false, Ordering::SeqCst) {
                            *watched.lock().unwrap() = Some(first.root);
                            told.lock().unwrap().recv_timeout(LIMIT).expect("nobody reads");
                        }
                    })
                })
                .runs(move |store, query| {
                    let is_watched = query.root.is_some() && query.root == *read.lock().unwrap();
                    let page = store.runs(query);
                    if is_watched {
                        let _ = tell.send(());
                    }
                    page
                })
        },
    );
    caught(
        "writing::large_batches_are_written",
        rewritten(|batch| batch.runs.truncate(999)),
    );
    caught("writing::an_empty_batch_is_no_trouble", |store| {
        store.apply(|store, batch| match batch.is_empty() {
            true => Err(StoreError::new(StoreErrorKind::Other, "nothing to write")),
            false => store.apply(batch),
        })
    });
}

#[test]
fn fences_that_are_open() {
    let unfenced = |store: Altered| {
        store.apply(|store, batch| match store.apply(batch) {
            Err(error) if error.kind() == StoreErrorKind::Fenced => Ok(()),
            outcome => outcome,
        })
    };
    for case in [
        "writing::who_was_declared_dead_is_fenced",
        "writing::who_left_is_fenced",
    ] {
        caught(case, unfenced);
    }
    caught("processes::a_heartbeat_tells_the_dead", |store| {
        store.heartbeat(|store, process, lease| {
            let mut beat = store.heartbeat(process, lease)?;
            beat.fenced = false;
            Ok(beat)
        })
    });
}

#[test]
fn burials_that_are_wrong() {
    caught("processes::a_burial_crashes_open_runs", |store| {
        store.bury(|store, process, _| store.bury(process, ""))
    });
    caught("processes::a_burial_crashes_open_runs", |store| {
        store.bury(|_, _, _| Ok(0))
    });
    caught("processes::a_burial_crashes_open_runs", |store| {
        store.bury(|store, process, why| store.bury(process, why).map(|count| count + 1))
    });
    // It forgets what was forgiven, and counts every crash.
    caught("processes::a_burial_forgives_attempts", |store| {
        store.run(|store, id| {
            Ok(store.run(id)?.map(|mut row| {
                row.forgiven -= u32::from(row.state.name() == "Crashed" && row.forgiven > 0);
                row
            }))
        })
    });
    caught("processes::a_crash_counts_where_no_child_runs", |store| {
        store.run(|store, id| {
            Ok(store.run(id)?.map(|mut row| {
                row.crashes = row.crashes.max(u32::from(row.state.name() == "Crashed"));
                row
            }))
        })
    });
    caught("processes::a_burial_keeps_the_time_of_the_retry", |store| {
        store.recorded(|store, parent| {
            let mut recorded = store.recorded(parent)?;
            recorded.iter_mut().for_each(|call| call.retry_at = None);
            Ok(recorded)
        })
    });
    caught("processes::who_leaves_crashes_its_runs", |store| {
        store.leave(|_, _| Ok(()))
    });
    caught("processes::numbers_begin_at_1_and_are_given_once", |store| {
        store.register(|store, process, lease| store.register(process, lease).map(|_| 1))
    });
    caught("processes::processes_are_listed_oldest_first", |store| {
        store.processes(|store, _| store.processes(true))
    });
}

#[test]
fn counts_that_are_wrong() {
    caught("writing::counts_follow_every_change", |store| {
        store.counts(|store, root| {
            let mut counts = store.counts(root)?;
            counts.iter_mut().for_each(|count| count.count *= 2);
            Ok(counts)
        })
    });
    // Burials aren't counted.
    caught("writing::counts_follow_every_change", |store| {
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
    use flowcore::store::RunQuery;
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
                Some(run) if run.durable && run.parent.is_none() => Ok(flowcore::store::Claimed { run }),
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
    caught("durable::cached_results_expire", |store| {
        store.cached(|store, task, key, now| store.cached(task, key, now - 1))
    });
    caught("durable::the_latest_cached_result_is_found", |store| {
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
            _ => store.result(run).or_else(no_error),
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
