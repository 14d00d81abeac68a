use flowcore::prelude::*;

#[flow]
fn main() {}
