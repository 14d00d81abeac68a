use flowcore::prelude::*;

#[task]
fn largest<T: Ord>(items: Vec<T>) -> Option<T> {
    items.into_iter().max()
}

#[task]
fn first<const N: usize>(items: [u8; N]) -> u8 {
    items[0]
}

#[task]
fn longer<'a>(a: &'a str, b: &'a str) -> String {
    a.max(b).to_owned()
}

#[task]
fn bounded(x: u8) -> u8
where
    u8: Copy,
{
    x
}

fn main() {}
