//! The record of all runs: what is kept, where, and how it is read.
//!
//! By default it is an SQLite file in the platform's data directory; `FLOW_DATABASE_URL` says otherwise:
//!
//! | `FLOW_DATABASE_URL` | runs are kept |
//! |---|---|
//! | `sqlite:/var/lib/app/flow.db`, or a plain path | in that file |
//! | `memory:` | in memory, until the process ends: the default under `cargo test` |
//! | `none:` | nowhere |

mod batch;
pub mod conformance;
mod durability;
mod error;
mod faulty;
pub(crate) mod liveness;
mod memory;
mod number;
mod open;
mod process;
mod query;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
#[allow(clippy::module_inception, reason = "one concept per file, named after it")]
mod store;
pub(crate) mod writer;

pub use self::batch::{Batch, CallKey, DefinitionRow, LogWrite, ResultWrite, RunWrite};
pub use self::durability::{Durability, StoreTrouble};
pub use self::error::{StoreError, StoreErrorKind, StoreResult};
pub use self::faulty::{Fault, FaultyStore, Gate, StoreCall};
pub use self::memory::MemoryStore;
pub use self::number::RunNumber;
#[cfg(feature = "cli")]
pub(crate) use self::open::to_read;
pub use self::open::{install, of_settings};
pub use self::process::{Beat, ProcessIdentity, ProcessRow};
pub use self::query::{LogQuery, Page, RunQuery};
pub use self::row::{Claimed, Count, Edge, Group, Health, LogRow, Recorded, Replay, RunRow};
#[cfg(feature = "sqlite")]
pub use self::sqlite::{SqliteOptions, SqliteStore};
pub use self::store::Store;
