//! Checks of the values that options are given as literals. What isn't a literal is left to the compiler and the runtime.

use proc_macro2::{Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, Lit, LitBool, Result, UnOp};

use crate::options::example;

/// The most delays a list may hold: Prefect's limit too.
const MOST_DELAYS: usize = 50;

/// A number written out.
enum Number {
    Integer(Option<u64>),
    Fraction(f64),
}

/// What an option's value is as far as its tokens tell.
enum Value {
    Number {
        number: Number,
        negative: bool,
    },
    /// A literal of another sort: a string, a char, a bool.
    Other,
    /// Something that only the compiler knows the value of.
    Unknown,
}

fn read(expr: &Expr) -> Value {
    match expr {
        Expr::Paren(inner) => read(&inner.expr),
        Expr::Group(inner) => read(&inner.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => match read(&unary.expr) {
            Value::Number { number, negative } => Value::Number {
                number,
                negative: !negative,
            },
            other => other,
        },
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Int(lit) => match lit.suffix() {
                "f32" | "f64" => Value::Number {
                    number: Number::Fraction(lit.base10_parse().unwrap_or(f64::INFINITY)),
                    negative: false,
                },
                _ => Value::Number {
                    number: Number::Integer(lit.base10_parse().ok()),
                    negative: false,
                },
            },
            Lit::Float(lit) => Value::Number {
                number: Number::Fraction(lit.base10_parse().unwrap_or(f64::INFINITY)),
                negative: false,
            },
            _ => Value::Other,
        },
        _ => Value::Unknown,
    }
}

/// Whether the expression is a literal zero; `retries = 0` asks for nothing of the parameters.
pub(crate) fn is_zero(expr: &Expr) -> bool {
    matches!(
        read(expr),
        Value::Number {
            number: Number::Integer(Some(0)),
            ..
        }
    )
}

/// A count: `retries`.
pub(crate) fn count(option: &str, expr: &Expr) -> Result<()> {
    let wrong = |what: &str| {
        Err(Error::new_spanned(
            expr,
            format!("`{option}` {what}: write a whole number of 0 or more, as in `{option} = 3`"),
        ))
    };
    match read(expr) {
        Value::Unknown => Ok(()),
        Value::Other => wrong("takes a number"),
        Value::Number { negative: true, .. } => wrong("can't be negative"),
        Value::Number {
            number: Number::Fraction(_),
            ..
        } => wrong("can't be a fraction"),
        Value::Number {
            number: Number::Integer(value),
            ..
        } => match value {
            Some(value) if u32::try_from(value).is_ok() => Ok(()),
            _ => Err(Error::new_spanned(
                expr,
                format!("`{option}` is too large: at most {}", u32::MAX),
            )),
        },
    }
}

/// A factor of 0 or more: `retry_jitter_factor`.
pub(crate) fn factor(option: &str, expr: &Expr) -> Result<TokenStream> {
    let wrong = |what: &str| {
        Err(Error::new_spanned(
            expr,
            format!("`{option}` {what}: write a number of 0 or more, as in `{option} = 0.5`"),
        ))
    };
    if is_not_finite(expr) {
        return wrong("must be finite");
    }
    match read(expr) {
        Value::Other => wrong("takes a number"),
        Value::Number { negative: true, .. } => wrong("can't be negative"),
        Value::Number {
            number: Number::Fraction(value),
            ..
        } if !value.is_finite() => wrong("must be finite"),
        Value::Unknown
        | Value::Number {
            number: Number::Fraction(_),
            ..
        } => Ok(expr.to_token_stream()),
        // The runtime takes an `f64`, which `1` isn't.
        Value::Number {
            number: Number::Integer(_),
            ..
        } => Ok(as_fraction(expr)),
    }
}

/// What a length of time may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zero {
    Allowed,
    Refused,
}

/// A length of time in seconds: `timeout_seconds`, `cache_expiration`.
pub(crate) fn seconds(option: &str, expr: &Expr, zero: Zero) -> Result<TokenStream> {
    let wrong = |what: &str| {
        Err(Error::new_spanned(
            expr,
            format!(
                "`{option}` {what}: write seconds or a `Duration`, as in `{}`",
                example(option)
            ),
        ))
    };
    if is_not_finite(expr) {
        return wrong("must be finite");
    }
    match read(expr) {
        Value::Unknown => Ok(expr.to_token_stream()),
        Value::Other => wrong("takes a number of seconds"),
        Value::Number { negative: true, .. } => wrong("can't be negative"),
        Value::Number { number, .. } => {
            let value = match number {
                Number::Integer(Some(value)) => u32::try_from(value).map_or(f64::INFINITY, f64::from),
                Number::Integer(None) => f64::INFINITY,
                Number::Fraction(value) => value,
            };
            if value > f64::from(u32::MAX) {
                return wrong("is longer than 136 years");
            }
            if value == 0.0 && zero == Zero::Refused {
                return wrong("must be more than 0");
            }
            Ok(sized(expr))
        }
    }
}

