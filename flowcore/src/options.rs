//! The options of a definition that are evaluated at run time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::engine::RunContext;
use crate::engine::hooks::{Hook, IntoHook};
use crate::error::Error;
use crate::runner::TaskRunner;
use crate::state::State;

/// Waits beyond a list's or a factor's own reach stay at this many steps, as in Prefect.
const BACKOFF_STEPS: u32 = 50;

/// How long to wait before each retry.
#[derive(Clone)]
pub(crate) enum RetryDelay {
    Fixed(Duration),
    List(Vec<Duration>),
    Function(Arc<dyn Fn(u32) -> Duration + Send + Sync>),
}

impl RetryDelay {
    /// The wait after the `attempt`th body (from 1) has failed.
    pub(crate) fn after(&self, attempt: u32) -> Duration {
        match self {
            Self::Fixed(delay) => *delay,
            Self::List(delays) => {
                let index = (attempt.saturating_sub(1) as usize).min(delays.len().saturating_sub(1));
                delays.get(index).copied().unwrap_or_default()
            }
            Self::Function(function) => function(attempt),
        }
    }
}

impl Default for RetryDelay {
    fn default() -> Self {
        Self::Fixed(Duration::ZERO)
    }
}

/// What `retry_delay_seconds` and `.retry_delay(…)` take: a number of seconds, a [`Duration`], a list of either (the last
/// value repeats), [`exponential_backoff`], or any `Fn(attempt) -> Duration`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no retry delay",
    label = "write a number of seconds, a Duration, a list of them, `exponential_backoff(factor)` or a `Fn(u32) -> Duration`"
)]
pub trait IntoRetryDelay<Marker> {
    #[doc(hidden)]
    fn into_delay_fn(self) -> RetryDelayOption;
}

/// A retry delay, made by [`IntoRetryDelay`].
pub struct RetryDelayOption(pub(crate) RetryDelay);

/// One wait: a number of seconds or a [`Duration`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no length of time",
    label = "write a number of seconds or a `Duration`"
)]
pub trait Seconds: Copy {
    #[doc(hidden)]
    fn duration(self) -> Duration;
}

impl Seconds for Duration {
    fn duration(self) -> Duration {
        self
    }
}

macro_rules! seconds {
    ($($number:ty),*) => {$(
        impl Seconds for $number {
            fn duration(self) -> Duration {
                clock::seconds(self as f64)
            }
        }
    )*};
}
seconds!(i32, u8, u16, u32, u64, i64, usize, f32, f64);

#[doc(hidden)]
pub struct One;
#[doc(hidden)]
pub struct Many;
#[doc(hidden)]
pub struct Function;

impl<S: Seconds> IntoRetryDelay<One> for S {
    fn into_delay_fn(self) -> RetryDelayOption {
        RetryDelayOption(RetryDelay::Fixed(self.duration()))
    }
}
impl<S: Seconds, const N: usize> IntoRetryDelay<Many> for [S; N] {
    fn into_delay_fn(self) -> RetryDelayOption {
        self.as_slice().into_delay_fn()
    }
}
impl<S: Seconds> IntoRetryDelay<Many> for &[S] {
    fn into_delay_fn(self) -> RetryDelayOption {
        RetryDelayOption(RetryDelay::List(self.iter().map(|s| s.duration()).collect()))
    }
}
impl<S: Seconds> IntoRetryDelay<Many> for Vec<S> {
    fn into_delay_fn(self) -> RetryDelayOption {
        self.as_slice().into_delay_fn()
    }
}
impl<F: Fn(u32) -> Duration + Send + Sync + 'static> IntoRetryDelay<Function> for F {
    fn into_delay_fn(self) -> RetryDelayOption {
        RetryDelayOption(RetryDelay::Function(Arc::new(self)))
    }
}

