use flowcore::prelude::*;

#[task]
fn double(x: u32) -> u32 {
    x * 2
}

async fn caller() {
    let _ = double(1).await;
}

fn main() {
    let _ = caller();
}
