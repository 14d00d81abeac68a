//! The bottom-up tree, async: siblings in parallel, each node after its children.

use flowcore::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct TreeNode {
    value: String,
    children: Vec<TreeNode>,
}

/// Processes one node.
#[task(retries = 3, retry_delay_seconds = 10)]
fn process_node(node_value: &str) -> String {
    tracing::info!("processing");
    format!("Processed node: {node_value}")
}

#[flow(name = "process-tree")]
async fn process_tree(node: TreeNode) -> flowcore::Result<Vec<String>> {
    let children = process_tree.map(node.children);
    let mut results: Vec<String> = children.await?.into_iter().flatten().collect();
    results.push(process_node.submit(node.value).await?);
    Ok(results)
}

fn node(value: &str, children: Vec<TreeNode>) -> TreeNode {
    TreeNode {
        value: value.to_owned(),
        children,
    }
}

fn tree() -> TreeNode {
    node(
        "root",
        vec![
            node("A", vec![node("A1", vec![]), node("A2", vec![])]),
            node("B", vec![node("B1", vec![]), node("B2", vec![])]),
        ],
    )
}

#[tokio::main]
async fn main() -> flowcore::Result<()> {
    for line in process_tree(tree()).await? {
        println!("{line}");
    }
    Ok(())
}
