//! Flows in parallel, without a task runner: `submit` is all it takes.

use flowcore::prelude::*;

#[flow]
async fn greet(name: String) -> String {
    format!("Hello, {name}!")
}

#[flow]
async fn greet_all() -> flowcore::Result<Vec<String>> {
    let runs: RunFutures<String> = ["Ada", "Grace", "Edsger"]
        .map(|name| greet.submit(name))
        .into_iter()
        .collect();
    runs.await
}

#[tokio::main]
async fn main() -> flowcore::Result<()> {
    for greeting in greet_all().await? {
        println!("{greeting}");
    }
    Ok(())
}
