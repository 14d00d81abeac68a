use flowcore::prelude::*;

#[task]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

fn main() {
    let _ = add.submit(1);
    let _ = add.bind(1, 2, 3);
    let _ = add.map([1, 2]);
    let _ = add(1);
}
