#[flow(name = "process-tree")]
async fn process_tree(node: TreeNode) -> flowcore::Result<Vec<String>> {
    let children = process_tree.map(node.children);
    Ok(children.await?.into_iter().flatten().collect())
}
