#![allow(unused_variables)]
use flowcore::prelude::*;

#[task]
fn process(x: u32, #[cfg(unix)] y: u32) {}

fn main() {}
