use flowcore::prelude::*;

#[flow(durable, skip(password), skip_result)]
fn import(password: String) -> String {
    password
}

fn main() {}
