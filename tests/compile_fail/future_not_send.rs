use flowcore::prelude::*;
use std::rc::Rc;

#[task]
async fn count(x: u32) -> u32 {
    let shared = Rc::new(x);
    tokio::task::yield_now().await;
    *shared
}

fn main() {}
