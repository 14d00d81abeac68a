//! What every store promises.

use std::sync::{Arc, Mutex};

use super::world::*;
use crate::store::{Store, conformance};

#[test]
fn the_suite_passes() {
    let places = Mutex::new(Vec::new());
    let mut broken = Vec::new();
    for case in conformance::cases() {
        let make = || {
            let place = Directory::new();
            let store: Arc<dyn Store> = Arc::new(open(&place.file()));
            places.lock().unwrap().push(place);
            store
        };
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case.run(&make)));
        if run.is_err() {
            broken.push(case.to_string());
        }
        places.lock().unwrap().clear();
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
