#![allow(unused_variables)]
use flowcore::prelude::*;

struct Node;

#[task(run_name = "node-{node}")]
fn process(node: Node) {}

fn main() {}
