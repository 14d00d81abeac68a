//! A store that does some things in another way than it should.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use flowcore::store::{
    Batch, Beat, Claimed, Count, Edge, Group, Health, LogQuery, LogRow, Page, ProcessIdentity, ProcessRow, Recorded,
    RunNumber, RunQuery, RunRow, Store, StoreResult,
};
use flowcore::{RunId, State};

macro_rules! altered {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        /// A store around another, with methods of its own where it is given some.
        pub struct Altered {
            inner: Arc<dyn Store>,
            $($name: Option<Box<dyn Fn(&dyn Store, $($type),*) -> StoreResult<$out> + Send + Sync>>,)*
        }

        impl Altered {
            /// A store that does what `inner` does.
            #[must_use]
            pub fn new(inner: Arc<dyn Store>) -> Self {
                Self { inner, $($name: None,)* }
            }

            $(
                /// Calls this instead of the store's method of that name.
                #[must_use]
                pub fn $name(
                    mut self,
                    instead: impl Fn(&dyn Store, $($type),*) -> StoreResult<$out> + Send + Sync + 'static,
                ) -> Self {
                    self.$name = Some(Box::new(instead));
                    self
                }
            )*
        }

        impl Store for Altered {
            fn location(&self) -> String {
                self.inner.location()
            }

            fn is_immediate(&self) -> bool {
                self.inner.is_immediate()
            }

            $(
                fn $name(&self, $($arg: $type),*) -> StoreResult<$out> {
                    match &self.$name {
                        Some(instead) => instead(&*self.inner, $($arg),*),
                        None => self.inner.$name($($arg),*),
                    }
                }
            )*
        }
    };
}

altered! {
    register(process: &ProcessIdentity, lease: Duration) -> u32;
    heartbeat(process: u32, lease: Duration) -> Beat;
    leave(process: u32) -> ();
    processes(ended: bool) -> Vec<ProcessRow>;
    bury(process: u32, why: &str) -> u64;
    apply(batch: &Batch) -> ();
    claim(run: RunId, process: u32, at: i64) -> Claimed;
    recorded(parent: RunNumber) -> Vec<Recorded>;
    cached(definition_key: &str, cache_key: &str, now: i64) -> Option<Box<[u8]>>;
    run(id: RunId) -> Option<RunRow>;
    run_numbered(number: RunNumber) -> Option<RunRow>;
    ids(prefix: &str, limit: usize) -> Vec<RunId>;
    runs(query: &RunQuery) -> Page<RunRow>;
    groups(parent: RunNumber) -> Vec<Group>;
    counts(root: RunNumber) -> Vec<Count>;
    states(run: RunNumber) -> Vec<State>;
    result(run: RunNumber) -> Option<(Box<[u8]>, bool)>;
    logs(query: &LogQuery) -> Page<LogRow>;
    edges(parent: RunNumber, limit: usize) -> Vec<Edge>;
    request_cancel(run: RunId, at: i64) -> bool;
    delete(root: RunId) -> u64;
    prune(before: i64, limit: usize) -> u64;
    check(deep: bool) -> Health;
}

impl fmt::Debug for Altered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Altered")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
