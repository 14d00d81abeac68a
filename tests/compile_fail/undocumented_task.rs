#![deny(missing_docs)]
//! A crate.
use flowcore::prelude::*;

/// Documented.
#[task]
pub fn documented(x: u32) -> u32 {
    x
}

#[task]
pub fn undocumented(x: u32) -> u32 {
    x
}

#[doc(hidden)]
#[flow]
pub async fn hidden() {}

/// Jobs.
pub mod jobs {
    use flowcore::prelude::*;

    #[flow(description = "An option is no doc comment")]
    pub async fn described() {}
}

fn main() {}
