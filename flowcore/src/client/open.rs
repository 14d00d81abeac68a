//! The store that a client opens by itself.

use std::sync::Arc;

use crate::store::{self, Store, StoreError, StoreErrorKind, StoreResult};

pub(super) fn of_settings() -> StoreResult<Arc<dyn Store>> {
    store::of_settings()?.ok_or_else(|| {
        let error = StoreError::new(
            StoreErrorKind::Unreachable,
            "runs are kept nowhere, as FLOW_DATABASE_URL says",
        );
        error.advise("name a store there, or let it be unset for the default one")
    })
}
