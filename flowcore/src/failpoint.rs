//! Places where a test may end the process.

/// With the feature `failpoints`, a place that `FAILPOINTS=name=5*off->return` makes the process die at, here at its sixth passing; without
/// it, nothing.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::pass($name);
    };
}
pub(crate) use failpoint;

#[cfg(feature = "failpoints")]
pub(crate) fn pass(name: &str) {
    use std::sync::Once;
    static SET_UP: Once = Once::new();
    SET_UP.call_once(|| {
        // Kept for the life of the process.
        std::mem::forget(fail::FailScenario::setup());
    });
    // As a kill does: no destructor runs, no buffer is written.
    fail::fail_point!(name, |_| std::process::abort());
}
