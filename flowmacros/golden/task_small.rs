/// Processes one node.
#[task]
fn process_node(node_value: &str) -> String {
    format!("Processed node: {node_value}")
}
