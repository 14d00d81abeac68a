use flowcore::prelude::*;
use std::fmt::Display;

#[task]
fn show(value: &dyn Display) -> String {
    value.to_string()
}

fn main() {}
