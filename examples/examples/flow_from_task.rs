//! A flow called from a task, in synchronous and in asynchronous code.

use flowcore::prelude::*;

#[flow]
fn double(x: u32) -> u32 {
    x * 2
}

#[task]
fn double_and_add(x: u32) -> flowcore::Result<u32> {
    Ok(double(x)? + 1)
}

#[flow]
async fn double_async(x: u32) -> u32 {
    x * 2
}

#[task]
async fn double_and_add_async(x: u32) -> flowcore::Result<u32> {
    Ok(double_async(x).await? + 1)
}

#[flow]
async fn both() -> flowcore::Result<(u32, u32)> {
    let sync = double_and_add.submit(10);
    let asynchronous = double_and_add_async.submit(20);
    Ok((sync.await?, asynchronous.await?))
}

#[tokio::main]
async fn main() -> flowcore::Result<()> {
    println!("{:?}", both().await?);
    Ok(())
}
