//! What the tokens of a type tell about it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, Lifetime, ParenthesizedGenericArguments, TraitBound, Type, TypeFnPtr, TypeImplTrait, TypeReference,
    parse_quote,
};

/// What keeps a type from being owned by a run.
pub(crate) enum Obstacle {
    /// `impl Trait`
    ImplTrait(TokenStream),
    /// A reference or a lifetime other than `'static`.
    Borrow(TokenStream),
}

/// The type without the parentheses and invisible groups around it.
pub(crate) fn peeled(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => peeled(&inner.elem),
        Type::Group(inner) => peeled(&inner.elem),
        _ => ty,
    }
}

/// `T` where the type is a `&T`. A `&'static T` can be owned as it is.
pub(crate) fn lent(ty: &Type) -> Option<&Type> {
    match peeled(ty) {
        Type::Reference(reference) if reference.mutability.is_none() && !is_static(reference.lifetime.as_ref()) => {
            Some(&reference.elem)
        }
        _ => None,
    }
}

/// Whether this is `str`.
pub(crate) fn is_str(ty: &Type) -> bool {
    matches!(peeled(ty), Type::Path(path) if path.qself.is_none() && path.path.is_ident("str"))
}

/// The first thing in the type that keeps it from being owned.
pub(crate) fn obstacle(ty: &Type) -> Option<Obstacle> {
    let mut search = Search(None);
    search.visit_type(ty);
    search.0
}

/// The type as one would write it.
pub(crate) fn text(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, plain) in [
        (" :: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
        (" ;", ";"),
        ("[ ", "["),
        (" ]", "]"),
        ("( ", "("),
        (" )", ")"),
        ("(,)", "()"),
        ("Fn (", "Fn("),
        ("FnMut (", "FnMut("),
        ("FnOnce (", "FnOnce("),
        ("fn (", "fn("),
    ] {
        text = text.replace(spaced, plain);
    }
    text
}

/// The type to write instead of one that borrows: `Option<String>` for `Option<&str>`.
pub(crate) fn owned_text(ty: &Type) -> String {
    let mut owned = ty.clone();
    Own.visit_type_mut(&mut owned);
    text(&owned)
}

fn is_static(lifetime: Option<&Lifetime>) -> bool {
    lifetime.is_some_and(|lifetime| lifetime.ident == "static")
}

struct Search(Option<Obstacle>);

impl Search {
    fn found(&mut self, obstacle: Obstacle) {
        self.0.get_or_insert(obstacle);
    }
}

impl Visit<'_> for Search {
    fn visit_type_impl_trait(&mut self, node: &TypeImplTrait) {
        self.found(Obstacle::ImplTrait(node.to_token_stream()));
    }

    fn visit_type_reference(&mut self, node: &TypeReference) {
        if !is_static(node.lifetime.as_ref()) {
            self.found(Obstacle::Borrow(node.to_token_stream()));
        }
        visit::visit_type_reference(self, node);
    }

    fn visit_lifetime(&mut self, node: &Lifetime) {
        if !is_static(Some(node)) {
            self.found(Obstacle::Borrow(node.to_token_stream()));
        }
    }

    // The lifetimes of these are their callers': `fn(&str)`, `dyn Fn(&str)`, `dyn for<'a> Visit<'a>`.
    fn visit_type_fn_ptr(&mut self, _: &TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &ParenthesizedGenericArguments) {}

    fn visit_trait_bound(&mut self, node: &TraitBound) {
        if node.lifetimes.is_none() {
            visit::visit_trait_bound(self, node);
        }
    }

    // An array's length can hold any code, none of it part of the type's borrows.
    fn visit_expr(&mut self, _: &Expr) {}
}

struct Own;

impl VisitMut for Own {
    fn visit_type_mut(&mut self, node: &mut Type) {
        if let Type::Reference(reference) = node
            && !is_static(reference.lifetime.as_ref())
        {
            let inner = &reference.elem;
            *node = match peeled(inner) {
                inner if is_str(inner) => parse_quote!(String),
                Type::Slice(slice) => {
                    let item = &slice.elem;
                    parse_quote!(Vec<#item>)
                }
                Type::TraitObject(object) => parse_quote!(Box<#object + Send>),
                inner => inner.clone(),
            };
        }
        visit_mut::visit_type_mut(self, node);
    }

    fn visit_lifetime_mut(&mut self, node: &mut Lifetime) {
        node.ident = syn::Ident::new("static", node.ident.span());
    }

    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_as_they_are_written() {
        for ty in [
            "std::collections::HashMap<String, Vec<u8>>",
            "&'static [u8; 4]",
            "(u8, (u8, u8))",
            "()",
            "Box<dyn Fn(&str) -> bool + Send>",
            "<Vec<u8> as IntoIterator>::Item",
        ] {
            assert_eq!(text(&syn::parse_str(ty).unwrap()), ty);
        }
    }

    #[test]
    fn borrowed_types_have_owned_forms() {
        for (ty, owned) in [
            ("&str", "String"),
            ("Option<&str>", "Option<String>"),
            ("&[&str]", "Vec<String>"),
            ("(&u8, &'a Node)", "(u8, Node)"),
            ("Cow<'_, str>", "Cow<'static, str>"),
            ("&dyn Debug", "Box<dyn Debug + Send>"),
            ("Box<dyn Fn(&str)>", "Box<dyn Fn(&str)>"),
        ] {
            assert_eq!(owned_text(&syn::parse_str(ty).unwrap()), owned, "{ty}");
        }
    }
}
