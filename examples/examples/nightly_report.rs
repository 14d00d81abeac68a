//! A program that is a command line: its flows are run, watched and resumed from the shell.
//!
//! ```text
//! mkdir orders && printf 'apples,3\npears,4\n' > orders/oslo.csv
//! cargo run --example nightly_report -- flows
//! cargo run --example nightly_report -- run nightly-report --param folder=orders --param 'shops=["oslo","bergen"]'
//! cargo run --example nightly_report -- runs
//! ```
//!
//! There is no `bergen.csv`, so the run fails. Write one, and `resume` the run by the id that `runs` shows: what had completed is not run again.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use flowcore::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    item: String,
    amount: u64,
}

/// Reads what one shop has sold.
#[task(retries = 2, retry_delay_seconds = 0.2, run_name = "read {shop}")]
fn read_orders(folder: &str, shop: &str) -> io::Result<Vec<Order>> {
    let file = Path::new(folder).join(shop).with_extension("csv");
    let text = fs::read_to_string(&file)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
    let orders: Vec<Order> = text.lines().map(order).collect::<Result<_, _>>()?;
    tracing::info!(orders = orders.len(), "read");
    Ok(orders)
}

fn order(line: &str) -> io::Result<Order> {
    let bad = || io::Error::new(io::ErrorKind::InvalidData, format!("'{line}' is no `item,amount`"));
    let (item, amount) = line.split_once(',').ok_or_else(bad)?;
    Ok(Order {
        item: item.to_owned(),
        amount: amount.trim().parse().map_err(|_| bad())?,
    })
}

/// Adds up what was sold.
#[task]
fn total(orders: Vec<Order>) -> u64 {
    orders.iter().map(|order| order.amount).sum()
}

/// One shop's part of the report.
#[flow(name = "shop", run_name = "{name}")]
async fn shop_total(folder: String, name: String) -> flowcore::Result<u64> {
    let orders = read_orders.submit(folder, name);
    total.submit(orders).await
}

/// What all shops have sold.
#[flow(name = "nightly-report", durable, tags = ["nightly"])]
async fn nightly_report(folder: String, shops: Vec<String>) -> flowcore::Result<BTreeMap<String, u64>> {
    let totals = shop_total
        .map(shops.iter().map(|name| (folder.clone(), name.clone())))
        .settle()
        .await;
    let totals: Result<Vec<u64>, _> = totals.into_iter().collect();
    Ok(shops.into_iter().zip(totals?).collect())
}

fn main() -> ExitCode {
    flowcore::main()
}
