//! Going on with a durable run that an earlier process has left.

use super::super::launched::{Launched, Naming};
use super::super::recording;
use super::identity::poisoned;
use crate::clock;
use crate::error::{Error, ErrorKind, Result};
use crate::failpoint;
use crate::registry;
use crate::run::RunId;
use crate::state::State;
use crate::store::{RunRow, StoreError, StoreErrorKind};

/// A run that this process has taken over.
pub(crate) struct Claim {
    pub(crate) run: RunRow,
    /// The state in which it was found.
    pub(crate) ended: State,
}

impl Claim {
    /// What its first call set for itself, as far as that is recorded. Its name is kept with the rest of its first life.
    pub(crate) fn naming(&self) -> Naming {
        Naming {
            name: None,
            tags: self.run.tags.clone(),
        }
    }
}

/// Goes on with a durable run that failed, crashed or was cancelled: its flow is entered again with the recorded parameters, and every call
/// below it that has completed is answered by its recorded result. Of a run below it, the outermost one is resumed.
///
/// The run keeps its id, name and tags. Retries and a timeout that its call was given by `bind` are not recorded: it has its flow's.
///
/// # Errors
/// `Store`, if the run isn't in the store, isn't durable, has completed, or runs at present; `InvalidParameters` if this program
/// has no such flow, or two, or can't read the recorded parameters; `Crashed` if its process died in it too often.
///
/// ```
/// use flowcore::prelude::*;
/// use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
/// static FETCHES: AtomicU32 = AtomicU32::new(0);
/// static REPORTS: AtomicU32 = AtomicU32::new(0);
///
/// #[task]
/// fn fetch() -> u32 { FETCHES.fetch_add(1, SeqCst); 42 }
/// #[task]
/// fn report(_rows: u32) -> Result<(), String> {
///     if REPORTS.fetch_add(1, SeqCst) == 0 { Err("no paper".into()) } else { Ok(()) }
/// }
/// #[flow(durable)]
/// fn nightly() -> flowcore::Result<()> { report(fetch()?) }
///
/// let error = nightly().unwrap_err();
/// let run = flowcore::resume(error.run_id().unwrap()).unwrap();
/// run.result_json().unwrap();
/// assert_eq!((FETCHES.load(SeqCst), REPORTS.load(SeqCst)), (1, 2)); // what had completed was not run again
/// ```
pub fn resume(run: RunId) -> Result<Launched> {
    let Some(session) = recording::session::open()? else {
        return Err(refused("runs are kept nowhere: set FLOW_DATABASE_URL").into());
    };
    // The end of the run may be told by this process, and on its way still. What is wrong with the store is told by the look at it.
    let _ = recording::wait_until_written(session);
    let store = &*session.store;
    let found = store.run(run)?.ok_or_else(|| {
        StoreError::new(
            StoreErrorKind::NotFound,
            format!("there is no run {run} in {}", store.location()),
        )
    })?;
    let root = if found.root == found.number {
        found
    } else {
        let root = store.run_numbered(found.root)?;
        root.ok_or_else(|| refused("the run around it is gone from the store"))?
    };
    if !root.durable {
        let message = format!(
            "'{}' is not durable: write #[flow(durable)], or start it anew",
            root.definition
        );
        return Err(refused(&message).into());
    }
    if let Some(error) = poisoned(&root.name, root.crashes) {
        return Err(error);
    }
    let definition = registry::of_key(&root.definition_key)?.ok_or_else(|| {
        let message = format!(
            "this program has no flow '{}' ({}): resume the run with the program that made it",
            root.definition, root.definition_key
        );
        Error::of_kind(ErrorKind::InvalidParameters, message)
    })?;
    let parameters = root.parameters.as_deref().unwrap_or("{}");
    definition.launch_recorded(parameters, &mut || {
        failpoint!("resume::before-claim");
        let claimed = store.claim(root.id, session.process, clock::wall_nanos())?;
        failpoint!("resume::claimed");
        Ok(Some(Claim {
            run: claimed.run,
            ended: root.state.clone(),
        }))
    })
}

fn refused(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Refused, message)
}
