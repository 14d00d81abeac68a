//! One task run at a time, in the order in which they were submitted.

use flowcore::prelude::*;

#[task]
fn step(n: u32) {
    println!("step {n} begins");
    println!("step {n} ends");
}

#[flow(task_runner = SequentialTaskRunner::new())]
fn steps() -> flowcore::Result<()> {
    step.map(1..=3).result()?;
    Ok(())
}

fn main() -> flowcore::Result<()> {
    steps()
}
