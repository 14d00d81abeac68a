//! Logging inside a task: plain `tracing`, and each line says which run it comes from.

use flowcore::prelude::*;
use tracing::{info, warn};

#[task]
fn clean(rows: u32) -> u32 {
    info!("cleaning {rows} rows");
    if rows > 100 {
        warn!(rows, "more than expected");
    }
    rows / 2
}

#[flow]
fn pipeline() -> flowcore::Result<u32> {
    info!("fetching");
    let rows = clean(120)?;
    info!("{rows} rows left");
    Ok(rows)
}

fn main() -> flowcore::Result<()> {
    flowcore::logging::init()?;
    pipeline()?;
    Ok(())
}
