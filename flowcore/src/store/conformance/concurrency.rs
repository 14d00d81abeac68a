//! Many threads at a time.

use std::panic::resume_unwind;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::super::error::StoreErrorKind;
use super::super::process::ProcessIdentity;
use super::super::query::{LogQuery, RunQuery};
use super::super::store::Store;
use super::builder::{Draft, Writer, instant};
use super::check::{Must, check, row, same, same_counts, same_runs, same_set, state_name};
use super::{Make, listed};
use crate::run::RunId;
use crate::run::RunKind::{Flow, Task};
use crate::state::StateType;

listed! { "concurrency":
    of_many_claims_one_wins,
    processes_that_enter_together_have_numbers_of_their_own,
    one_batch_from_many_threads_is_written_once,
    processes_write_while_others_read_whole_batches,
    a_burial_stops_who_is_writing,
    many_burials_are_one,
    a_cancellation_is_told_to_one_heartbeat,
    many_deletions_are_one,
}

const THREADS: usize = 8;

/// Calls `work` on so many threads, which begin together. A panic of one is the caller's.
fn together<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let (start, work) = (&start, &work);
        let threads: Vec<_> = (0..threads)
            .map(|n| {
                scope.spawn(move || {
                    start.wait();
                    work(n)
                })
            })
            .collect();
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.collect()
    })
}

fn of_many_claims_one_wins(make: &Make) {
    let store = make();
    let writers: Vec<Writer> = (0..THREADS).map(|_| Writer::new(&store)).collect();
    for _ in 0..10 {
        let mut flow = writers[0].flow("wanted");
        writers[0].write([flow.durable().begin().fail("x")]);
        let at = instant();
        let claims = together(THREADS, |n| store.claim(flow.id(), writers[n].process(), at));
        let mut won = Vec::new();
        for (claim, writer) in claims.into_iter().zip(&writers) {
            match claim {
                Ok(claimed) => {
                    same("whose it is", &claimed.run.process, &writer.process());
                    won.push(claimed.run);
                }
                Err(error) => same("why others don't get it", &error.kind(), &StoreErrorKind::Refused),
            }
        }
        same("how many claims win", &won.len(), &1);
        same("the run that was claimed", &row(&*store, &flow), &won[0]);
        same_counts(
            "after many claims",
            &*store,
            flow.number(),
            &[(Flow, "wanted", StateType::Pending, 1)],
        );
    }
}

fn processes_that_enter_together_have_numbers_of_their_own(make: &Make) {
    let store = make();
    let hour = Duration::from_secs(3600);
    let numbers = together(THREADS, |_| {
        [(); 5].map(|()| store.register(&ProcessIdentity::default(), hour).must("entering"))
    });
    let mut numbers: Vec<u32> = numbers.into_iter().flatten().collect();
    numbers.sort_unstable();
    let rows = store.processes(false).must("the processes");
    let listed: Vec<u32> = rows.iter().map(|row| row.number).collect();
    same("the numbers of processes", &listed, &numbers);
    numbers.dedup();
    same("how many numbers", &numbers.len(), &(THREADS * 5));
}

fn one_batch_from_many_threads_is_written_once(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    for _ in 0..10 {
        let mut flow = writer.flow("once");
        let mut batch = writer.batch([flow.begin()]);
        batch.logs = vec![flow.line(tracing::Level::INFO, "once")];
        together(THREADS, |_| store.apply(&batch).must("one batch from many threads"));
        same_runs(&*store, writer.process(), [&flow]);
        same_counts(
            "after many writes",
            &*store,
            flow.number(),
            &[(Flow, "once", StateType::Running, 1)],
        );
        let query = LogQuery {
            run: flow.number(),
            below: false,
            level: tracing::Level::TRACE,
            after: None,
            last: false,
            limit: 100,
        };
        same("how many lines", &store.logs(&query).must("the log").items.len(), &1);
    }
}

