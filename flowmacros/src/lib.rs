//! The `#[flow]` and `#[task]` attributes of flowcore, which re-exports them: depend on that crate, not on this one.
//!
//! They check the function and the options, tell all that is wrong at once, and hand the rest to the runtime: what they write is
//! one struct, its methods, one definition and its entry in the registry.

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

#[doc = include_str!("../docs/flow.md")]
#[doc = include_str!("../docs/options.md")]
#[proc_macro_attribute]
pub fn flow(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Kind::Flow, attr.into(), item.into()).into()
}

#[doc = include_str!("../docs/task.md")]
#[doc = include_str!("../docs/options.md")]
#[proc_macro_attribute]
pub fn task(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Kind::Task, attr.into(), item.into()).into()
}
