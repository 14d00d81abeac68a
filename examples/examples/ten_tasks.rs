//! Ten task runs, submitted and then collected.

use flowcore::prelude::*;

#[task]
fn square(x: u64) -> u64 {
    x * x
}

#[flow]
fn ten_squares() -> flowcore::Result<Vec<u64>> {
    let mut runs = Vec::new();
    for x in 0..10 {
        runs.push(square.submit(x));
    }
    runs.iter().map(|run| run.result()).collect()
}

fn main() -> flowcore::Result<()> {
    println!("{:?}", ten_squares()?);
    Ok(())
}
