//! What the runtime asks of a run object: `Runnable`, with its definition, options and run name.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::Expansion;
use crate::args::Args;
use crate::options::Kind;
use crate::signature::Parameter;

impl Expansion<'_> {
    pub(super) fn runnable(&self) -> TokenStream {
        let generated = &self.attributes.generated;
        let object = self.object();
        let parameters = &self.signature.parameters;
        let variables = parameters.iter().map(|parameter| &parameter.variable);
        let types = self.types();
        let options = self.options();
        let run_name = self.run_name_method();
        let lent = parameters.iter().map(Parameter::lend);
        let arguments = quote!(#(#lent),*);
        let body = if self.signature.is_async {
            self.future(&self.outcome(&arguments))
        } else {
            let call = self.body_call(&arguments);
            quote!(__flow::ready::<__SHAPE, _>(#call))
        };
        quote! {
            #(#generated)*
            impl __flow::Runnable for #object {
                #types
                #options
                #run_name
                fn call((#(#variables,)*): Self::Params) -> __flow::Body<__Output> {
                    #body
                }
            }
        }
    }

    /// The async body as a future; what keeps it from being `Send` underlines the function's `async`.
    fn future(&self, outcome: &TokenStream) -> TokenStream {
        let span = self.function.sig.asyncness.span();
        let future = quote_spanned!(span=> ::std::boxed::Box::pin(async move { #outcome }));
        quote!(__flow::Body::Future(#future))
    }

    /// The types of the parameters and the output, and whether their values are kept out of the record.
    fn types(&self) -> TokenStream {
        let parameters = self.signature.parameters.iter().map(|parameter| {
            let (name, owned) = (&parameter.name, parameter.owned());
            let skip = parameter.skip.then(|| quote!(, skip));
            quote!(#name: #owned #skip)
        });
        let skip_result = self.args.skip_result.map(|_| quote!(, skip));
        let span = self.function.sig.ident.span();
        quote_spanned!(span=> __flow::types!(__SHAPE, (#(#parameters);*) -> __Output #skip_result);)
    }

    /// The definition, of what the attribute says where it says something, and its entry in the registry.
    pub(super) fn registration(&self) -> TokenStream {
        let Args { version, tags, key, .. } = self.args;
        let object = self.object();
        let (name, ident) = self.names();
        let kind = match self.kind {
            Kind::Flow => quote!(Flow),
            Kind::Task => quote!(Task),
        };
        let docs = &self.attributes.docs;
        let description = self.args.description.as_ref();
        let description = description.map(ToTokens::to_token_stream);
        let description = description.or_else(|| (!docs.is_empty()).then(|| quote!(#docs)));
        let description = description.map(|text| quote!(, description: #text));
        let version = version
            .as_ref()
            .map(|text| quote!(, version: ::core::option::Option::Some(#text)));
        let tags = (!tags.is_empty()).then(|| quote!(, tags: &[#(#tags),*]));
        let is_async = self.signature.is_async.then(|| quote!(, is_async: true));
        let key = key
            .as_ref()
            .map(|text| quote!(, key: ::core::option::Option::Some(#text)));
        let durable = self.args.durable.map(|_| quote!(, durable: true));
        let strict = self.args.replay.as_ref().is_some_and(|replay| replay.strict);
        let strict_replay = strict.then(|| quote!(, strict_replay: true));
        // Placed where the function's name stands, not the attribute.
        quote_spanned! {self.function.sig.ident.span()=>
            __flow::register! {
                #object, #kind, name: #name, ident: #ident
                #description #version #tags #is_async #key #durable #strict_replay
            }
        }
    }

    fn options(&self) -> Option<TokenStream> {
        let calls = &self.args.calls;
        (!calls.is_empty()).then(|| {
            quote! {
                fn options(__options: &mut __flow::Options) {
                    #(__options.#calls;)*
                }
            }
        })
    }

    fn run_name_method(&self) -> Option<TokenStream> {
        let named = &self.args.run_name.as_ref()?.parameters;
        let run_name = self.run_name(|parameter| parameter.variable.to_token_stream())?;
        let variables = self.signature.parameters.iter().map(|parameter| {
            if named.contains(&parameter.name) {
                parameter.variable.clone()
            } else {
                format_ident!("_")
            }
        });
        Some(quote! {
            fn run_name((#(#variables,)*): &Self::Params) -> ::core::option::Option<::std::string::String> {
                ::core::option::Option::Some(#run_name)
            }
        })
    }
}
