use flowcore::prelude::*;

struct Connection;

#[task]
async fn send(connection: &Connection) {
    let _ = connection;
}

fn main() {}
