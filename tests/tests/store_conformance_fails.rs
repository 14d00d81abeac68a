//! The suite for stores can fail: faults in what is written are found by the case that looks for them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use flowcore::store::{Batch, RunWrite, Store, StoreError, StoreErrorKind, StoreResult};
use flowcore::{RunId, State};
use flowcore_tests::{Altered, LIMIT, caught};

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
        "cached::cached_results_expire",
        rewritten_runs(|run| {
            run.cache = run.cache.take().map(|(key, _)| (key, None));
        }),
    );
    caught(
        "cached::cached_results_are_of_one_task_and_key",
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
    State::restored(state.name(), state.unix_nanos(), None).unwrap_or_else(|| state.clone())
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
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        let number = next.entry(batch.process).or_default();
        *number += 1;
        batch.sequence = *number;
        store.apply(&batch)
    })
}

#[test]
fn batches_that_are_written_twice() {
    caught("batches::a_batch_is_written_once", forgetting_sequences);
    caught(
        "batches::another_batch_of_the_same_number_is_not_written",
        forgetting_sequences,
    );
    caught(
        "concurrency::one_batch_from_many_threads_is_written_once",
        forgetting_sequences,
    );
    // States are added without a look at their places.
    caught("batches::a_write_repeated_changes_nothing", |store| {
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
    caught("batches::sequences_of_processes_are_apart", |store| {
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
    caught("batches::a_batch_is_written_whole_or_not_at_all", |store| {
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
        "batches::large_batches_are_written",
        rewritten(|batch| batch.runs.truncate(999)),
    );
    caught("batches::an_empty_batch_is_no_trouble", |store| {
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
        "batches::who_was_declared_dead_is_fenced",
        "batches::who_left_is_fenced",
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
