//! The watch over the pool: adds threads while bodies block and others wait.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::{POOL, Pool};

const TICK: Duration = Duration::from_millis(1);
/// Ticks without a queue after which the watch ends.
const QUIET: u32 = 50;
/// Ticks that a queue may stand still while the CPUs are busy.
const PATIENCE: u32 = 50;

/// Starts the watch, which ends when nothing has waited for a while.
pub(super) fn start() {
    let spawned = thread::Builder::new()
        .name("flowcore-watch".into())
        .spawn(|| watch(&POOL));
    if spawned.is_err() {
        POOL.watched.store(false, Ordering::SeqCst);
    }
}

fn watch(pool: &Pool) {
    let mut begun = pool.begun.load(Ordering::Relaxed);
    let mut cpu = Cpu::new();
    let (mut quiet, mut still) = (0, 0);
    loop {
        thread::sleep(TICK);
        let busy = cpu.is_busy(pool.cores);
        let now = pool.begun.load(Ordering::Relaxed);
        if pool.queue.is_empty() {
            quiet += 1;
            still = 0;
            if quiet > QUIET {
                pool.watched.store(false, Ordering::SeqCst);
                // Somebody may have queued a run and relied on this watch.
                if pool.queue.is_empty() || pool.watched.swap(true, Ordering::SeqCst) {
                    return;
                }
                quiet = 0;
            }
        } else if now != begun {
            (quiet, still) = (0, 0);
        } else {
            quiet = 0;
            still += 1;
            if pool.sleeping.load(Ordering::SeqCst) > 0 {
                pool.call_one();
            } else if !busy {
                let more = pool.working().clamp(1, pool.queue.len().max(1));
                (0..more).for_each(|_| pool.add_thread());
            } else if still >= PATIENCE {
                still = 0;
                pool.add_thread();
            }
        }
        begun = now;
    }
}

/// How much of the machine the process uses.
struct Cpu {
    at: Instant,
    used: Duration,
}

impl Cpu {
    fn new() -> Self {
        Self {
            at: Instant::now(),
            used: used(),
        }
    }

    /// Whether the process kept nearly all cores busy since it was asked last.
    fn is_busy(&mut self, cores: usize) -> bool {
        let now = Self::new();
        let wall = now.at.duration_since(self.at).as_secs_f64();
        let cpu = now.used.saturating_sub(self.used).as_secs_f64();
        *self = now;
        // The watch itself and the like don't count.
        cpu > wall * (cores as f64 - 0.5).max(0.5)
    }
}

#[cfg(unix)]
fn used() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(not(unix))]
fn used() -> Duration {
    Duration::ZERO
}
