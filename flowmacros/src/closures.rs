//! Types for the parameters of closures given as options.

use syn::spanned::Spanned;
use syn::{Expr, Ident, Pat, PatType, Token, Type, parse_quote};

/// A closure with the types that the option calls it with, where the user wrote none.
///
/// The runtime takes several forms of most functions, so that the compiler can't infer them from it.
pub(crate) fn typed(option: &str, value: Expr) -> Expr {
    let Expr::Closure(mut closure) = value else {
        return value;
    };
    let count = closure.inputs.len();
    for (position, input) in closure.inputs.iter_mut().enumerate() {
        if matches!(input, Pat::Type(_)) {
            continue;
        }
        let Some(name) = type_of(option, count, position) else {
            continue;
        };
        let span = input.span();
        let ty: Type = match name {
            "u32" => parse_quote!(::core::primitive::u32),
            name => {
                let name = Ident::new(name, span);
                parse_quote!(&__flow::#name)
            }
        };
        *input = Pat::Type(PatType {
            attrs: Vec::new(),
            pat: Box::new(input.clone()),
            colon_token: Token![:](span),
            ty: Box::new(ty),
        });
    }
    Expr::Closure(closure)
}

fn type_of(option: &str, count: usize, position: usize) -> Option<&'static str> {
    match (option, count, position) {
        ("retry_delay_seconds", 1, 0) => Some("u32"),
        ("retry_condition_fn", 1, 0) => Some("Error"),
        ("cache_key_fn", 1, 0) => Some("RunContext"),
        (
            "retry_condition_fn" | "on_running" | "on_completion" | "on_failure"
            | "on_cancellation" | "on_crashed",
            2,
            position,
        ) => Some(if position == 0 { "RunContext" } else { "State" }),
        _ => None,
    }
}