/// A tree of which every batch changes all runs alike.
struct Choir {
    runs: Vec<Draft>,
}

impl Choir {
    const VOICES: u32 = 5;

    fn new(writer: &Writer) -> Self {
        let flow = writer.flow("choir");
        let tasks = (0..Self::VOICES).map(|_| writer.task_below(&flow, "voice"));
        let tasks: Vec<Draft> = tasks.collect();
        Self {
            runs: std::iter::once(flow).chain(tasks).collect(),
        }
    }

    fn sing(&mut self, writer: &Writer) {
        for run in &mut self.runs {
            if run.write.attempt > 0 {
                run.enter("AwaitingRetry");
            }
            run.begin();
        }
        writer.write(self.runs.iter_mut());
    }
}

/// All runs of the tree are there, and at the same attempt.
#[track_caller]
fn in_unison(store: &dyn Store, root: RunId) {
    let root = store.run(root).must("a root").must("a root");
    let query = RunQuery {
        root: Some(root.number),
        ..RunQuery::default()
    };
    let rows = store.runs(&query).must("a tree").items;
    same(
        "how many runs of a batch are there",
        &rows.len(),
        &(Choir::VOICES as usize + 1),
    );
    let attempts: Vec<u32> = rows.iter().map(|row| row.attempt).collect();
    check(
        "a reader sees whole batches",
        attempts.iter().all(|attempt| *attempt == attempts[0]),
    );
    check("a reader sees no step back", attempts[0] >= root.attempt);
    same_counts(
        "counts meanwhile",
        store,
        root.number,
        &[
            (Flow, "choir", StateType::Running, 1),
            (Task, "voice", StateType::Running, u64::from(Choir::VOICES)),
        ],
    );
}

fn processes_write_while_others_read_whole_batches(make: &Make) {
    const PROCESSES: usize = 4;
    const TREES: usize = 3;
    const ROUNDS: usize = 8;
    let store = make();
    // Two threads write for each process, one batch at a time, as the engine's threads do.
    let writers: Vec<Mutex<Writer>> = (0..PROCESSES).map(|_| Mutex::new(Writer::new(&store))).collect();
    let roots: Mutex<Vec<RunId>> = Mutex::default();
    let (done, start) = (AtomicBool::new(false), Barrier::new(THREADS + 2));
    let sung = thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    loop {
                        let last = done.load(Ordering::SeqCst);
                        let known = roots.lock().clone();
                        known.iter().for_each(|root| in_unison(&*store, *root));
                        if last {
                            break;
                        }
                    }
                })
            })
            .collect();
        let singers: Vec<_> = (0..THREADS)
            .map(|n| {
                let (writers, roots, start) = (&writers, &roots, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut choirs: Vec<Choir> = (0..TREES).map(|_| Choir::new(&writers[n / 2].lock())).collect();
                    for round in 0..ROUNDS {
                        for choir in &mut choirs {
                            choir.sing(&writers[n / 2].lock());
                            if round == 0 {
                                roots.lock().push(choir.runs[0].id());
                            }
                        }
                    }
                    choirs
                })
            })
            .collect();
        let sung: Vec<_> = singers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        for reader in readers {
            reader.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        sung
    });
    let mut right = Vec::new();
    for (n, choirs) in sung.into_iter().enumerate() {
        let process = writers[n / 2].lock().process();
        for choir in choirs.unwrap_or_else(|panic| resume_unwind(panic)) {
            same_runs(&*store, process, &choir.runs);
            right.extend(choir.runs.iter().map(Draft::id));
        }
    }
    let query = RunQuery {
        limit: usize::MAX,
        ..RunQuery::default()
    };
    let found: Vec<RunId> = store
        .runs(&query)
        .must("all runs")
        .items
        .iter()
        .map(|row| row.id)
        .collect();
    same_set("all runs", &found, &right);
}

