#![deny(unused_must_use)]
use flowcore::prelude::*;

#[task]
fn sync() {}

#[task]
async fn lazy() {}

fn main() {
    sync();
    lazy();
    lazy.bind();
    lazy.submit();
}
