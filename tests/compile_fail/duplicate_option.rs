use flowcore::prelude::*;

#[task(retries = 3, name = "a", retries = 4)]
fn twice() {}

fn main() {}
