use flowcore::prelude::*;

#[task(tags = "nightly")]
fn text() {}

#[task(tags = ["nightly", 2])]
fn number() {}

#[task(tags = [""])]
fn empty() {}

fn main() {}
