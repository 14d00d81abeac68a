//! The surroundings that flows are started in, and a limit for what must not hang.

use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

/// What takes longer than this hangs.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The surroundings of a program's main function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// A plain `fn main`.
    None,
    /// `#[tokio::main(flavor = "current_thread")]`
    CurrentThread,
    /// `#[tokio::main]` with two workers.
    MultiThread,
}

impl Runtime {
    /// All of them.
    pub const ALL: [Runtime; 3] = [Self::None, Self::CurrentThread, Self::MultiThread];

    /// Calls `code` in such surroundings.
    ///
    /// # Panics
    /// If the system has no threads left.
    pub fn enter<T>(self, code: impl FnOnce() -> T) -> T {
        let mut builder = match self {
            Self::None => return code(),
            Self::CurrentThread => Builder::new_current_thread(),
            Self::MultiThread => Builder::new_multi_thread(),
        };
        match builder.worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime.block_on(async { code() }),
            Err(error) => panic!("no runtime: {error}"),
        }
    }
}

/// Calls `code` in all surroundings, one after the other, each within [`LIMIT`].
pub fn each_runtime(code: impl Fn(Runtime) + Copy + Send + 'static) {
    for runtime in Runtime::ALL {
        in_time(&format!("{runtime:?}"), move || runtime.enter(|| code(runtime)));
    }
}

/// Runs `code` on a thread of its own.
///
/// # Panics
/// If it isn't through within [`LIMIT`]; and as `code` does.
pub fn in_time<T: Send + 'static>(what: &str, code: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        let value = code();
        let _ = done.send(());
        value
    });
    if let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LIMIT) {
        panic!("hangs: {what}");
    }
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}
