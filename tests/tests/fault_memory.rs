//! A million submits over eight slots: bounded memory, nothing left behind, and cancelled as a whole. One test, as it measures the
//! process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "counts what is allocated")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time, resident_bytes};

const RUNS: u32 = 1_000_000;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, and the bytes it has given out: what is resident depends on how it parcels memory, this doesn't.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all calls go through to the system's allocator as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Waits until no more than `slack` bytes above `before` are allocated.
fn back_to(before: usize, slack: usize) {
    in_time("what finished runs took is given back", move || {
        while LIVE.load(Ordering::SeqCst) > before + slack {
            std::thread::yield_now();
        }
    });
}

#[task]
fn count(calls: Arc<AtomicU32>, gate: Gate) {
    gate.pass();
    calls.fetch_add(1, Ordering::SeqCst);
}

#[task]
async fn count_async(calls: Arc<AtomicU32>, gate: Gate) {
    gate.passed().await;
    calls.fetch_add(1, Ordering::SeqCst);
}

type Submit = fn(&Arc<AtomicU32>, &Gate) -> RunFuture<()>;

/// What a queued run takes, in bytes, while all are held up at the gate.
#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(8))]
fn many(submit: Submit, calls: Arc<AtomicU32>, gate: Gate, cancels: bool) -> usize {
    let before = resident_bytes();
    for _ in 0..RUNS {
        drop(submit(&calls, &gate));
    }
    let each = resident_bytes().saturating_sub(before) / RUNS as usize;
    if cancels {
        flowcore::context().unwrap().cancel();
    }
    gate.open();
    each
}

const RECORDED: &str = "FLOW_DATABASE_URL";

/// The same in a process of its own whose runs are recorded in a file: what is written isn't kept in memory.
#[test]
fn recorded_runs_take_no_more() {
    if std::env::var_os(RECORDED).is_some() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("flowcore-fault-memory-{}", std::process::id()));
    let file = folder.join("flow.db");
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", SUBMITS])
        .env(RECORDED, &file)
        .output()
        .unwrap();
    let recorded = file.exists();
    std::fs::remove_dir_all(&folder).unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    eprintln!("recorded, {told}");
    assert!(recorded, "nothing was recorded");
}

const SUBMITS: &str = "a_million_submits_over_eight_slots_take_little_complete_or_are_cancelled_and_leave_nothing";

#[test]
fn a_million_submits_over_eight_slots_take_little_complete_or_are_cancelled_and_leave_nothing() {
    let mut settings = flowcore::Settings::from_env();
    settings.database_url.get_or_insert_with(|| "none:".to_owned());
    settings.install().unwrap();
    let submits: [(&str, Submit); 2] = [
        ("sync", |calls, gate| count.submit(calls.clone(), gate.clone())),
        ("async", |calls, gate| count_async.submit(calls.clone(), gate.clone())),
    ];
    // A recorded million takes its time: one of the four says it all.
    let recorded = std::env::var_os(RECORDED).is_some();
    let (kinds, ends) = if recorded { (1, 1) } else { (2, 2) };
    for (what, submit) in submits.into_iter().take(kinds) {
        for cancels in [false, true].into_iter().take(ends) {
            let before = LIVE.load(Ordering::SeqCst);
            let calls = Arc::new(AtomicU32::new(0));
            let shared = calls.clone();
            let run = in_time(what, move || {
                let run = many.submit(submit, shared, Gate::new(), cancels);
                run.wait();
                run
            });
            if cancels {
                assert_eq!(run.state().name(), "Cancelled");
                assert!(calls.load(Ordering::SeqCst) <= 8);
            } else {
                let each = run.result().unwrap();
                eprintln!("{what}: {each} bytes a queued run");
                // The writer's queue and the store's cache have a fixed size: here some 50 bytes for each of so many.
                let limit = if recorded { 680 } else { 600 };
                assert!(each < limit, "{what}: {each} bytes a queued run");
                assert_eq!(calls.load(Ordering::SeqCst), RUNS);
            }
            drop(run);
            // A byte a run would show.
            back_to(before, 500_000);
        }
    }

    if recorded {
        return;
    }
    let before = LIVE.load(Ordering::SeqCst);
    let (calls, gate) = (Arc::new(AtomicU32::new(0)), Gate::new());
    gate.open();
    for _ in 0..100_000 {
        count.submit(calls.clone(), gate.clone()).result().unwrap();
        drop(count_async.submit(calls.clone(), gate.clone()));
    }
    in_time("detached ones end", {
        let calls = calls.clone();
        move || {
            while calls.load(Ordering::SeqCst) < 200_000 {
                std::thread::yield_now();
            }
        }
    });
    back_to(before, 100_000);
    assert_eq!(Arc::strong_count(&calls), 1);
}
