//! The function's other attributes, each sent to the generated item it is meant for. (`cfg` and `cfg_attr` are not among
//! them: the compiler has dealt with those by now.)

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Path};

/// The attributes by destination.
#[derive(Default)]
pub(crate) struct Attributes {
    /// For the run object: docs, `deprecated`, lint levels.
    pub(crate) object: Vec<TokenStream>,
    /// For the generated code beside the body: what the user allowed for the function.
    pub(crate) generated: Vec<TokenStream>,
    /// For the body: all others.
    pub(crate) body: Vec<TokenStream>,
    /// Whether one of the body's may be a macro of its own, and look at the function's name.
    pub(crate) rewritten: bool,
    /// The doc comment's text.
    pub(crate) docs: String,
}

impl Attributes {
    /// Sorts the attributes of a function.
    pub(crate) fn sort(attributes: &[Attribute]) -> Attributes {
        let mut sorted = Attributes::default();
        let mut docs: Vec<String> = Vec::new();
        for attribute in attributes {
            docs.extend(doc_text(attribute));
            sorted.send(attribute);
        }
        sorted.docs = trimmed(&docs);
        sorted
    }

    fn send(&mut self, attribute: &Attribute) {
        let tokens = quote!(#attribute);
        let is = |names: &[&str]| names.iter().any(|name| attribute.path().is_ident(name));
        if is(&["doc"]) {
            self.object.push(tokens);
        } else if is(&["deprecated"]) {
            self.object.push(tokens);
            self.generated.push(quote!(#[allow(deprecated)]));
        } else if is(&["expect"]) {
            self.send_expect(attribute);
        } else if is(&["allow"]) {
            self.object.push(tokens.clone());
            self.generated.push(tokens.clone());
            self.body.push(tokens);
        } else if is(&["warn", "deny", "forbid"]) {
            self.object.push(tokens.clone());
            self.body.push(tokens);
        } else {
            self.rewritten |= !is(INERT);
            self.body.push(tokens);
        }
    }

    /// What is expected is expected once, and so asked of one item only: the object or the body.
    fn send_expect(&mut self, attribute: &Attribute) {
        let lints = lints(attribute).unwrap_or_default();
        let of_object = |lint: &&String| OBJECT_LINTS.contains(&lint.as_str());
        if !lints.is_empty() && lints.iter().all(|lint| of_object(&lint)) {
            self.object.push(quote!(#attribute));
        } else {
            self.body.push(quote!(#attribute));
        }
        let paths = lints
            .iter()
            .filter(|lint| !of_object(lint))
            .filter_map(|lint| syn::parse_str::<Path>(lint).ok());
        self.generated.push(quote!(#[allow(#(#paths),*)]));
    }
}

/// The compiler's own attributes that a function may bear.
const INERT: &[&str] = &["cold", "inline", "must_use", "target_feature", "track_caller"];

/// Lints about how others see and use the function, and so about the run object.
const OBJECT_LINTS: &[&str] = &["dead_code", "missing_docs", "unreachable_pub", "unnameable_types"];

/// The lints that an `expect` names.
fn lints(attribute: &Attribute) -> Option<Vec<String>> {
    let mut names = Vec::new();
    attribute
        .parse_nested_meta(|meta| {
            if meta.path.is_ident("reason") {
                meta.value()?.parse::<Expr>()?;
            } else {
                let segments: Vec<String> = meta
                    .path
                    .segments
                    .iter()
                    .map(|segment| segment.ident.to_string())
                    .collect();
                names.push(segments.join("::"));
            }
            Ok(())
        })
        .ok()?;
    Some(names)
}

fn doc_text(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    match &pair.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text), ..
        }) if pair.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}

/// The lines of a doc comment, without the space that follows each `///`, nor blank lines around.
fn trimmed(docs: &[String]) -> String {
    let lines: Vec<&str> = docs
        .iter()
        .flat_map(|doc| doc.lines().chain(doc.is_empty().then_some("")))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(attributes: &str) -> Attributes {
        let item: syn::ItemFn = syn::parse_str(&format!("{attributes} fn f() {{}}")).unwrap();
        Attributes::sort(&item.attrs)
    }

    #[test]
    fn docs_are_joined_and_trimmed() {
        let docs = |attributes| sorted(attributes).docs;
        assert_eq!(docs("/// One.\n///\n///   Two.\n"), "One.\n\n  Two.");
        assert_eq!(docs("#[doc = \" One.\"] #[doc(hidden)] #[doc = \"\"]"), "One.");
        assert_eq!(docs("/** One.\n Two. */"), "One.\nTwo.");
        assert_eq!(docs(""), "");
    }

    #[test]
    fn each_goes_where_it_is_meant() {
        for (attribute, object, body, generated) in [
            ("#[doc(alias = \"x\")]", 1, 0, 0),
            ("#[deprecated]", 1, 0, 1),
            ("#[allow(x)]", 1, 1, 1),
            ("#[deny(x)]", 1, 1, 0),
            ("#[expect(dead_code, reason = \"r\")]", 1, 0, 1),
            ("#[expect(unused_mut)]", 0, 1, 1),
            ("#[expect(dead_code, clippy::x)]", 0, 1, 1),
            ("#[inline]", 0, 1, 0),
            ("#[instrument(skip(x))]", 0, 1, 0),
        ] {
            let sorted = sorted(attribute);
            let counts = (sorted.object.len(), sorted.body.len(), sorted.generated.len());
            assert_eq!(counts, (object, body, generated), "{attribute}");
        }
        assert!(sorted("#[inline] #[instrument]").rewritten);
        assert!(!sorted("#[inline] #[allow(x)] #[must_use]").rewritten);
    }
}
