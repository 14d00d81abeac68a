//! Siblings in parallel: the children of a node wait for each other, which only works if they run at the same time.

use std::sync::Arc;

use flowcore::prelude::*;
use tokio::sync::Barrier;

#[task]
async fn process_node(name: String, siblings: Arc<Barrier>) -> String {
    siblings.wait().await;
    format!("{name} met its siblings")
}

#[flow]
async fn process_children(names: Vec<String>) -> flowcore::Result<Vec<String>> {
    let siblings = Arc::new(Barrier::new(names.len()));
    process_node
        .map(names.into_iter().map(|name| (name, siblings.clone())))
        .await
}

#[tokio::main]
async fn main() -> flowcore::Result<()> {
    let names = ["A", "B", "C"].map(String::from).to_vec();
    for line in process_children(names).await? {
        println!("{line}");
    }
    Ok(())
}
