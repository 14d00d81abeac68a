//! Options whose value is a text or several: `name`, `description`, `version`, `key`, `replay`, `tags`.

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, Lit, LitStr, Result};

use crate::errors::{did_you_mean, list};
use crate::options::{Kind, example};

/// As in Prefect, and the quotation mark.
const BANNED_IN_NAMES: &[char] = &['/', '%', '&', '>', '<', '"'];

/// The string literal that `expr` is.
pub(crate) fn string(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text), ..
        }) => Some(text),
        Expr::Paren(inner) => string(&inner.expr),
        Expr::Group(inner) => string(&inner.expr),
        _ => None,
    }
}

/// A text: a literal, or whatever the compiler can make a `&'static str` of: `env!("CARGO_PKG_VERSION")`, a constant.
pub(crate) fn text(option: &str, expr: &Expr) -> Result<()> {
    let wrong = |what: &str| {
        Err(Error::new_spanned(
            expr,
            format!("`{option}` {what}: write `{}`", example(option)),
        ))
    };
    match (string(expr), expr) {
        (Some(text), _) if text.value().trim().is_empty() => wrong("is empty"),
        (None, Expr::Lit(_) | Expr::Unary(_) | Expr::Array(_)) => wrong("takes a string"),
        _ => Ok(()),
    }
}

/// One of a few texts.
pub(crate) fn choice(option: &str, expr: &Expr, choices: &[&'static str]) -> Result<&'static str> {
    let given = string(expr).map(LitStr::value).unwrap_or_default();
    if let Some(chosen) = choices.iter().find(|choice| **choice == given) {
        return Ok(chosen);
    }
    let hint = did_you_mean(&given, choices).map(|meant| format!(", did you mean `\"{meant}\"`?"));
    let message = format!(
        "`{option}` is one of {}{}",
        list(choices.iter().map(|choice| format!("\"{choice}\""))),
        hint.unwrap_or_else(|| format!(": write `{}`", example(option)))
    );
    Err(Error::new_spanned(expr, message))
}

/// The name of a flow or task.
pub(crate) fn object_name(kind: Kind, value: &Expr) -> Result<LitStr> {
    let word = kind.word();
    let usage = "write `name = \"process-node\"`, or leave `name` out for the function's own";
    let wrong = |what: String| Err(Error::new_spanned(value, what));
    let Some(name) = string(value) else {
        return wrong(format!("a {word}'s name is a string literal: {usage}"));
    };
    let text = name.value();
    if text.trim().is_empty() {
        return wrong(format!("a {word}'s name can't be empty: {usage}"));
    }
    let banned = |c: &char| BANNED_IN_NAMES.contains(c) || c.is_control();
    if let Some(banned) = text.chars().find(banned) {
        return wrong(format!(
            "a {word}'s name can't contain `{}`: leave out {} and control characters, which addresses and pages can't carry",
            banned.escape_debug(),
            list(BANNED_IN_NAMES.iter().map(char::to_string)),
        ));
    }
    Ok(name.clone())
}

/// The tags that all runs bear.
pub(crate) fn tags(value: Expr) -> Result<Vec<Expr>> {
    let usage = example("tags");
    let items = match value {
        Expr::Array(array) => array.elems,
        other => {
            let instead = match string(&other) {
                Some(tag) => format!("tags = [{}]", tag.to_token_stream()),
                None => usage.to_owned(),
            };
            let message = format!("`tags` takes a list: write `{instead}`");
            return Err(Error::new_spanned(other, message));
        }
    };
    for tag in &items {
        let message = format!("a tag is a string that isn't empty: write `{usage}`");
        text("tags", tag).map_err(|_| Error::new(tag.span(), message))?;
    }
    Ok(items.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn names_are_checked() {
        let name = |value: Expr| object_name(Kind::Task, &value).map(|name| name.value());
        let message = |value: Expr| name(value).unwrap_err().to_string();
        assert_eq!(
            name(parse_quote!("Process node: größe")).unwrap(),
            "Process node: größe"
        );
        assert!(message(parse_quote!("")).contains("a task's name can't be empty"));
        assert!(message(parse_quote!("  ")).contains("can't be empty"));
        assert!(message(parse_quote!("a/b")).contains("can't contain `/`"));
        assert!(message(parse_quote!("a\nb")).contains("can't contain `\\n`"));
        assert!(message(parse_quote!(NAME)).contains("is a string literal"));
    }

    #[test]
    fn texts_may_be_constants_but_no_other_literals() {
        for good in ["\"2\"", "VERSION", "env!(\"CARGO_PKG_VERSION\")"] {
            assert!(text("version", &syn::parse_str(good).unwrap()).is_ok());
        }
        for bad in ["2", "-2", "true", "'2'", "[\"2\"]", "\"\"", "\" \""] {
            let error = text("version", &syn::parse_str(bad).unwrap()).unwrap_err();
            assert!(error.to_string().ends_with("write `version = \"2\"`"));
        }
    }

    #[test]
    fn choices_are_few() {
        let chosen = |value: Expr| choice("replay", &value, &["strict", "lenient"]).map_err(|error| error.to_string());
        assert_eq!(chosen(parse_quote!("strict")).unwrap(), "strict");
        assert_eq!(chosen(parse_quote!(("lenient"))).unwrap(), "lenient");
        let near = chosen(parse_quote!("Strict")).unwrap_err();
        assert_eq!(
            near,
            "`replay` is one of `\"strict\"`, `\"lenient\"`, did you mean `\"strict\"`?"
        );
        for wrong in [
            parse_quote!(STRICT),
            parse_quote!(true),
            parse_quote!(""),
            parse_quote!("x"),
        ] {
            let message = chosen(wrong).unwrap_err();
            assert!(
                message.ends_with("`\"lenient\"`: write `replay = \"strict\"`"),
                "{message}"
            );
        }
    }

    #[test]
    fn tags_are_a_list_of_texts() {
        let message = |value: Expr| tags(value).err().unwrap().to_string();
        assert_eq!(tags(parse_quote!(["a", B])).unwrap().len(), 2);
        assert_eq!(tags(parse_quote!([])).unwrap().len(), 0);
        assert_eq!(
            message(parse_quote!("a")),
            "`tags` takes a list: write `tags = [\"a\"]`"
        );
        assert!(message(parse_quote!(["a", 1])).starts_with("a tag is a string"));
        assert!(message(parse_quote!(["a", ""])).starts_with("a tag is a string"));
    }
}
