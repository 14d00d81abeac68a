//! Checks of the values that options are given as literals. What isn't a literal is left to the compiler and the runtime.

use proc_macro2::{Span, TokenStream, TokenTree};
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
                Number::Integer(Some(value)) => {
                    u32::try_from(value).map_or(f64::INFINITY, f64::from)
                }
                Number::Integer(None) => f64::INFINITY,
                Number::Fraction(value) => value,
            };
            if value > f64::from(u32::MAX) {
                return wrong("is longer than 136 years");
            }
            if value == 0.0 && zero == Zero::Refused {
                return wrong("must be more than 0");
            }
            Ok(sized(expr, value))
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
            let literal: TokenTree = {
                let mut literal = proc_macro2::Literal::f64_suffixed(
                    u32::try_from(value).map_or(f64::MAX, f64::from),
                );
                literal.set_span(expr.span());
                literal.into()
            };
            literal.into()
        }
        _ => expr.to_token_stream(),
    }
}

/// An integer past `i32`, which a bare literal would be, gets the suffix it needs.
fn sized(expr: &Expr, value: f64) -> TokenStream {
    let bare =
        matches!(expr, Expr::Lit(ExprLit { lit: Lit::Int(lit), .. }) if lit.suffix().is_empty());
    if bare && value > f64::from(i32::MAX) {
        return quote_spanned!(expr.span()=> #expr as ::core::primitive::u64);
    }
    expr.to_token_stream()
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
            lit: Lit::Bool(value),
            ..
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
        let named =
            at > 0 && matches!(&tokens[at - 1], TokenTree::Ident(name) if name == "max_workers");
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
