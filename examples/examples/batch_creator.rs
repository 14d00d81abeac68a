//! Records created in batches: ten at a time in parallel, one batch after the other.

use flowcore::prelude::*;

#[task(retries = 2)]
async fn create(id: u32) -> u32 {
    // Stands for a request to a service.
    tokio::task::yield_now().await;
    id
}

#[flow]
async fn create_batch(ids: Vec<u32>) -> flowcore::Result<usize> {
    Ok(create.map(ids).await?.len())
}

#[flow]
async fn create_all(count: u32) -> flowcore::Result<usize> {
    let ids: Vec<u32> = (0..count).collect();
    let mut created = 0;
    for batch in ids.chunks(10) {
        created += create_batch(batch.to_vec()).await?;
        println!("created {created} of {count}");
    }
    Ok(created)
}

#[tokio::main]
async fn main() -> flowcore::Result<()> {
    create_all(35).await?;
    Ok(())
}
