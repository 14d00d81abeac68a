//! One run's life: made, started, retried, cancelled, ended; and what waits for it.

mod ambient;
mod call;
mod cancel;
mod cell;
mod children;
mod completed;
mod context;
mod core;
mod custom;
mod direct;
mod drive;
mod future;
mod futures;
mod history;
pub(crate) mod hooks;
mod input;
mod launched;
pub(crate) mod life;
mod name;
pub(crate) mod node;
pub(crate) mod observe;
mod panic;
mod pool;
mod runtime;
mod scope;
mod shutdown;
mod signals;
pub(crate) mod slot;
pub(crate) mod stack;
mod timer;
mod upstream;
pub(crate) mod wait;

pub use self::call::{Call, bind, map, submit};
pub use self::completed::{AsCompleted, as_completed};
pub use self::context::{RunContext, context, spawn, spawn_blocking};
pub use self::direct::direct;
pub use self::future::RunFuture;
pub use self::futures::{RunFutures, Settle};
pub use self::input::{Input, IntoInput, IntoInputs};
pub use self::launched::Launched;
pub use self::shutdown::{ShutdownReport, shutdown};
pub use self::signals::{handle_signals, handle_signals_then};

pub(crate) use self::launched::launch_json;
pub(crate) use self::node::NodeRef;