/// `retry_delay_seconds`: a number, a list of numbers, a closure, or whatever else the runtime can read a delay from.
pub(crate) fn delays(option: &str, expr: &Expr) -> Result<TokenStream> {
    let items = match expr {
        Expr::Array(array) => &array.elems,
        Expr::Reference(reference) => match &*reference.expr {
            Expr::Array(array) => &array.elems,
            _ => return Ok(expr.to_token_stream()),
        },
        Expr::Macro(vec) if vec.mac.path.is_ident("vec") && vec.mac.tokens.is_empty() => {
            return Err(empty_list(option, expr));
        }
        Expr::Closure(_) => return Ok(expr.to_token_stream()),
        _ => return seconds(option, expr, Zero::Allowed),
    };
    if items.is_empty() {
        return Err(empty_list(option, expr));
    }
    if items.len() > MOST_DELAYS {
        return Err(Error::new_spanned(
            expr,
            format!(
                "`{option}` lists {} delays, and at most {MOST_DELAYS} are allowed: the last one repeats",
                items.len()
            ),
        ));
    }
    let mut errors: Option<Error> = None;
    for item in items {
        if let Err(error) = seconds(option, item, Zero::Allowed) {
            match &mut errors {
                Some(first) => first.combine(error),
                None => errors = Some(error),
            }
        }
    }
    if let Some(errors) = errors {
        return Err(errors);
    }
    // One type for all of a list: `[1, 2.5]` is fine to write.
    let mixed = items.iter().any(is_fraction) && items.iter().any(|item| !is_fraction(item));
    if !mixed {
        return Ok(expr.to_token_stream());
    }
    let items = items.iter().map(|item| match read(item) {
        Value::Number {
            number: Number::Integer(_),
            ..
        } => as_fraction(item),
        _ => item.to_token_stream(),
    });
    Ok(quote_spanned!(expr.span()=> [#(#items),*]))
}

fn empty_list(option: &str, expr: &Expr) -> Error {
    Error::new_spanned(
        expr,
        format!("`{option}` lists no delay: write at least one, as in `{option} = [1, 10, 60]`"),
    )
}

fn is_fraction(expr: &Expr) -> bool {
    matches!(
        read(expr),
        Value::Number {
            number: Number::Fraction(_),
            ..
        }
    )
}

/// `3` as `3.0`, whatever base it was written in.
fn as_fraction(expr: &Expr) -> TokenStream {
    match read(expr) {
        Value::Number {
            number: Number::Integer(Some(value)),
            ..
        } => {
            let value = u32::try_from(value).map_or(f64::MAX, f64::from);
            in_place_of(expr, Literal::f64_suffixed(value))
        }
        _ => expr.to_token_stream(),
    }
}

/// An integer past `i32`, which a bare literal would be, gets the suffix it needs.
fn sized(expr: &Expr) -> TokenStream {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(lit), .. })
            if lit.suffix().is_empty() && lit.base10_parse::<i32>().is_err() =>
        {
            lit.base10_parse().map_or_else(
                |_| expr.to_token_stream(),
                |value| in_place_of(expr, Literal::u64_suffixed(value)),
            )
        }
        _ => expr.to_token_stream(),
    }
}

/// A literal where the user's stands, that lints about the user's don't look at.
fn in_place_of(expr: &Expr, mut literal: Literal) -> TokenStream {
    literal.set_span(Span::mixed_site().located_at(expr.span()));
    TokenTree::from(literal).into()
}

/// `f64::NAN` and its kin, by name: they are no literals, but no less absurd.
fn is_not_finite(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(inner) => is_not_finite(&inner.expr),
        Expr::Group(inner) => is_not_finite(&inner.expr),
        Expr::Unary(unary) => is_not_finite(&unary.expr),
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
            ["NAN", "INFINITY", "NEG_INFINITY"]
                .iter()
                .any(|name| last.ident == name)
        }),
        _ => false,
    }
}

/// The `true` or `false` that `expr` is.
pub(crate) fn boolean(expr: &Expr) -> Option<&LitBool> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(value), ..
        }) => Some(value),
        Expr::Group(inner) => boolean(&inner.expr),
        _ => None,
    }
}

/// A function, a closure or an expression that makes one: all but a literal.
pub(crate) fn function(option: &str, expr: &Expr) -> Result<()> {
    match read(expr) {
        Value::Unknown => Ok(()),
        _ => Err(Error::new_spanned(
            expr,
            format!("`{option}` takes a function: write `{}`", example(option)),
        )),
    }
}

/// A runner: any expression but a literal, and not one of no workers.
pub(crate) fn runner(option: &str, expr: &Expr) -> Result<()> {
    if !matches!(read(expr), Value::Unknown) {
        return Err(Error::new_spanned(
            expr,
            format!("`{option}` takes a runner: write `{}`", example(option)),
        ));
    }
    match no_workers(expr.to_token_stream()) {
        None => Ok(()),
        Some(zero) => Err(Error::new(
            zero,
            "a runner without workers runs nothing: write `max_workers(1)` or more, or leave `max_workers` out for no limit",
        )),
    }
}

