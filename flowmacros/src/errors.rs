//! Compile errors, collected so that the user sees all of them at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors found so far, in the order of their finding.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Adds an error that underlines `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error that underlines `span`.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.add(syn::Error::new(span, message));
    }

    /// Adds an error made elsewhere.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The messages, one per error.
    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.0.into_iter().flatten().map(|error| error.to_string()).collect()
    }

    /// One `compile_error!` per error; nothing where there was none.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.map(syn::Error::into_compile_error).unwrap_or_default()
    }
}

/// Names that other tools, Prefect first, give to our options; too far from ours for the edit distance to find them.
const ALIASES: &[(&str, &str)] = &[
    ("backoff", "retry_delay_seconds"),
    ("cache_key", "cache_key_fn"),
    ("cache_policy", "cache_key_fn"),
    ("cache_ttl", "cache_expiration"),
    ("delay", "retry_delay_seconds"),
    ("doc", "description"),
    ("executor", "task_runner"),
    ("flow_run_name", "run_name"),
    ("jitter", "retry_jitter_factor"),
    ("label", "tags"),
    ("labels", "tags"),
    ("max_retries", "retries"),
    ("on_cancel", "on_cancellation"),
    ("on_complete", "on_completion"),
    ("on_crash", "on_crashed"),
    ("on_error", "on_failure"),
    ("on_start", "on_running"),
    ("on_success", "on_completion"),
    ("persist_result", "durable"),
    ("retry", "retries"),
    ("retry_if", "retry_condition_fn"),
    ("runner", "task_runner"),
    ("strict", "replay"),
    ("strict_replay", "replay"),
    ("task_run_name", "run_name"),
    ("title", "name"),
];

/// The one of `valid` that the user probably meant by `given`.
pub(crate) fn did_you_mean<'a>(given: &str, valid: &[&'a str]) -> Option<&'a str> {
    if let Some((_, meant)) = ALIASES.iter().find(|(alias, _)| *alias == given) {
        return valid.iter().find(|option| *option == meant).copied();
    }
    // A third of the letters may be wrong: beyond that a guess misleads more than it helps.
    let reach = (given.len() / 3).max(1);
    let near = valid
        .iter()
        .map(|option| (strsim::damerau_levenshtein(given, option), *option))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, option)| option);
    near.or_else(|| {
        // `timeout` for `timeout_seconds`, `on_run` for `on_running`.
        let long_enough = given.len() >= 3;
        valid
            .iter()
            .find(|option| long_enough && option.starts_with(given))
            .copied()
    })
}

/// ` (did you mean …?)`, or nothing.
pub(crate) fn hint(given: &str, valid: &[&str]) -> String {
    did_you_mean(given, valid).map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"))
}

/// `` `a`, `b`, `c` ``
pub(crate) fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &[&str] = &[
        "name",
        "retries",
        "retry_delay_seconds",
        "timeout_seconds",
        "tags",
        "on_completion",
    ];

    #[test]
    fn finds_what_was_meant() {
        for (given, meant) in [
            ("retires", Some("retries")),
            ("retrys", Some("retries")),
            ("retry_delay_second", Some("retry_delay_seconds")),
            ("retry_delay", Some("retry_delay_seconds")),
            ("timeout", Some("timeout_seconds")),
            ("max_retries", Some("retries")),
            ("on_success", Some("on_completion")),
            ("tag", Some("tags")),
            ("Name", Some("name")),
            ("colour", None),
            ("x", None),
            // An alias of an option that this macro doesn't have.
            ("cache_ttl", None),
        ] {
            assert_eq!(did_you_mean(given, VALID), meant, "{given}");
        }
    }

    #[test]
    fn lists_in_backticks() {
        assert_eq!(list(["a", "b"]), "`a`, `b`");
        assert_eq!(list::<&str>([]), "");
    }
}