/// A retry delay that doubles: `factor`, `2 * factor`, `4 * factor` … seconds.
///
/// ```
/// use flowcore::prelude::*;
/// use std::time::Duration;
///
/// let delay = exponential_backoff(10);
/// assert_eq!([1, 2, 3].map(delay), [10, 20, 40].map(Duration::from_secs));
/// ```
pub fn exponential_backoff(factor: impl Seconds) -> impl Fn(u32) -> Duration + Send + Sync + Copy {
    let factor = factor.duration();
    move |attempt| {
        let step = attempt.saturating_sub(1).min(BACKOFF_STEPS);
        let seconds = factor.as_secs_f64() * 2_f64.powi(step.cast_signed());
        clock::seconds(seconds)
    }
}

pub(crate) type RetryCondition = Arc<dyn Fn(&RunContext, &State, &Error) -> bool + Send + Sync>;

/// What `retry_condition_fn` takes: `Fn(&Error) -> bool` or `Fn(&RunContext, &State) -> bool`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no retry condition",
    label = "write a `fn(&flowcore::Error) -> bool` or a `fn(&RunContext, &State) -> bool`"
)]
pub trait IntoRetryCondition<Marker> {
    #[doc(hidden)]
    fn into_condition(self) -> RetryConditionOption;
}

/// A retry condition, made by [`IntoRetryCondition`].
pub struct RetryConditionOption(pub(crate) RetryCondition);

#[doc(hidden)]
pub struct OfError;
#[doc(hidden)]
pub struct OfState;

impl<F: Fn(&Error) -> bool + Send + Sync + 'static> IntoRetryCondition<OfError> for F {
    fn into_condition(self) -> RetryConditionOption {
        RetryConditionOption(Arc::new(move |_, _, error| self(error)))
    }
}
impl<F: Fn(&RunContext, &State) -> bool + Send + Sync + 'static> IntoRetryCondition<OfState> for F {
    fn into_condition(self) -> RetryConditionOption {
        RetryConditionOption(Arc::new(move |run, state, _| self(run, state)))
    }
}

pub(crate) type CacheKey = Arc<dyn Fn(&RunContext) -> Option<String> + Send + Sync>;

/// What `cache_key_fn` takes: `Fn(&RunContext)` to `String` or `Option<String>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` makes no cache key",
    label = "write a `fn(&RunContext) -> String` or `-> Option<String>`; `None` means: do not cache"
)]
pub trait IntoCacheKey<Marker> {
    #[doc(hidden)]
    fn into_cache_key(self) -> CacheKeyOption;
}

/// A cache key function, made by [`IntoCacheKey`].
pub struct CacheKeyOption(pub(crate) CacheKey);

#[doc(hidden)]
pub struct Always;
#[doc(hidden)]
pub struct Sometimes;

impl<F: Fn(&RunContext) -> String + Send + Sync + 'static> IntoCacheKey<Always> for F {
    fn into_cache_key(self) -> CacheKeyOption {
        CacheKeyOption(Arc::new(move |run| Some(self(run))))
    }
}
impl<F: Fn(&RunContext) -> Option<String> + Send + Sync + 'static> IntoCacheKey<Sometimes> for F {
    fn into_cache_key(self) -> CacheKeyOption {
        CacheKeyOption(Arc::new(self))
    }
}

pub(crate) type RunnerFactory = Arc<dyn Fn() -> Arc<dyn TaskRunner> + Send + Sync>;

/// The options of a definition that its attribute fills in.
#[derive(Default)]
pub struct Options {
    pub(crate) retries: u32,
    pub(crate) retry_delay: RetryDelay,
    pub(crate) retry_jitter_factor: f64,
    pub(crate) retry_condition: Option<RetryCondition>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) on_running: Vec<Hook>,
    pub(crate) on_completion: Vec<Hook>,
    pub(crate) on_failure: Vec<Hook>,
    pub(crate) on_cancellation: Vec<Hook>,
    pub(crate) on_crashed: Vec<Hook>,
    pub(crate) task_runner: Option<RunnerFactory>,
    pub(crate) cache_key: Option<CacheKey>,
    pub(crate) cache_expiration: Option<Duration>,
}

