//! A program's view of the runs in a store.

mod find;
mod logs;
mod open;
mod runs;
mod when;

use std::sync::Arc;

pub use self::logs::{LogPages, Logs};
pub use self::runs::{Iter, Pages, Runs};
pub use self::when::{ParseWhenError, When};

use crate::clock;
use crate::error::Result;
use crate::run::RunId;
use crate::state::State;
use crate::store::{Count, Edge, Group, Health, ProcessRow, RunRow, Store};

/// How many root runs are pruned in one go: the store is free for others in between.
const PRUNED_AT_ONCE: usize = 100;

/// Reads what the store has of all runs, of this process and of others, and asks for what can be done with them from outside.
///
/// All methods block; a clone looks at the same store. Errors are of the kind [`Store`](crate::ErrorKind::Store);
/// [`downcast_ref`](crate::Error::downcast_ref) finds the [`StoreError`](crate::store::StoreError) in them.
///
/// ```
/// use flowcore::Client;
/// # fn store() -> std::sync::Arc<dyn flowcore::store::Store> {
/// #     std::sync::Arc::new(flowcore::store::MemoryStore::new())
/// # }
///
/// # fn main() -> flowcore::Result<()> {
/// let client = Client::of(store()); // `Client::open()?` for the program's own
/// let failed = client.runs().state(flowcore::StateType::Failed).list(20)?;
/// assert!(failed.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    store: Arc<dyn Store>,
}

impl Client {
    /// Opens the store that `FLOW_DATABASE_URL` names, or the default one: see [`store`](crate::store).
    ///
    /// # Errors
    /// If it can't be opened: it is damaged, newer than this program, locked, or not there.
    ///
    /// ```no_run
    /// let client = flowcore::Client::open()?;
    /// println!("runs are kept in {}", client.location());
    /// # Ok::<(), flowcore::Error>(())
    /// ```
    pub fn open() -> Result<Self> {
        Ok(Self::of(open::of_settings()?))
    }

    /// A view of that store.
    #[must_use]
    pub fn of(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The store it looks at.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Where the store is, without secrets.
    #[must_use]
    pub fn location(&self) -> String {
        self.store.location()
    }

    /// The runs, to be narrowed down: by state, by flow, by time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use flowcore::{Client, StateType};
    /// # fn store() -> std::sync::Arc<dyn flowcore::store::Store> {
    /// #     std::sync::Arc::new(flowcore::store::MemoryStore::new())
    /// # }
    ///
    /// # fn main() -> flowcore::Result<()> {
    /// let client = Client::of(store());
    /// let day = Duration::from_secs(24 * 3600);
    /// for run in client.runs().flow("nightly").state(StateType::Failed).since(day).iter() {
    ///     let run = run?;
    ///     println!("{} {}: {}", run.id, run.name, run.error.join(": "));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn runs(&self) -> Runs<'_> {
        Runs::new(self)
    }

    /// The run of that id, if the store has it.
    ///
    /// # Errors
    /// If the store fails.
    pub fn run(&self, id: RunId) -> Result<Option<RunRow>> {
        Ok(self.store.run(id)?)
    }

    /// The run whose id begins so, with or without hyphens, in either case.
    ///
    /// # Errors
    /// `NotFound` if there is none, or the text is no beginning of an id; `Ambiguous`, naming candidates, if there are more.
    ///
    /// ```
    /// use flowcore::Client;
    /// # fn store() -> std::sync::Arc<dyn flowcore::store::Store> {
    /// #     std::sync::Arc::new(flowcore::store::MemoryStore::new())
    /// # }
    ///
    /// let error = Client::of(store()).find("0192f").unwrap_err();
    /// assert!(error.to_string().contains("no run has an id that begins with '0192f'"));
    /// ```
    pub fn find(&self, prefix: &str) -> Result<RunRow> {
        find::by_prefix(&*self.store, prefix)
    }

    /// The run, which must be there.
    fn known(&self, id: RunId) -> Result<RunRow> {
        find::by_id(&*self.store, id)
    }

