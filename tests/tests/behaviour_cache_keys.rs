//! A cache key made of the parameters never takes different calls for the same.
#![allow(clippy::unwrap_used, reason = "a test may panic anywhere")]
use flowcore::prelude::*;

fn by_parameters(run: &RunContext) -> Option<String> {
    run.parameters().map(str::to_owned)
}

#[task(cache_key_fn = by_parameters)]
fn last_letter(text: String) -> Option<char> {
    text.chars().last()
}

struct Opaque(u32);
#[task(cache_key_fn = by_parameters)]
fn inner(x: Opaque) -> u32 {
    x.0
}

#[task(cache_key_fn = by_parameters, skip(password))]
fn length(password: String) -> usize {
    password.len()
}

#[test]
fn long_parameters_that_differ_at_their_end_are_different() {
    let text = "x".repeat(10_000);
    assert_eq!(last_letter(format!("{text}a")).unwrap(), Some('a'));
    assert_eq!(last_letter(format!("{text}b")).unwrap(), Some('b'));
}
#[test]
fn parameters_that_are_not_serialize_are_different() {
    assert_eq!(inner(Opaque(1)).unwrap(), 1);
    assert_eq!(inner(Opaque(2)).unwrap(), 2);
}
#[test]
fn skipped_parameters_are_different() {
    assert_eq!(length("a".into()).unwrap(), 1);
    assert_eq!(length("bb".into()).unwrap(), 2);
}