/// Where the expression asks for `.max_workers(0)`.
fn no_workers(tokens: TokenStream) -> Option<Span> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let named = at > 0 && matches!(&tokens[at - 1], TokenTree::Ident(name) if name == "max_workers");
        let zero = syn::parse2::<Expr>(group.stream()).is_ok_and(|argument| is_zero(&argument));
        if named && zero {
            return Some(group.stream().span());
        }
        if let Some(inside) = no_workers(group.stream()) {
            return Some(inside);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expr(text: &str) -> Expr {
        syn::parse_str(text).unwrap()
    }

    /// What the check makes of each value, or the part of its message before the colon.
    fn told<T: ToString>(check: impl Fn(&Expr) -> Result<T>, values: &[(&str, &str)]) {
        for (value, expected) in values {
            let made = match check(&expr(value)) {
                Ok(made) => made.to_string(),
                Err(error) => {
                    let message = error.to_string();
                    message.split(':').next().unwrap().to_owned()
                }
            };
            assert_eq!(made, *expected, "{value}");
        }
    }

    #[test]
    fn counts_are_whole_and_small() {
        told(
            |value| count("retries", value).map(|()| "fine"),
            &[
                ("0", "fine"),
                ("3u32", "fine"),
                ("0x10", "fine"),
                ("TIMES", "fine"),
                ("1 + 2", "fine"),
                ("-0", "`retries` can't be negative"),
                ("-(3)", "`retries` can't be negative"),
                ("1.0", "`retries` can't be a fraction"),
                ("4_294_967_296", "`retries` is too large"),
                ("'3'", "`retries` takes a number"),
                ("true", "`retries` takes a number"),
            ],
        );
        assert!(is_zero(&expr("0")) && is_zero(&expr("(0_u8)")));
        assert!(!is_zero(&expr("ZERO")) && !is_zero(&expr("1")));
    }

    #[test]
    fn seconds_are_finite_and_positive() {
        told(
            |value| seconds("timeout_seconds", value, Zero::Refused),
            &[
                ("30", "30"),
                ("0.5", "0.5"),
                ("3_000_000_000", "3000000000u64"),
                ("LIMIT", "LIMIT"),
                ("0", "`timeout_seconds` must be more than 0"),
                ("0.0", "`timeout_seconds` must be more than 0"),
                ("-0.5", "`timeout_seconds` can't be negative"),
                ("f64::NAN", "`timeout_seconds` must be finite"),
                ("-f32::INFINITY", "`timeout_seconds` must be finite"),
                ("4_294_967_296", "`timeout_seconds` is longer than 136 years"),
                ("99999999999999999999", "`timeout_seconds` is longer than 136 years"),
                ("1e308", "`timeout_seconds` is longer than 136 years"),
                ("\"30\"", "`timeout_seconds` takes a number of seconds"),
            ],
        );
        assert!(seconds("retry_delay_seconds", &expr("0"), Zero::Allowed).is_ok());
    }

    #[test]
    fn delays_are_one_or_a_list_of_one_type() {
        let many = format!("[{}]", "1,".repeat(51));
        told(
            |value| delays("retry_delay_seconds", value),
            &[
                ("10", "10"),
                ("[1, 2]", "[1 , 2]"),
                ("[1, 2.5, 0x10]", "[1f64 , 2.5 , 16f64]"),
                ("[A, 2.5, 1]", "[A , 2.5 , 1f64]"),
                ("&[1, 2]", "& [1 , 2]"),
                ("exponential_backoff(10)", "exponential_backoff (10)"),
                ("[]", "`retry_delay_seconds` lists no delay"),
                ("&[]", "`retry_delay_seconds` lists no delay"),
                ("vec![]", "`retry_delay_seconds` lists no delay"),
                ("[1, -1]", "`retry_delay_seconds` can't be negative"),
                (
                    &many,
                    "`retry_delay_seconds` lists 51 delays, and at most 50 are allowed",
                ),
            ],
        );
    }

    #[test]
    fn factors_become_fractions() {
        told(
            |value| factor("retry_jitter_factor", value),
            &[
                ("1", "1f64"),
                ("0.5", "0.5"),
                ("JITTER", "JITTER"),
                ("-1", "`retry_jitter_factor` can't be negative"),
                ("f64::NAN", "`retry_jitter_factor` must be finite"),
                ("\"1\"", "`retry_jitter_factor` takes a number"),
            ],
        );
    }

    #[test]
    fn a_runner_has_workers_as_far_as_one_can_see() {
        told(
            |value| runner("task_runner", value).map(|()| "fine"),
            &[
                ("SequentialTaskRunner::new()", "fine"),
                ("ConcurrentTaskRunner::new().max_workers(1)", "fine"),
                ("ConcurrentTaskRunner::new().max_workers(N)", "fine"),
                (
                    "ConcurrentTaskRunner::new().max_workers(0)",
                    "a runner without workers runs nothing",
                ),
                (
                    "wrap(ConcurrentTaskRunner::new().max_workers(0usize))",
                    "a runner without workers runs nothing",
                ),
                ("4", "`task_runner` takes a runner"),
            ],
        );
    }
}
