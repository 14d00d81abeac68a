#![allow(unused_variables)]
use flowcore::prelude::*;

struct Connection;

#[task(retries = 3)]
fn send(connection: Connection, text: String) {}

fn main() {}
