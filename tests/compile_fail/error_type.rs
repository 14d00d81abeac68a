use flowcore::prelude::*;
use std::error::Error;

#[derive(Debug)]
struct Broken;

type Outcome<T> = Result<T, Broken>;

#[task]
fn parse(text: String) -> Result<u32, Broken> {
    text.parse().map_err(|_| Broken)
}

#[flow]
async fn through_an_alias() -> Outcome<()> {
    Err(Broken)
}

#[task]
fn local() -> Result<(), Box<dyn Error>> {
    Ok(())
}

fn main() {}
