//! What an annotated function becomes: a unit struct of its name, registered, with typed methods.

mod calls;
mod runnable;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::args::Args;
use crate::attributes::Attributes;
use crate::errors::Errors;
use crate::function::{Function, not_a_function};
use crate::join::join;
use crate::options::Kind;
use crate::signature::Signature;

/// Expands `#[flow(attr)]` or `#[task(attr)]` on `item`.
///
/// Where something is wrong, the errors come with as much of the item as keeps its users compiling.
pub(crate) fn expand(kind: Kind, attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut args = Args::parse(kind, attr, &mut errors);
    let function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.add(not_a_function(kind, error, item.clone()));
            let errors = errors.into_tokens();
            return quote!(#errors #item);
        }
    };
    let mut signature_errors = Errors::default();
    let mut signature = Signature::read(kind, &function.sig, &mut signature_errors);
    join(kind, &mut args, &mut signature, &mut errors);
    let (errors, signature_errors) = (errors.into_tokens(), signature_errors.into_tokens());
    if !signature_errors.is_empty() {
        // No run can be made of it, but its name stays.
        return quote!(#errors #signature_errors #item);
    }
    let expansion = Expansion {
        kind,
        args: &args,
        signature: &signature,
        function: &function,
        attributes: Attributes::sort(&function.attributes),
    };
    let expansion = expansion.tokens();
    quote!(#errors #expansion)
}

/// All that the generated code is made from.
struct Expansion<'a> {
    kind: Kind,
    args: &'a Args,
    signature: &'a Signature,
    function: &'a Function,
    attributes: Attributes,
}

impl Expansion<'_> {
    fn tokens(&self) -> TokenStream {
        let object = &self.attributes.object;
        let vis = &self.function.visibility;
        let ident = &self.function.sig.ident;
        // With the user's spans throughout: a lint about the item looks as it would on the function.
        let keyword = Ident::new("struct", self.function.sig.fn_token.span);
        let end = quote_spanned!(ident.span()=> ;);
        let import = self.import();
        let shape = self.checked_shape();
        let returns = &self.signature.returns;
        let body = self.body();
        let methods = self.methods();
        let deref = self.deref();
        let runnable = self.runnable();
        let registration = self.registration();
        quote! {
            #(#object)*
            #[allow(non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #vis #keyword #ident #end

            const _: () = {
                #import
                #shape
                type __Output = <#returns as __flow::Parts<__SHAPE>>::Output;
                #body
                #methods
                #deref
                #runnable
                #registration
            };
        }
    }

    /// The object's name where generated code uses it: lints about the user's uses of it stay off.
    fn object(&self) -> Ident {
        let mut object = self.function.sig.ident.clone();
        object.set_span(Span::call_site().located_at(object.span()));
        object
    }

    fn import(&self) -> TokenStream {
        if let Some(path) = &self.args.krate {
            quote!(use #path::__private as __flow;)
        } else {
            let path = quote!(::flowcore::__private);
            quote!(use #path as __flow;)
        }
    }

    /// The shape of the return type, and on the way to it all that must hold of the user's types, asked for where those
    /// types stand. Where it doesn't hold the constant is in error, and so is every type made with it: the compiler tells
    /// what is wrong there once, and of nothing that follows from it.
    fn checked_shape(&self) -> TokenStream {
        let mut checks = Vec::new();
        let durable = self.args.durable.is_some();
        for parameter in &self.signature.parameters {
            let owned = parameter.owned();
            let span = parameter.written.span();
            checks.push(quote_spanned!(span=> __flow::assert_parameter::<#owned>()));
            if self.args.retries.is_some() {
                checks.push(quote_spanned!(span=> __flow::assert_retryable::<#owned>()));
            }
            if let Some(lent) = &parameter.lent
                && self.signature.is_async
            {
                checks.push(quote_spanned!(span=> __flow::assert_lendable::<#lent>()));
            }
            if durable {
                checks.push(quote_spanned!(span=> __flow::assert_replayable::<#owned>()));
            }
        }
        let returns = &self.signature.returns;
        let span = returns.span();
        let shape = quote_spanned!(span=> { __flow::shape!(#returns) });
        if durable {
            checks.push(quote_spanned!(span=>
                __flow::assert_replayable::<<#returns as __flow::Parts<#shape>>::Output>()
            ));
        }
        let returned = quote_spanned!(span=> __flow::returned::<#returns, #shape>());
        quote!(const __SHAPE: ::core::primitive::u8 = #(#checks +)* #returned;)
    }

    /// The body as it is. As an associated function it leaves the name to the run object, inside of it too.
    fn body(&self) -> TokenStream {
        let attributes = &self.attributes.body;
        let mut sig = self.function.sig.clone();
        sig.ident = self.body_name();
        let body = &self.function.body;
        quote! {
            struct __Body;
            impl __Body {
                #(#attributes)*
                #sig #body
            }
        }
    }

    /// The underscores keep the compiler from telling of an unused function twice, of the object and of its body. But where
    /// another macro is to come over the body it may use the name, as `tracing::instrument` does.
    fn body_name(&self) -> Ident {
        let object = self.object();
        if self.attributes.rewritten {
            return object;
        }
        Ident::new(&format!("__{}", object.unraw()), object.span())
    }

    /// The name that the function bears in the registry, and its own.
    fn names(&self) -> (TokenStream, String) {
        let ident = self.function.sig.ident.unraw().to_string();
        let name = self.args.name.as_ref();
        let name = name.map_or_else(|| quote!(#ident), ToTokens::to_token_stream);
        (name, ident)
    }
}
