//! What must not compile, and what the compiler says of it.
//!
//! After a wanted change: `TRYBUILD=overwrite cargo test -p flowcore-tests --test compile_fail`, and read the diff.

#[test]
fn mistakes_are_told_on_the_users_tokens() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("compile_fail/*.rs");
}
