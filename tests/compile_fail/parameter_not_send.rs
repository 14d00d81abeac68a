#![allow(unused_variables)]
use flowcore::prelude::*;
use std::rc::Rc;

struct Node(Rc<u32>);

#[task]
fn direct(count: Rc<u32>) -> u32 {
    *count
}

#[flow]
async fn nested(depth: u32, node: Node) -> u32 {
    depth
}

fn main() {}
