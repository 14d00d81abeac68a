use flowcore::prelude::*;

struct Connection;

#[flow(durable)]
fn import(connection: Connection) -> Connection {
    connection
}

fn main() {}
