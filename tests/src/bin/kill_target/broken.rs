//! Stores that break their promises, to see whether the harness notices.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, thread};

use flowcore::RunId;
use flowcore::store::{
    Batch, Recorded, ResultWrite, RunNumber, RunWrite, SqliteOptions, SqliteStore, Store, StoreError, StoreErrorKind,
    StoreResult,
};
use flowcore_tests::Altered;
use flowcore_tests::kills::Value;
use rusqlite::Connection;

use super::path;

/// Installs the store that `KILL_BROKEN` names, if it names one.
pub(super) fn install() -> flowcore::Result<()> {
    let Ok(name) = env::var("KILL_BROKEN") else {
        return Ok(());
    };
    let store = SqliteStore::open(path("KILL_STORE"), SqliteOptions::default())?;
    let store = Altered::new(Arc::new(store));
    let broken = match name.as_str() {
        "forgets calls" => store.recorded(|store, parent| Ok(some(store.recorded(parent)?, |_| false))),
        "forgets some calls" => store.recorded(|store, parent| Ok(some(store.recorded(parent)?, |_| fastrand::bool()))),
        "forgets results" => store.recorded(|store, parent| each(store, parent, |recorded| recorded.result = None)),
        "mixes results" => store.recorded(mixed),
        "alters results" => store.recorded(|store, parent| {
            each(store, parent, |recorded| {
                recorded.result = recorded.result.as_deref().map(altered)
            })
        }),
        "acknowledges early" => late(store),
        "writes results apart" => apart(store),
        "overwrites results" => overwriting(store),
        "loses some writes" => store.apply(|store, batch| {
            let mut batch = batch.clone();
            batch
                .runs
                .retain(|run| run.call_key.is_none() || fastrand::u32(..20) > 0);
            store.apply(&batch)
        }),
        "writes calls twice" => store.apply(|store, batch| {
            let twins: Vec<RunWrite> = batch.runs.iter().filter(|run| run.parent.is_some()).map(twin).collect();
            let mut batch = batch.clone();
            batch.runs.extend(twins);
            store.apply(&batch)
        }),
        "counts attempts late" => store.apply(|store, batch| {
            let mut batch = batch.clone();
            batch
                .runs
                .iter_mut()
                .for_each(|run| run.attempt = run.attempt.saturating_sub(1));
            store.apply(&batch)
        }),
        "buries nobody" => store.bury(|_, _, _| Ok(0)),
        "buries twice" => store.bury(|store, process, why| {
            let crashed = store.bury(process, why)?;
            patch("UPDATE runs SET crashes = crashes + 1, forgiven = forgiven + 1 WHERE state = 6")?;
            Ok(crashed)
        }),
        "miscounts runs" => store.apply(|store, batch| {
            store.apply(batch)?;
            patch("UPDATE counts SET count = count + 1 WHERE state = 3")
        }),
        "loses parents" => store.apply(|store, batch| {
            store.apply(batch)?;
            patch("UPDATE runs SET parent = parent + 1000 WHERE depth = 1")
        }),
        _ => return Err(refused(&format!("no store '{name}'")).into()),
    };
    Ok(flowcore::store::install(Arc::new(broken))?)
}

fn refused(why: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Refused, why)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes the file behind the store's back.
fn patch(sql: &str) -> StoreResult<()> {
    let patched = Connection::open(path("KILL_STORE")).and_then(|connection| {
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.execute(sql, [])
    });
    patched.map(drop).map_err(|error| refused(&error.to_string()))
}

/// Those calls that have not completed, and of the others those that `keep` names.
fn some(mut recorded: Vec<Recorded>, keep: impl Fn(&Recorded) -> bool) -> Vec<Recorded> {
    recorded.retain(|recorded| recorded.result.is_none() || keep(recorded));
    recorded
}

