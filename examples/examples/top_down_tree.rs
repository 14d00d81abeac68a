//! The top-down tree: each node is processed before its children, and the children of a node in parallel, with `join_all`.

use flowcore::prelude::*;
use futures_util::future::join_all;

struct TreeNode {
    value: &'static str,
    children: Vec<TreeNode>,
}

#[task]
async fn process_node(value: &str) -> String {
    format!("Processed node: {value}")
}

#[flow]
async fn process_tree(node: TreeNode) -> flowcore::Result<Vec<String>> {
    let mut lines = vec![process_node(node.value).await?];
    let children = node.children.into_iter().map(|child| process_tree.submit(child));
    for child in join_all(children).await {
        lines.extend(child?);
    }
    Ok(lines)
}

fn node(value: &'static str, children: Vec<TreeNode>) -> TreeNode {
    TreeNode { value, children }
}

#[tokio::main]
async fn main() -> flowcore::Result<()> {
    let a = node("A", vec![node("A1", vec![]), node("A2", vec![])]);
    let b = node("B", vec![node("B1", vec![]), node("B2", vec![])]);
    for line in process_tree(node("root", vec![a, b])).await? {
        println!("{line}");
    }
    Ok(())
}
