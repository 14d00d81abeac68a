//! The bottom-up tree, in plain synchronous code: each node is processed after its children.

use flowcore::prelude::*;

#[derive(Clone)]
struct TreeNode {
    value: &'static str,
    children: Vec<TreeNode>,
}

#[task]
fn process_node(value: &str) {
    println!("Processed node: {value}");
}

#[flow]
fn process_tree(node: TreeNode) -> flowcore::Result<()> {
    for child in node.children {
        process_tree(child)?;
    }
    process_node(node.value)
}

fn node(value: &'static str, children: Vec<TreeNode>) -> TreeNode {
    TreeNode { value, children }
}

fn main() -> flowcore::Result<()> {
    let a = node("A", vec![node("A1", vec![]), node("A2", vec![])]);
    let b = node("B", vec![node("B1", vec![]), node("B2", vec![])]);
    process_tree(node("root", vec![a, b]))
}