    /// The runs that this run made, oldest first, to be narrowed down further.
    ///
    /// # Errors
    /// `NotFound` if the store has no such run, as for all methods that take an id.
    pub fn children(&self, id: RunId) -> Result<Runs<'_>> {
        Ok(self.runs().made_by(&self.known(id)?).oldest_first())
    }

    /// The runs that this run made, folded by flow or task and state.
    ///
    /// # Errors
    /// `NotFound` if the store has no such run.
    pub fn groups(&self, id: RunId) -> Result<Vec<Group>> {
        Ok(self.store.groups(self.known(id)?.number)?)
    }

    /// What the whole tree below that root run, itself included, has come to; its size doesn't matter.
    ///
    /// # Errors
    /// `NotFound` if the store has no such run.
    pub fn counts(&self, root: RunId) -> Result<Vec<Count>> {
        Ok(self.store.counts(self.known(root)?.number)?)
    }

    /// All states that the run has seen, oldest first.
    ///
    /// # Errors
    /// `NotFound` if the store has no such run.
    pub fn states(&self, id: RunId) -> Result<Vec<State>> {
        Ok(self.store.states(self.known(id)?.number)?)
    }

    /// What the run returned; `None` if it has no result, or none was kept.
    ///
    /// # Errors
    /// `NotFound` if the store has no such run; `Refused` if only the head of its result was kept; `Corrupt` if what was kept isn't
    /// JSON.
    pub fn result(&self, id: RunId) -> Result<Option<serde_json::Value>> {
        find::result(&*self.store, &self.known(id)?)
    }

    /// The run's log, to be narrowed down: by level, the last lines only.
    ///
    /// # Errors
    /// `NotFound` if the store has no such run.
    pub fn logs(&self, id: RunId) -> Result<Logs<'_>> {
        Ok(Logs::new(self, self.known(id)?.number))
    }

    /// Which of the runs that this run made wait for which others of them. No more than `limit`.
    ///
    /// # Errors
    /// `NotFound` if the store has no such run.
    pub fn edges(&self, id: RunId, limit: usize) -> Result<Vec<Edge>> {
        Ok(self.store.edges(self.known(id)?.number, limit)?)
    }

    /// Asks the process that runs it to cancel the run and everything below it. False if the run is over.
    ///
    /// It is a request: the process may take a moment to learn of it, and a blocking body to stop.
    ///
    /// # Errors
    /// `NotFound` if the store has no such run.
    pub fn cancel(&self, id: RunId) -> Result<bool> {
        self.known(id)?;
        Ok(self.store.request_cancel(id, clock::wall_nanos())?)
    }

    /// Deletes a root run and everything below it. Gives how many runs are gone.
    ///
    /// # Errors
    /// `NotFound` if the store has no such run; `Refused` if it isn't a root, or something below it isn't over.
    pub fn delete(&self, root: RunId) -> Result<u64> {
        self.known(root)?;
        Ok(self.store.delete(root)?)
    }

    /// Deletes all root runs that ended before that time, each with everything below it. Gives how many runs are gone.
    ///
    /// # Errors
    /// If the store fails; what was deleted until then stays deleted.
    ///
    /// ```
    /// use std::time::Duration;
    /// use flowcore::Client;
    /// # fn store() -> std::sync::Arc<dyn flowcore::store::Store> {
    /// #     std::sync::Arc::new(flowcore::store::MemoryStore::new())
    /// # }
    ///
    /// let month = Duration::from_secs(30 * 24 * 3600);
    /// assert_eq!(Client::of(store()).prune(month).unwrap(), 0);
    /// ```
    pub fn prune(&self, older_than: impl Into<When>) -> Result<u64> {
        let before = older_than.into().unix_nanos();
        let mut gone = 0;
        loop {
            match self.store.prune(before, PRUNED_AT_ONCE)? {
                0 => return Ok(gone),
                more => gone += more,
            }
        }
    }

    /// The processes that have the store open; with `ended`, those of the past as well.
    ///
    /// # Errors
    /// If the store fails.
    pub fn processes(&self, ended: bool) -> Result<Vec<ProcessRow>> {
        Ok(self.store.processes(ended)?)
    }

    /// Looks whether the store is in order. With `deep`, reads all of it.
    ///
    /// # Errors
    /// If the store fails.
    pub fn check(&self, deep: bool) -> Result<Health> {
        Ok(self.store.check(deep)?)
    }
}
