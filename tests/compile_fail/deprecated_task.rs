#![deny(deprecated)]
use flowcore::prelude::*;

#[deprecated = "use `sum`"]
#[task(run_name = "{x}")]
fn old(x: u32) -> u32 {
    x
}

fn main() {
    let _ = old(1);
    let _ = old.submit(1);
}
