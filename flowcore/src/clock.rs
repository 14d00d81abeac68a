//! One clock for all states: wall-clock anchored, monotonic within a run.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A wall clock that jumped by more than this is followed by runs that start from then on.
const TOLERANCE_NANOS: i64 = 1_000_000_000;

static OFFSET: AtomicI64 = AtomicI64::new(0);

/// Unix nanoseconds, as the system tells them at this moment.
pub(crate) fn wall_nanos() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// Nanoseconds of monotonic time, from some point before this process.
#[cfg(unix)]
#[inline]
pub(crate) fn ticks() -> i64 {
    // Cheaper than `Instant`, which subtracts and checks: every run reads the clock three times.
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    // 292 years fit.
    now.tv_sec.wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec)
}

/// Nanoseconds of monotonic time, from the first call in this process.
#[cfg(not(unix))]
#[inline]
pub(crate) fn ticks() -> i64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(std::time::Instant::now);
    i64::try_from(start.elapsed().as_nanos()).unwrap_or(i64::MAX)
}

/// What to add to [`ticks`] to get Unix nanoseconds. A run keeps the offset it was born with, so that a jump of
/// the wall clock never makes its durations negative.
#[inline]
pub(crate) fn offset() -> i64 {
    OFFSET.load(Ordering::Relaxed)
}

/// Follows the wall clock if it has jumped (or the machine slept). Called where a tree of runs begins.
pub(crate) fn follow_wall_clock() {
    let known = OFFSET.load(Ordering::Relaxed);
    let drift = wall_nanos() - (ticks() + known);
    if drift.abs() <= TOLERANCE_NANOS {
        return;
    }
    // Of several threads that see the same jump, one follows it.
    let followed = OFFSET.compare_exchange(known, known + drift, Ordering::Relaxed, Ordering::Relaxed);
    if followed.is_ok() && known != 0 {
        tracing::debug!(jump_seconds = drift / 1_000_000_000, "the wall clock jumped");
    }
}

/// `seconds` as a duration: never panics, negative and NaN count as zero, too large as the longest there is.
pub(crate) fn seconds(seconds: f64) -> Duration {
    if seconds.is_nan() || seconds <= 0.0 {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_seconds_make_no_panic() {
        assert_eq!(seconds(f64::NAN), Duration::ZERO);
        assert_eq!(seconds(-1.0), Duration::ZERO);
        assert_eq!(seconds(f64::INFINITY), Duration::MAX);
        assert_eq!(seconds(1e300), Duration::MAX);
        assert_eq!(seconds(0.25), Duration::from_millis(250));
    }

    #[test]
    fn threads_that_begin_together_agree_on_the_time() {
        let threads: Vec<_> = (0..8)
            .map(|_| std::thread::spawn(|| (follow_wall_clock(), ticks() + offset()).1))
            .collect();
        for thread in threads {
            let ahead = thread.join().unwrap() - wall_nanos();
            assert!(ahead.abs() < 60_000_000_000, "{ahead} ns");
        }
    }

    #[test]
    fn ticks_never_go_back() {
        let before = ticks();
        follow_wall_clock();
        assert!(ticks() >= before);
        assert!(offset() > 1_600_000_000_000_000_000);
    }
}
