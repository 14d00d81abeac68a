//! At most four task runs at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use flowcore::prelude::*;

static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[task]
fn work(n: u32) -> u32 {
    let running = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
    MOST.fetch_max(running, Ordering::SeqCst);
    thread::sleep(Duration::from_millis(20));
    RUNNING.fetch_sub(1, Ordering::SeqCst);
    n
}

#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(4))]
fn work_through() -> flowcore::Result<Vec<u32>> {
    work.map(0..20).result()
}

fn main() -> flowcore::Result<()> {
    let done = work_through()?;
    println!("{} runs, at most {} at once", done.len(), MOST.load(Ordering::SeqCst));
    Ok(())
}
