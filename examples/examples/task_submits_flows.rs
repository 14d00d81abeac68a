//! A task that submits five flow runs and collects what they give.

use flowcore::prelude::*;

#[flow]
fn square(x: u64) -> u64 {
    x * x
}

#[task]
fn sum_of_squares() -> flowcore::Result<u64> {
    let runs = square.map(1..=5);
    Ok(runs.result()?.iter().sum())
}

#[flow]
fn report() -> flowcore::Result<String> {
    Ok(format!("The sum of five squares is {}", sum_of_squares()?))
}

fn main() -> flowcore::Result<()> {
    println!("{}", report()?);
    Ok(())
}
