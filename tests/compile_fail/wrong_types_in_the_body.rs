use flowcore::prelude::*;

#[task]
fn sync(x: u32) -> String {
    x
}

#[flow]
async fn lazy(x: u32) -> flowcore::Result<String> {
    x
}

#[task]
fn tail(x: u32) -> u32 {
    x;
}

fn main() {}
