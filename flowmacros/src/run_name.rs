//! The run name's template, a format string over the parameters: `"node-{node_value:>4}"`.

use syn::{Error, Expr, LitStr};

use crate::options::example;
use crate::texts;

/// A run name's template and the parameters it names.
pub(crate) struct RunName {
    pub(crate) template: LitStr,
    pub(crate) parameters: Vec<String>,
}

impl RunName {
    /// Reads the option's value.
    pub(crate) fn read(value: &Expr) -> syn::Result<RunName> {
        let usage = example("run_name");
        let wrong = |what: String| Error::new_spanned(value, what);
        let Some(template) = texts::string(value) else {
            return Err(wrong(format!(
                "`run_name` is checked at compile time and so is a string literal: write `{usage}`"
            )));
        };
        if template.value().trim().is_empty() {
            return Err(wrong(format!("`run_name` is empty: write `{usage}`")));
        }
        let parameters =
            placeholders(&template.value()).map_err(|problem| wrong(format!("in this run name, {problem}")))?;
        Ok(RunName {
            template: template.clone(),
            parameters,
        })
    }
}

/// The parameters a template names, each once, in the order of their first use; or what is wrong with it.
fn placeholders(template: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        let after = &rest[brace + 1..];
        if rest[brace..].starts_with("{{") || rest[brace..].starts_with("}}") {
            rest = &after[1..];
            continue;
        }
        if rest[brace..].starts_with('}') {
            return Err("a `}` without its `{`: a brace of the name itself is written `}}`".into());
        }
        let Some(end) = after.find(['{', '}']).filter(|end| after[*end..].starts_with('}')) else {
            return Err("a `{` without its `}`: a brace of the name itself is written `{{`".into());
        };
        for name in placeholder(&after[..end])? {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        rest = &after[end + 1..];
    }
    Ok(names)
}

/// The parameters named by what stands between two braces: the value, and a width or precision such as `{x:>width$}`.
fn placeholder(inside: &str) -> Result<Vec<String>, String> {
    let (name, spec) = inside.split_once(':').unwrap_or((inside, ""));
    let mut names = vec![parameter(name.trim_end(), inside)?];
    if spec.contains(".*") {
        return Err(format!(
            "`{{{inside}}}` takes its precision from a further argument: write it out, as in `{{{name}:.3}}`"
        ));
    }
    for (dollar, _) in spec.match_indices('$') {
        let before = &spec[..dollar];
        let start = before
            .rfind(|c: char| !is_part_of_name(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        names.push(parameter(&before[start..], inside)?);
    }
    Ok(names)
}

fn parameter(name: &str, inside: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err(format!("`{{{inside}}}` names no parameter: write `{{parameter}}`"));
    }
    if name.chars().all(|c| c.is_ascii_digit()) {
        return Err(format!(
            "`{{{inside}}}` counts parameters: name the one you mean instead"
        ));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_part_of_name) {
        return Err(format!(
            "`{name}` isn't a parameter's name, and only such a name can stand between braces"
        ));
    }
    Ok(name.to_owned())
}

fn is_part_of_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::placeholders;

    #[test]
    fn finds_the_parameters() {
        for (template, names) in [
            ("", &[] as &[&str]),
            ("nightly", &[]),
            ("node-{node_value}", &["node_value"]),
            ("{a}{b}{a}", &["a", "b"]),
            ("{a:>4}", &["a"]),
            ("{a:?}", &["a"]),
            ("{a :#?}", &["a"]),
            ("{a:é<4}", &["a"]),
            ("{a:>width$.digits$}", &["a", "width", "digits"]),
            ("{{a}}", &[]),
            ("{{{a}}}", &["a"]),
            ("{größe}", &["größe"]),
            ("é{a}é", &["a"]),
        ] {
            assert_eq!(
                placeholders(template).as_deref(),
                Ok(names.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice()),
                "{template}"
            );
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (template, message) in [
            ("{}", "names no parameter"),
            ("{:?}", "names no parameter"),
            ("{0}", "counts parameters"),
            ("{a:0$}", "counts parameters"),
            ("{a:.*}", "from a further argument"),
            ("{a:$}", "names no parameter"),
            ("{node.value}", "isn't a parameter's name"),
            ("{a", "a `{` without its `}`"),
            ("{a{b}}", "a `{` without its `}`"),
            ("{", "a `{` without its `}`"),
            ("a}", "a `}` without its `{`"),
            ("}", "a `}` without its `{`"),
        ] {
            let error = placeholders(template).unwrap_err();
            assert!(error.contains(message), "{template}: {error}");
        }
    }
}
