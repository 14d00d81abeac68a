//! What the process-kill harness and the program that it kills have in common: see `tests/kill_harness`.

mod ledger;
mod look;
mod plan;

pub use self::ledger::{Ledger, Line, What};
pub use self::look::{Look, Row};
pub use self::plan::{Call, How, Job, Outcome, Plan, Step, Value};
