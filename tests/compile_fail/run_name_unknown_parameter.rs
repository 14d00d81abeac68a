#![allow(unused_variables)]
use flowcore::prelude::*;

#[task(run_name = "node-{node_vale}")]
fn process(node_value: String, depth: u32) {}

#[task(run_name = "{count}")]
fn nothing() {}

fn main() {}
