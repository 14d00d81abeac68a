#![deny(unused_variables, unused_mut, unreachable_code)]
use flowcore::prelude::*;

#[task]
fn sync(x: u32) -> u32 {
    let mut y = 1;
    return y;
    2
}

#[flow]
async fn lazy(mut x: u32) {}

fn main() {
    let _ = sync(1);
    let _ = lazy(1);
}
