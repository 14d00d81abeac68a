/// Adds.
///
/// # Examples
#[doc = "more"]
#[task]
#[must_use]
#[inline]
#[allow(clippy::too_many_arguments)]
#[expect(dead_code, reason = "for show")]
#[expect(clippy::needless_pass_by_value)]
#[deprecated = "use `sum`"]
#[tracing::instrument]
pub(super) fn add(mut a: i32, (b, c): (i32, i32), _: &str) -> i32 {
    #![allow(unused_mut)]
    a + b + c
}
