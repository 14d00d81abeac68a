use flowcore::prelude::*;

#[task]
fn node(x: u32) -> u32 {
    x
}

fn main() {
    let node = node(1);
}
