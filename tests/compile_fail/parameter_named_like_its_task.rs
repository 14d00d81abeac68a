use flowcore::prelude::*;

#[task]
fn name(name: String) -> String {
    name
}

#[task]
fn pair((pair, other): (u32, u32)) -> u32 {
    pair + other
}

fn main() {}
