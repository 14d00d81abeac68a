use flowcore::prelude::*;

#[flow(durable, replay = "loose")]
fn loose() {}

#[flow(durable, replay = "strickt")]
fn nearly() {}

#[flow(durable, replay = true)]
fn flag() {}

#[flow(durable, replay)]
fn alone() {}

#[flow(replay = "strict")]
fn not_durable() {}

#[flow(durable = false, replay = "lenient")]
fn no_longer_durable() {}

#[task(replay = "strict")]
fn task() {}

fn main() {}
