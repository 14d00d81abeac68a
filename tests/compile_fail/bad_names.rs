use flowcore::prelude::*;

#[flow(name = "")]
fn empty() {}

#[flow(name = "a/b")]
fn banned() {}

#[task(name = 'x')]
fn no_string() {}

const NAME: &str = "x";

#[task(name = NAME)]
fn constant() {}

#[flow(version = 2)]
fn number() {}

#[flow(description = "")]
fn undescribed() {}

#[task(key = false)]
fn keyed() {}

fn main() {}
