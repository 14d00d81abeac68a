//! The function's other attributes, each sent to the generated item it is meant for.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Path};

/// The attributes by destination.
#[derive(Default)]
pub(crate) struct Attributes {
    /// For the run object: docs, `deprecated`, lint levels.
    pub(crate) object: Vec<TokenStream>,
    /// For everything generated: `cfg`.
    pub(crate) everywhere: Vec<TokenStream>,
    /// For the generated code beside the body: what the user allowed for the function.
    pub(crate) generated: Vec<TokenStream>,
    /// For the body: all others.
    pub(crate) body: Vec<TokenStream>,
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
        let path = conditional(attribute).unwrap_or_else(|| attribute.path().clone());
        let is = |names: &[&str]| names.iter().any(|name| path.is_ident(name));
        if is(&["cfg"]) {
            self.everywhere.push(tokens);
        } else if is(&["doc"]) {
            self.object.push(tokens);
        } else if is(&["deprecated"]) {
            self.object.push(tokens);
            self.generated.push(quote!(#[allow(deprecated)]));
        } else if is(&["expect"]) {
            // Expected once, and so asked of one item only: the object where it is about names and use, else the body.
            match lints(attribute) {
                Some(lints)
                    if lints
                        .iter()
                        .all(|lint| OBJECT_LINTS.contains(&lint.as_str())) =>
                {
                    self.object.push(tokens)
                }
                lints => {
                    self.body.push(tokens);
                    let lints = lints
                        .into_iter()
                        .flatten()
                        .filter_map(|lint| syn::parse_str::<Path>(&lint).ok());
                    self.generated.push(quote!(#[allow(#(#lints),*)]));
                }
            }
        } else if is(&["allow"]) {
            self.object.push(tokens.clone());
            self.generated.push(tokens.clone());
            self.body.push(tokens);
        } else if is(&["warn", "deny", "forbid"]) {
            self.object.push(tokens.clone());
            self.body.push(tokens);
        } else {
            self.body.push(tokens);
        }
    }
}

/// Lints that look at the run object.
const OBJECT_LINTS: &[&str] = &[
    "dead_code",
    "unused",
    "missing_docs",
    "unreachable_pub",
    "unnameable_types",
];

/// The attribute that a `cfg_attr` stands for.
fn conditional(attribute: &Attribute) -> Option<Path> {
    let Meta::List(list) = &attribute.meta else {
        return None;
    };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let mut after_comma = list
        .tokens
        .clone()
        .into_iter()
        .skip_while(|token| !matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','))
        .skip(1);
    match after_comma.next() {
        Some(TokenTree::Ident(name)) => Some(name.into()),
        _ => None,
    }
}

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
            lit: Lit::Str(text),
            ..
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
