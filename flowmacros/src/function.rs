//! The annotated function, its body unread: whatever the compiler takes for a body goes through as it is.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::token::Brace;
use syn::{Attribute, Item, Result, Signature, Token, Visibility};

use crate::options::Kind;

/// A function's parts.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Function> {
        Ok(Function {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            sig: input.parse()?,
            body: body(input)?,
        })
    }
}

/// A block, as it is or as a `$body:block` of another macro.
fn body(input: ParseStream<'_>) -> Result<Group> {
    if !input.peek(Brace) {
        return Err(input.error("expected a body"));
    }
    let mut tree: TokenTree = input.parse()?;
    loop {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                let inside = group.stream().into_iter().next();
                tree = inside.ok_or_else(|| input.error("expected a body"))?;
            }
            TokenTree::Group(group) => return Ok(group),
            _ => return Err(input.error("expected a body")),
        }
    }
}

/// Says what stands under the attribute instead of a function; `error` is what the parser said.
pub(crate) fn not_a_function(kind: Kind, error: syn::Error, item: TokenStream) -> syn::Error {
    let word = kind.word();
    let bodiless = |input: ParseStream<'_>| -> Result<Signature> {
        input.call(Attribute::parse_outer)?;
        let _: Visibility = input.parse()?;
        let sig = input.parse()?;
        let _: Token![;] = input.parse()?;
        Ok(sig)
    };
    if let Ok(sig) = syn::parse::Parser::parse2(bodiless, item.clone()) {
        return syn::Error::new_spanned(
            sig,
            format!("a {word} needs a body: only a free function that has one can be a {word}"),
        );
    }
    let (what, span) = match syn::parse2::<Item>(item) {
        // Code that doesn't parse at all is told as the parser told it.
        Err(_) | Ok(Item::Fn(_)) => return error,
        Ok(item) => describe(&item),
    };
    syn::Error::new(
        span,
        format!("`#[{word}]` goes on a function, and this is {what}: write `#[{word}] fn name(…) {{ … }}`"),
    )
}

fn describe(item: &Item) -> (&'static str, Span) {
    match item {
        Item::Struct(item) => ("a struct", item.ident.span()),
        Item::Enum(item) => ("an enum", item.ident.span()),
        Item::Union(item) => ("a union", item.ident.span()),
        Item::Mod(item) => ("a module", item.ident.span()),
        Item::Trait(item) => ("a trait", item.ident.span()),
        Item::Impl(item) => ("an impl block", item.impl_token.span),
        Item::Const(item) => ("a constant", item.ident.span()),
        Item::Static(item) => ("a static", item.ident.span()),
        Item::Type(item) => ("a type alias", item.ident.span()),
        Item::Use(item) => ("an import", item.use_token.span),
        other => ("another item", syn::spanned::Spanned::span(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_be_anything() {
        let function: Function =
            syn::parse_str("#[a] pub async fn f(x: u8) -> u8 { #![b] yield ~> \"what\" }").unwrap();
        assert_eq!(function.attributes.len(), 1);
        assert_eq!(function.sig.ident, "f");
        assert!(function.body.to_string().contains("yield"));
    }

    #[test]
    fn what_is_no_function_is_called_by_its_name() {
        for (item, message) in [
            ("struct A;", "goes on a function, and this is a struct"),
            ("enum A {}", "this is an enum"),
            ("impl A {}", "this is an impl block"),
            ("mod a {}", "this is a module"),
            ("use a::b;", "this is an import"),
            ("const A: u8 = 0;", "this is a constant"),
            ("fn f();", "a flow needs a body"),
            ("extern \"C\" {}", "this is another item"),
            ("fn f(", "expected"),
            ("let a = 0;", "expected"),
        ] {
            let Ok(tokens) = item.parse::<TokenStream>() else {
                continue;
            };
            let error = syn::parse2::<Function>(tokens.clone()).err().unwrap();
            let told = not_a_function(Kind::Flow, error, tokens).to_string();
            assert!(told.contains(message), "{item}: {told}");
        }
    }
}
