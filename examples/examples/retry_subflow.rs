//! Three retries around a subflow: the task is tried again, and starts a new run of the subflow each time.

use flowcore::prelude::*;

#[flow]
fn import(attempt: u32) -> Result<String, String> {
    println!("import, attempt {attempt}");
    if attempt < 4 {
        return Err("connection reset".to_owned());
    }
    Ok("42 rows".to_owned())
}

#[task(retries = 3, retry_delay_seconds = 0.01)]
fn import_safely() -> flowcore::Result<String> {
    let attempt = flowcore::context().map_or(1, |run| run.attempt());
    import(attempt)
}

#[flow]
fn nightly() -> flowcore::Result<String> {
    import_safely()
}

fn main() -> flowcore::Result<()> {
    println!("imported {}", nightly()?);
    Ok(())
}
