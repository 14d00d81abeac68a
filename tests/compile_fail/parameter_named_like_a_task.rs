use flowcore::prelude::*;

#[task]
fn user() -> String {
    "me".to_owned()
}

#[task]
fn greet(user: String) {}

fn main() {}