fn each(store: &dyn Store, parent: RunNumber, change: impl Fn(&mut Recorded)) -> StoreResult<Vec<Recorded>> {
    let mut recorded = store.recorded(parent)?;
    recorded.iter_mut().for_each(change);
    Ok(recorded)
}

/// Every completed call of a task has the result of the next one.
fn mixed(store: &dyn Store, parent: RunNumber) -> StoreResult<Vec<Recorded>> {
    let mut recorded = store.recorded(parent)?;
    let mut tasks: Vec<&mut Recorded> = recorded
        .iter_mut()
        .filter(|call| call.result.as_deref().is_some_and(|json| value(json).is_some()))
        .collect();
    let mut results: Vec<_> = tasks.iter().map(|call| call.result.clone()).collect();
    if !results.is_empty() {
        results.rotate_left(1);
    }
    for (call, result) in tasks.iter_mut().zip(results) {
        call.result = result;
    }
    Ok(recorded)
}

fn value(json: &[u8]) -> Option<Value> {
    serde_json::from_slice(json).ok()
}

/// The same value, with another nonce.
fn altered(json: &[u8]) -> Box<[u8]> {
    let altered = value(json).and_then(|value| {
        let value = Value {
            nonce: value.nonce ^ 1,
            ..value
        };
        serde_json::to_vec(&value).ok()
    });
    altered.unwrap_or_else(|| json.to_vec()).into()
}

/// Another row for the same call.
fn twin(run: &RunWrite) -> RunWrite {
    let mut id = *run.id.as_uuid().as_bytes();
    id[15] ^= 1;
    let id = id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    RunWrite {
        id: id.parse::<RunId>().unwrap_or(run.id),
        number: RunNumber::new(run.number.process(), run.number.count() + (1 << 30)),
        ..run.clone()
    }
}

/// Says that a batch is written, and writes it a little later.
fn late(store: Altered) -> Altered {
    let queue: Mutex<Option<Sender<Batch>>> = Mutex::new(None);
    store.apply(move |_, batch| {
        let mut queue = lock(&queue);
        let queue = match &*queue {
            Some(queue) => queue.clone(),
            None => queue.insert(behind()?).clone(),
        };
        queue.send(batch.clone()).map_err(|_| refused("nobody writes"))
    })
}

/// A thread that writes by and by.
fn behind() -> StoreResult<Sender<Batch>> {
    let store = SqliteStore::open(path("KILL_STORE"), SqliteOptions::default())?;
    let (queue, batches) = mpsc::channel::<Batch>();
    thread::spawn(move || {
        for batch in batches {
            thread::sleep(Duration::from_millis(3));
            if let Err(error) = store.apply(&batch) {
                eprintln!("{error}");
            }
        }
    });
    Ok(queue)
}

/// Writes that a run has completed in one transaction, and what it returned in the next.
fn apart(store: Altered) -> Altered {
    let sequence = Mutex::new(0);
    store.apply(move |store, batch| {
        let mut sequence = lock(&sequence);
        let mut write = |runs: Vec<RunWrite>| {
            *sequence += 1;
            store.apply(&Batch {
                runs,
                sequence: *sequence,
                ..batch.clone()
            })
        };
        write(
            batch
                .runs
                .iter()
                .map(|run| RunWrite {
                    result: None,
                    ..run.clone()
                })
                .collect(),
        )?;
        write(batch.runs.clone())
    })
}

/// Writes another result over one that was written before.
fn overwriting(store: Altered) -> Altered {
    let written: Mutex<Option<RunWrite>> = Mutex::new(None);
    store.apply(move |store, batch| {
        let mut batch = batch.clone();
        let mut written = lock(&written);
        batch.runs.extend(written.take());
        *written = batch
            .runs
            .iter()
            .find(|run| run.parent.is_some() && run.result.is_some())
            .map(|run| {
                let result = run.result.as_ref().map(|result| ResultWrite {
                    json: altered(&result.json),
                    whole: true,
                });
                RunWrite { result, ..run.clone() }
            });
        store.apply(&batch)
    })
}
