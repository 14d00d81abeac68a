//! The expansions of the functions in `golden/`, as they read after formatting, against those in `src/snapshots/`.
//!
//! After a wanted change: `INSTA_UPDATE=always cargo test -p flowmacros golden`, and read the diff.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use syn::parse::Parser;

use crate::expand::expand;
use crate::options::Kind;

/// The expansion of the function in a file, formatted where it is Rust at all.
fn expansion(file: &Path) -> String {
    let source = fs::read_to_string(file).unwrap();
    // The file's docs and attributes, ours among them, in front of the rest.
    let split = |input: syn::parse::ParseStream<'_>| {
        let attributes = input.call(syn::Attribute::parse_outer)?;
        Ok((attributes, input.parse::<TokenStream>()?))
    };
    let (mut attributes, function) = split.parse_str(&source).unwrap();
    let own = |attribute: &syn::Attribute| attribute.path().is_ident("flow") || attribute.path().is_ident("task");
    let position = attributes.iter().position(own).unwrap();
    let attribute = attributes.remove(position);
    let kind = if attribute.path().is_ident("flow") {
        Kind::Flow
    } else {
        Kind::Task
    };
    let options = match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let expanded = expand(kind, options, quote::quote!(#(#attributes)* #function));
    match syn::parse2(expanded.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => expanded.to_string(),
    }
}

#[test]
fn expansions_are_as_agreed() {
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::glob!("../golden", "*.rs", |file| {
            insta::assert_snapshot!("golden", expansion(file));
        });
    });
}

#[test]
fn a_small_task_expands_to_sixty_lines_at_most() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/task_small.rs");
    let expansion = expansion(&file);
    let lines = expansion.lines().count();
    assert!(lines <= 60, "{lines} lines:\n{expansion}");
}
