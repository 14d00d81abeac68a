//! Events of runs, handed to observers.

use std::cell::Cell;

use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::message;
use crate::engine::context;
use crate::engine::observe::{LogRecord, is_observed, log_line};
use crate::engine::recording::is_recorded;
use crate::settings;

/// A layer for a subscriber of one's own: it finds the run in which an event happens, and hands the event to the
/// [observers](crate::observe::Observer::on_log). [`init`](super::init) installs it among others.
///
/// It does nothing while nobody observes, and nothing for events outside of runs. Filters in front of it decide which levels observers see.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use flowcore::observe::{LogRecord, Observer, observe};
/// use flowcore::prelude::*;
/// use tracing_subscriber::prelude::*;
///
/// #[derive(Default)]
/// struct Lines(Mutex<Vec<String>>);
/// impl Observer for Lines {
///     fn on_state(&self, _: &RunContext, _: &State) {}
///     fn on_log(&self, run: &RunContext, record: &LogRecord<'_>) {
///         self.0.lock().unwrap().push(format!("{}: {} {}", run.run_name(), record.level, record.message));
///     }
/// }
///
/// #[task(run_name = "node-{value}")]
/// fn process_node(value: &str) { tracing::info!(value, "processing"); }
///
/// tracing_subscriber::registry().with(flowcore::logging::RunLayer::new()).init();
/// let lines = Arc::new(Lines::default());
/// let _seen = observe(lines.clone());
/// process_node("A1").unwrap();
/// assert!(lines.0.lock().unwrap().contains(&r#"node-A1: INFO processing value="A1""#.to_owned()));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RunLayer(());

impl RunLayer {
    /// A layer.
    #[must_use]
    pub fn new() -> Self {
        Self(())
    }
}

thread_local! {
    /// Whether this thread is handing an event to observers.
    static HANDING: Cell<bool> = const { Cell::new(false) };
}

/// Marks the thread as handing until dropped; `None` if it is already: what observers log isn't handed to them again.
struct Handing;

impl Handing {
    fn begin() -> Option<Self> {
        let before = HANDING.try_with(|handing| handing.replace(true));
        (before == Ok(false)).then(|| Self)
    }
}

impl Drop for Handing {
    fn drop(&mut self) {
        let _ = HANDING.try_with(|handing| handing.set(false));
    }
}

impl<S: Subscriber> Layer<S> for RunLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !is_observed() && !is_recorded() {
            return;
        }
        let Some(run) = context() else { return };
        let Some(_handing) = Handing::begin() else {
            return;
        };
        let text = message::of(event, settings::log_line_limit());
        let metadata = event.metadata();
        log_line(&run, &LogRecord::new(&run, *metadata.level(), metadata.target(), &text));
    }
}
