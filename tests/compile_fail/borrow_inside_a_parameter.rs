use flowcore::prelude::*;
use std::borrow::Cow;

#[task]
fn greet(name: Option<&str>) -> String {
    name.unwrap_or("you").to_owned()
}

#[task]
fn join(words: &[&str]) -> String {
    words.concat()
}

#[task]
fn cowed(text: Cow<'_, str>) -> String {
    text.into_owned()
}

fn main() {}
