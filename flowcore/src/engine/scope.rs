//! What a run hands down to its subtree: the task runner and the runtime.

use std::ptr;
use std::sync::{Arc, LazyLock};

use tokio::runtime::{EnterGuard, Handle};

use super::runtime;
use crate::definition::Definition;
use crate::runner::TaskRunner;

/// Shared by all runs below the flow that made it.
pub(crate) struct Scope {
    /// The flow that named the runner.
    owner: Option<&'static Definition>,
    outer: Option<Arc<Scope>>,
    /// `None` is the default: no limit, no queue.
    pub(crate) runner: Option<Arc<dyn TaskRunner>>,
    runtime: Option<Handle>,
}

static BARE: LazyLock<Arc<Scope>> = LazyLock::new(|| {
    Arc::new(Scope {
        owner: None,
        outer: None,
        runner: None,
        runtime: None,
    })
});

impl Scope {
    /// The scope of runs that nothing is around.
    pub(crate) fn bare() -> &'static Arc<Self> {
        &BARE
    }

    /// The scope of a run that has no parent.
    pub(crate) fn root() -> Arc<Self> {
        match Handle::try_current() {
            Ok(handle) => Arc::new(Self {
                owner: None,
                outer: None,
                runner: None,
                runtime: Some(handle),
            }),
            Err(_) => BARE.clone(),
        }
    }

    /// The scope inside a run of `definition`: a runner is made once per outermost run of the flow that names it.
    pub(crate) fn inside(self: &Arc<Self>, definition: &'static Definition) -> Arc<Self> {
        let Some(make) = &definition.options().task_runner else {
            return self.clone();
        };
        if let Some(own) = self.made_by(definition) {
            return own;
        }
        Arc::new(Self {
            owner: Some(definition),
            outer: Some(self.clone()),
            runner: Some(make()),
            runtime: self.runtime.clone(),
        })
    }

    fn made_by(self: &Arc<Self>, definition: &'static Definition) -> Option<Arc<Self>> {
        let mut next = Some(self);
        while let Some(scope) = next {
            if scope.owner.is_some_and(|owner| ptr::eq(owner, definition)) {
                return Some(scope.clone());
            }
            next = scope.outer.as_ref();
        }
        None
    }

    /// The runtime the tree of runs began on, or flowcore's own.
    pub(crate) fn runtime(&self) -> &Handle {
        self.runtime.as_ref().unwrap_or_else(|| runtime::own())
    }

    /// Makes the tree's runtime the current one of a thread of the pool, so that bodies can spawn on it.
    pub(crate) fn entered(&self) -> Option<EnterGuard<'_>> {
        self.runtime.as_ref().map(Handle::enter)
    }
}
