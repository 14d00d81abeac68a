//! Helpers of flowcore's whole-behaviour tests: see `tests/`.

mod altered;
mod bodies;
mod caught;
mod directory;
mod gate;
pub mod kills;
mod memory;
mod meter;
pub mod record;
mod recorder;
mod runtimes;
mod tool;

pub use self::altered::Altered;
pub use self::bodies::Bodies;
pub use self::caught::caught;
pub use self::directory::Directory;
pub use self::gate::Gate;
pub use self::memory::{peak_of, resident_bytes};
pub use self::meter::Meter;
pub use self::recorder::{Recorder, names};
pub use self::runtimes::{LIMIT, Runtime, each_runtime, in_time};
pub use self::tool::{Done, Tool, finish};
