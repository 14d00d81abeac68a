//! Runs and their store: what is noted when, and who waits for it.
//!
//! Every change of a run's state is noted; the writer asks the run for its news when it gets to it. An outermost run, and every run below
//! a durable one, tells its result only when that is written.

mod kept;
mod news;
pub(crate) mod session;

use std::sync::atomic::{AtomicU64, Ordering};

use super::cache;
use super::core::{Core, Kept};
use super::durable;
use super::life::{self, Begun};
use super::node::NodeRef;
use super::wait;
use crate::error::Result;
use crate::failpoint;
use crate::private::Probed;
use crate::run::RunKind;
use crate::settings::settings;
use crate::store::{LogWrite, RunNumber, StoreError, StoreErrorKind, StoreResult, StoreTrouble};

pub(crate) use self::kept::keep;
pub(crate) use self::session::{Session, current as session};

/// Outermost runs that went on without a record, as their store could not be opened.
static UNRECORDED: AtomicU64 = AtomicU64::new(0);

/// A run's number in the store, or why it has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Number(i64);

impl Number {
    pub(crate) const NONE: Self = Self(0);
    const NO_STORE: Self = Self(-1);

    pub(crate) fn get(self) -> Option<RunNumber> {
        (self.0 > 0).then(|| RunNumber::from_stored(self.0))
    }

    /// For a run without a parent: the first of them opens the store.
    pub(crate) fn of_root() -> Self {
        match session::open() {
            Ok(Some(session)) => Self(session.number().get()),
            Ok(None) => Self::NONE,
            Err(error) if settings().store_trouble == StoreTrouble::Continue => {
                UNRECORDED.fetch_add(1, Ordering::Relaxed);
                tracing::error!("{error}; the run goes on without a record");
                Self::NONE
            }
            Err(_) => Self::NO_STORE,
        }
    }

    /// For a run below another: recorded if that is.
    pub(crate) fn below(parent: Self) -> Self {
        match session::current() {
            Some(session) if parent.0 > 0 => Self(session.number().get()),
            _ => Self::NONE,
        }
    }
}

impl From<RunNumber> for Number {
    fn from(number: RunNumber) -> Self {
        Self(number.get())
    }
}

/// Whether an outermost run may begin: its store is there and works.
pub(crate) fn ready(core: &Core) -> Result<()> {
    if core.number == Number::NO_STORE {
        let error = match session::open() {
            Err(error) => error,
            Ok(_) => StoreError::new(StoreErrorKind::Unreachable, "it could not be opened a moment ago")
                .advise("run it again"),
        };
        return Err(error.into());
    }
    let Some(session) = session::current() else {
        return Ok(());
    };
    if session.trouble().is_some() {
        // It may work again by now.
        wait_until_written(session)?;
    }
    Ok(())
}

/// Blocks until all that was changed so far is written.
pub(crate) fn wait_until_written(session: &Session) -> StoreResult<()> {
    match session.written()? {
        Some(written) => wait::on_future(written),
        None => Ok(()),
    }
}

/// The run has changed.
#[inline]
pub(crate) fn note(node: &NodeRef) {
    let core = node.core();
    if core.number.get().is_some() && core.mark_noted() {
        failpoint!("recording::before-change");
        if let Some(session) = session::current() {
            session.changed(node);
        }
        failpoint!("recording::changed");
    }
}

/// Whether this process records its runs.
pub(crate) fn is_recorded() -> bool {
    session::current().is_some()
}

/// A line of the run's log.
pub(crate) fn log(core: &Core, level: tracing::Level, target: &str, message: &str, at: i64) {
    if let (Some(run), Some(root), Some(session)) = (core.number.get(), core.root_number.get(), session::current()) {
        session.log(LogWrite {
            run,
            root,
            at,
            level,
            target: target.to_owned(),
            message: message.to_owned(),
        });
    }
}

/// Whether the run's end has to wait until it is written; it is told then.
pub(crate) fn holds(node: &NodeRef) -> bool {
    let core = node.core();
    if core.number.get().is_none() || !(core.depth == 0 || core.durable.is_some()) {
        return false;
    }
    let Some(session) = session::current() else {
        return false;
    };
    failpoint!("recording::before-hold");
    match session.acknowledge(node) {
        Ok(written) => !written,
        Err(error) => {
            life::note_lost(node, &error);
            false
        }
    }
}

/// Whether the run must not go on without a record.
pub(crate) fn is_needed(core: &Core) -> bool {
    core.durable.is_some() || settings().store_trouble == StoreTrouble::Fail
}

/// Whether its body waits until its start is written, so that a process that dies in it is counted. A flow within another doesn't: it is the
/// other that is counted, until the first task below has begun.
fn begins_written(core: &Core) -> bool {
    core.kind() == RunKind::Task || core.depth == 0
}

/// Whether what comes before the body waits until all is written: for its start, or for what an earlier attempt has left in the queue, as
/// calls whose ends are not in the record yet would be made again.
fn waits_for_record(core: &Core, begun: Begun) -> bool {
    begins_written(core) || begun.attempt > 1 + core.before().map_or(0, |before| before.attempt)
}

/// What comes before the body of a durable run's attempt that has begun: the start is written, and the record of earlier ones is fetched.
pub(crate) async fn prepare(node: &NodeRef, begun: Begun) -> Result<()> {
    if let Some(session) = session::current()
        && waits_for_record(node.core(), begun)
        && let Some(written) = session.written()?
    {
        written.await?;
        failpoint!("recording::start-written");
    }
    durable::prepare(node, begun)
}

/// A body has returned: what the store is to keep of its output, under the key that later runs find it by, if it has one.
///
/// # Errors
/// If a durable run must not end so: see [`durable::close`] and [`keep`].
pub(crate) fn returned<T>(
    node: &NodeRef,
    epoch: u32,
    output: &Probed<T>,
    value: &T,
    cache_key: Option<&str>,
) -> Result<Option<Box<Kept>>> {
    durable::close(node, epoch)?;
    let core = node.core();
    let mut kept = keep(core, output, value)?;
    if let (Some(key), Some(kept)) = (cache_key, &mut kept) {
        kept.cache = Some(cache::entry(core, key));
    }
    Ok(kept)
}

/// The end of the process: writes what is left.
pub(crate) fn close() {
    if let Some(session) = session::current() {
        session.close();
    }
}

/// How many changes the store has lost, and outermost runs of which it was told nothing.
pub(crate) fn lost() -> u64 {
    UNRECORDED.load(Ordering::Relaxed) + session::current().map_or(0, Session::lost)
}
