//! Other attributes on annotated functions: each does what it does on a plain one.
#![forbid(unsafe_code)]
#![deny(clippy::pedantic, missing_docs, unfulfilled_lint_expectations, warnings)]
// What the functions themselves deserve, annotated or not.
#![allow(
    clippy::many_single_char_names,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::unwrap_used
)]

use flowcore::prelude::*;

/// What a task's docs look like to readers.
mod documented {
    use super::*;

    /// Adds one.
    ///
    /// # Examples
    /// ```text
    ///     add_one(1)
    /// ```
    #[doc = "And no more."]
    #[doc(alias = "increment")]
    #[task]
    pub(super) fn add_one(x: u32) -> u32 {
        x + 1
    }

    #[task]
    #[doc(hidden)]
    /** Over
    lines. */
    pub(super) fn below(x: u32) -> u32 {
        x
    }
}

#[test]
fn docs_are_the_description() {
    assert_eq!(documented::add_one(1).unwrap(), 2);
    assert_eq!(documented::below(1).unwrap(), 1);
    let tasks = flowcore::registry::tasks();
    let description = |name| tasks.iter().find(|task| task.name() == name).unwrap().description();
    let expected = "Adds one.\n\n# Examples\n```text\n    add_one(1)\n```\nAnd no more.";
    assert_eq!(description("add_one"), expected);
    assert!(description("below").starts_with("Over\n"));
}

#[task]
#[cfg(any())]
fn compiled_out(x: NoSuchType) -> Nonsense {}

#[cfg(any())]
#[flow]
async fn compiled_out_above(x: NoSuchType) -> Nonsense {}

#[cfg(not(any()))]
#[task]
fn chosen() -> &'static str {
    "this"
}

#[task]
#[cfg(any())]
fn chosen() -> &'static str {
    "that"
}

#[cfg_attr(all(), task(name = "by condition"))]
#[cfg_attr(all(), expect(unused_variables))]
fn conditional(x: u32) {}

#[test]
fn conditional_compilation_works() {
    assert_eq!(chosen().unwrap(), "this");
    conditional.submit(1).result().unwrap();
    let tasks = flowcore::registry::tasks();
    assert!(tasks.iter().any(|task| task.name() == "by condition"));
    assert!(!tasks.iter().any(|task| task.name().starts_with("compiled_out")));
}

#[expect(dead_code)]
#[task]
fn expected_to_be_dead(x: u32) -> u32 {
    x
}

#[task]
#[expect(dead_code, reason = "for the test")]
async fn expected_to_be_dead_below(x: u32) -> u32 {
    x
}

#[allow(dead_code)]
#[flow]
fn may_be_dead() {}

#[task]
#[expect(unused_variables, unused_mut)]
fn expected_in_the_body(mut x: u32) {}

#[expect(clippy::too_many_arguments)]
#[task]
fn expected_by_clippy(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8 {
    a + b + c + d + e + f + g + h
}

/// Seven parameters are no matter on a plain function.
#[task(retries = 1)]
fn not_too_many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) -> u8 {
    a + b + c + d + e + f + g
}

#[task]
#[allow(unused_variables)]
#[warn(unused_mut)]
#[deny(unreachable_code)]
fn levels(x: u32) {}

#[allow(non_snake_case)]
#[task]
fn CamelCase(Value: u32) -> u32 {
    Value
}

#[deprecated(note = "for the test")]
#[flow(run_name = "{x}")]
fn outdated(x: &str) -> flowcore::Result<usize> {
    if x.is_empty() { Ok(0) } else { Ok(x.len()) }
}

#[test]
fn lint_levels_are_heeded() {
    expected_in_the_body(1).unwrap();
    levels(1).unwrap();
    assert_eq!(expected_by_clippy(1, 1, 1, 1, 1, 1, 1, 1).unwrap(), 8);
    assert_eq!(not_too_many(1, 1, 1, 1, 1, 1, 1).unwrap(), 7);
    assert_eq!(CamelCase(1).unwrap(), 1);
    #[expect(deprecated)]
    let length = outdated("ab");
    assert_eq!(length.unwrap(), 2);
}

#[inline]
#[must_use]
#[task]
fn inlined(x: u32) -> u32 {
    x
}

#[task]
#[cold]
#[track_caller]
fn tracked() -> u32 {
    std::panic::Location::caller().line()
}

#[tracing::instrument(ret)]
#[task]
fn traced_above(x: u32) -> u32 {
    x
}

#[task]
#[tracing::instrument(skip_all, fields(x))]
async fn traced_below(x: u32) -> u32 {
    tokio::task::yield_now().await;
    x
}

#[test]
fn other_attributes_reach_the_body() {
    assert_eq!(inlined(1).unwrap(), 1);
    assert!(tracked().unwrap() > 0);
    assert_eq!(traced_above(1).unwrap(), 1);
    assert_eq!(traced_below(1).run().unwrap(), 1);
}

#[task]
fn with_inner_attributes(x: u32) -> u32 {
    #![allow(clippy::let_and_return)]
    //! Inner docs.
    let y = x;
    y
}

#[task]
fn with_attributes_on_parameters(#[allow(unused_variables)] x: u32, #[expect(unused_mut)] mut y: u32) -> u32 {
    y
}

#[test]
fn attributes_inside_stay_inside() {
    assert_eq!(with_inner_attributes(1).unwrap(), 1);
    assert_eq!(with_attributes_on_parameters(1, 2).unwrap(), 2);
}
