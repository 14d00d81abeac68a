//! Types for the parameters of closures given as options.

use syn::spanned::Spanned;
use syn::{Expr, Ident, Pat, PatType, Token, Type, parse_quote};

/// A closure with the types that the option calls it with, where the user wrote none.
///
/// The runtime takes several forms of most functions, so that the compiler can't infer them from it.
pub(crate) fn typed(option: &str, value: Expr) -> Expr {
    let mut closure = match ungrouped(value) {
        Expr::Closure(closure) => closure,
        other => return other,
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

/// The expression without what marks it as another macro's `$value:expr`.
fn ungrouped(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => ungrouped(*group.expr),
        other => other,
    }
}

fn type_of(option: &str, count: usize, position: usize) -> Option<&'static str> {
    match (option, count, position) {
        ("retry_delay_seconds", 1, 0) => Some("u32"),
        ("retry_condition_fn", 1, 0) => Some("Error"),
        ("cache_key_fn", 1, 0) => Some("RunContext"),
        (
            "retry_condition_fn" | "on_running" | "on_completion" | "on_failure" | "on_cancellation" | "on_crashed",
            2,
            position,
        ) => Some(if position == 0 { "RunContext" } else { "State" }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;

    #[test]
    fn closures_get_the_types_they_leave_out() {
        let typed = |option, closure| {
            let typed = typed(option, syn::parse_str(closure).unwrap());
            typed.into_token_stream().to_string().replace(' ', "")
        };
        for (option, closure, expected) in [
            ("retry_delay_seconds", "|n| f(n)", "|n:::core::primitive::u32|f(n)"),
            ("retry_condition_fn", "|e| true", "|e:&__flow::Error|true"),
            (
                "retry_condition_fn",
                "|_, s| true",
                "|_:&__flow::RunContext,s:&__flow::State|true",
            ),
            ("on_failure", "|r: &X, s| ()", "|r:&X,s:&__flow::State|()"),
            (
                "cache_key_fn",
                "move |run| f(run)",
                "move|run:&__flow::RunContext|f(run)",
            ),
            // The runtime says what is wrong with these.
            ("on_failure", "|r| ()", "|r|()"),
            ("retry_condition_fn", "|| true", "||true"),
            ("on_failure", "notify", "notify"),
        ] {
            assert_eq!(typed(option, closure), expected, "{option} = {closure}");
        }
    }
}
