//! The `#[flow]` and `#[task]` attributes.
mod args;
mod attributes;
mod closures;
mod errors;
mod expand;
mod function;
#[cfg(test)]
mod golden;
mod join;
mod options;
mod run_name;
mod signature;
mod texts;
mod types;
mod values;

use proc_macro::TokenStream;

use crate::options::Kind;

/// Makes a flow of a function.
#[proc_macro_attribute]
pub fn flow(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Kind::Flow, attr.into(), item.into()).into()
}

/// Makes a task of a function.
#[proc_macro_attribute]
pub fn task(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Kind::Task, attr.into(), item.into()).into()
}