#[doc(hidden)]
impl Options {
    pub fn retries(&mut self, retries: u32) {
        self.retries = retries;
    }
    pub fn retry_delay<M>(&mut self, delay: impl IntoRetryDelay<M>) {
        self.retry_delay = delay.into_delay_fn().0;
    }
    pub fn retry_jitter_factor(&mut self, factor: impl Into<f64>) {
        self.retry_jitter_factor = factor.into();
    }
    pub fn retry_condition<M>(&mut self, condition: impl IntoRetryCondition<M>) {
        self.retry_condition = Some(condition.into_condition().0);
    }
    pub fn timeout(&mut self, timeout: impl Seconds) {
        self.timeout = Some(timeout.duration());
    }
    pub fn on_running<M>(&mut self, hook: impl IntoHook<M>) {
        self.on_running.push(hook.into_hook());
    }
    pub fn on_completion<M>(&mut self, hook: impl IntoHook<M>) {
        self.on_completion.push(hook.into_hook());
    }
    pub fn on_failure<M>(&mut self, hook: impl IntoHook<M>) {
        self.on_failure.push(hook.into_hook());
    }
    pub fn on_cancellation<M>(&mut self, hook: impl IntoHook<M>) {
        self.on_cancellation.push(hook.into_hook());
    }
    pub fn on_crashed<M>(&mut self, hook: impl IntoHook<M>) {
        self.on_crashed.push(hook.into_hook());
    }
    pub fn task_runner(&mut self, make: impl Fn() -> Arc<dyn TaskRunner> + Send + Sync + 'static) {
        self.task_runner = Some(Arc::new(make));
    }
    pub fn cache_key_fn<M>(&mut self, key: impl IntoCacheKey<M>) {
        self.cache_key = Some(key.into_cache_key().0);
    }
    pub fn cache_expiration(&mut self, expiration: impl Seconds) {
        self.cache_expiration = Some(expiration.duration());
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("retries", &self.retries)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// `delay`, stretched by chance: evenly spread between once and `1 + factor` times the delay.
pub(crate) fn jittered(delay: Duration, factor: f64) -> Duration {
    if !factor.is_finite() || factor <= 0.0 {
        return delay;
    }
    clock::seconds(delay.as_secs_f64() * (1.0 + factor * fastrand::f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays<M>(delay: impl IntoRetryDelay<M>) -> Vec<f64> {
        let delay = delay.into_delay_fn().0;
        (1..=4).map(|n| delay.after(n).as_secs_f64()).collect()
    }

    #[test]
    fn delays_take_every_form() {
        assert_eq!(delays(10), [10.0; 4]);
        assert_eq!(delays(0.5), [0.5; 4]);
        assert_eq!(delays(Duration::from_millis(20)), [0.02; 4]);
        assert_eq!(delays([1, 2]), [1.0, 2.0, 2.0, 2.0]);
        assert_eq!(delays(vec![0.5, 1.5]), [0.5, 1.5, 1.5, 1.5]);
        assert_eq!(delays(exponential_backoff(1)), [1.0, 2.0, 4.0, 8.0]);
        assert_eq!(
            delays(|attempt: u32| Duration::from_secs(u64::from(attempt))),
            [1.0, 2.0, 3.0, 4.0]
        );
    }

    #[test]
    fn absurd_delays_make_no_panic() {
        assert_eq!(exponential_backoff(f64::MAX)(60), Duration::MAX);
        assert_eq!(exponential_backoff(f64::NAN)(60), Duration::ZERO);
        assert_eq!(exponential_backoff(1)(u32::MAX), exponential_backoff(1)(51));
        assert_eq!(jittered(Duration::MAX, f64::INFINITY), Duration::MAX);
        let empty: [f64; 0] = [];
        assert_eq!(delays(empty), [0.0; 4]);
    }

    #[test]
    fn jitter_is_applied_within_its_bounds() {
        let delay = Duration::from_secs(10);
        let tried: Vec<_> = (0..200).map(|_| jittered(delay, 0.5)).collect();
        assert!(tried.iter().all(|d| *d >= delay && *d <= delay * 3 / 2));
        assert!(tried.iter().max() > tried.iter().min());
    }
}
