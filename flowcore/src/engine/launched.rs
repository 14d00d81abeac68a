//! A run started by name, with its types known to nobody.

use std::fmt;

use serde_json::Value;

use super::core::{ERROR, Origin, RESULT, SETTLED};
use super::custom::Custom;
use super::durable::Claim;
use super::node::NodeRef;
use super::wait::{self, One};
use super::{cancel, cell::RunCell, life};
use crate::error::Result;
use crate::private::{Given, ParamList, Runnable, decode_all};
use crate::run::RunId;
use crate::state::State;

/// A run that was started from JSON: see [`Definition::submit_json`](crate::Definition::submit_json).
///
/// ```
/// use flowcore::prelude::*;
/// #[flow]
/// fn launched_by_name(x: u32) -> u32 { x + 1 }
/// let flow = flowcore::registry::flow("launched_by_name").unwrap();
/// let run = flow.submit_json(&serde_json::json!({"x": 41})).unwrap();
/// assert_eq!(run.result_json().unwrap(), 42);
/// assert_eq!(run.state().name(), "Completed");
/// ```
pub struct Launched(NodeRef);

impl Launched {
    /// The run's id.
    #[must_use]
    pub fn run_id(&self) -> RunId {
        self.0.core().id
    }

    /// The run's name.
    #[must_use]
    pub fn run_name(&self) -> String {
        self.0.core().run_name()
    }

    /// The run's present state.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.core().state()
    }

    /// Blocks the thread until the run is over.
    pub fn wait(&self) -> State {
        let _ = wait::block(&mut One::new(self.0.clone(), SETTLED), None);
        self.state()
    }

    /// Blocks the thread for the result, as JSON.
    ///
    /// # Errors
    /// The run's; `Runner` if its output's type isn't `Serialize`.
    pub fn result_json(&self) -> Result<Value> {
        wait::block(&mut One::new(self.0.clone(), RESULT), None)?;
        let core = self.0.core();
        if core.is_told(ERROR)
            && let Some(error) = core.lock().error.clone()
        {
            return Err(error);
        }
        self.0.output_json()
    }

    /// Cancels the run and everything below it.
    pub fn cancel(&self) {
        cancel::subtree(&self.0, "it was asked to stop");
    }
}

impl fmt::Debug for Launched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Launched")
            .field(&self.run_id())
            .field(&self.state().name())
            .finish()
    }
}

/// Says whether a run is one that another process has left.
pub(crate) type TakeOver<'a> = dyn FnMut() -> Result<Option<Claim>> + 'a;

/// What a run that is started from JSON has of its own, beside its parameters.
#[derive(Default)]
pub(crate) struct Naming {
    pub(crate) name: Option<String>,
    pub(crate) tags: Vec<String>,
}

impl Naming {
    fn custom(self) -> Option<Box<Custom>> {
        let Self { name, tags } = self;
        let is_any = name.is_some() || !tags.is_empty();
        is_any.then(|| {
            Box::new(Custom {
                name,
                tags,
                ..Custom::default()
            })
        })
    }
}

pub(crate) fn launch_json<R: Runnable>(
    parameters: &Given<'_>,
    naming: Naming,
    take_over: &mut TakeOver<'_>,
) -> Result<Launched> {
    let params = decode_all::<R::Params>(&R::PARAMS, parameters)?;
    let claim = take_over()?;
    let origin = if claim.is_some() {
        Origin::none()
    } else {
        Origin::current()
    };
    let naming = claim.as_ref().map_or(naming, Claim::naming);
    let (cell, birth, invalid) = RunCell::<R>::new(params.into_input_list(), naming.custom(), origin, claim.as_ref());
    let node: NodeRef = cell;
    life::launch(&node, birth, invalid);
    Ok(Launched(node))
}
