use flowcore::prelude::*;
use std::borrow::Cow;

#[task]
fn trimmed(text: &str) -> &str {
    text.trim()
}

#[task]
fn first(items: &[String]) -> Option<&String> {
    items.first()
}

#[task]
fn cowed(text: &str) -> Cow<'_, str> {
    text.into()
}

fn main() {}