fn a_burial_stops_who_is_writing(make: &Make) {
    let store = make();
    let writer = Mutex::new(Writer::new(&store));
    let process = writer.lock().process();
    let written: Mutex<Vec<Draft>> = Mutex::default();
    let buried = AtomicBool::new(false);
    together(THREADS + 1, |n| {
        if n == THREADS {
            // Some are written before.
            while written.lock().len() < 20 {
                thread::yield_now();
            }
            store.bury(process, "gone").must("burying");
            buried.store(true, Ordering::SeqCst);
            return;
        }
        loop {
            let was_buried = buried.load(Ordering::SeqCst);
            let writer = writer.lock();
            let mut task = writer.task("hasty");
            match writer.try_write([task.begin()]) {
                Ok(()) => {
                    check("a batch after the burial is refused", !was_buried);
                    written.lock().push(task);
                }
                Err(error) => {
                    same("why a batch is refused", &error.kind(), &StoreErrorKind::Fenced);
                    // Unless it was written before the burial, and its writer had an error for an answer: then it is buried too.
                    let found = store.run(task.id()).must("a run that was refused");
                    let alive = found.filter(|run| run.state.name() != "Crashed");
                    same("a run that was refused", &alive, &None);
                    break;
                }
            }
        }
    });
    for task in written.into_inner() {
        same("a run of the dead", &state_name(&*store, &task), &"Crashed");
        same_counts(
            "a run of the dead",
            &*store,
            task.number(),
            &[(Task, "hasty", StateType::Crashed, 1)],
        );
    }
}

fn many_burials_are_one(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut flow = writer.flow("lost");
    let mut tasks: Vec<Draft> = (0..20).map(|_| writer.task_below(&flow, "leaf")).collect();
    for task in &mut tasks {
        task.begin();
    }
    writer.write(std::iter::once(flow.begin()).chain(&mut tasks));
    let crashed = together(THREADS, |_| store.bury(writer.process(), "gone").must("burying"));
    same("how many runs were crashed", &crashed.iter().sum::<u64>(), &21);
    for task in &tasks {
        let row = row(&*store, task);
        same(
            "what a burial changes",
            &(row.states, row.forgiven, row.crashes),
            &(3, 1, 1),
        );
    }
    same_counts(
        "after many burials",
        &*store,
        flow.number(),
        &[
            (Flow, "lost", StateType::Crashed, 1),
            (Task, "leaf", StateType::Crashed, 20),
        ],
    );
}

fn a_cancellation_is_told_to_one_heartbeat(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    let mut tasks: Vec<Draft> = (0..10).map(|_| writer.task("any")).collect();
    writer.write(tasks.iter_mut());
    for task in &tasks {
        check("an open run", store.request_cancel(task.id(), instant()).must("asking"));
    }
    let minute = Duration::from_secs(60);
    let told = together(THREADS, |_| {
        store.heartbeat(writer.process(), minute).must("a heartbeat").cancel
    });
    let told: Vec<RunId> = told.into_iter().flatten().collect();
    let right: Vec<RunId> = tasks.iter().map(Draft::id).collect();
    same_set("what is told", &told, &right);
}

fn many_deletions_are_one(make: &Make) {
    let store = make();
    let writer = Writer::new(&store);
    for _ in 0..5 {
        let mut flow = writer.flow("unwanted");
        let mut tasks: Vec<Draft> = (0..10).map(|_| writer.task_below(&flow, "leaf")).collect();
        for task in &mut tasks {
            task.begin().complete("1");
        }
        writer.write(std::iter::once(flow.begin()).chain(&mut tasks));
        writer.write([flow.complete("1")]);
        let gone = together(THREADS, |_| match store.delete(flow.id()) {
            Ok(gone) => gone,
            Err(error) => {
                same("why others don't delete it", &error.kind(), &StoreErrorKind::NotFound);
                0
            }
        });
        same("how many runs are gone", &gone.iter().sum::<u64>(), &11);
        same_counts("after many deletions", &*store, flow.number(), &[]);
    }
}
