//! The ways to call a run object: `submit`, `bind`, `map`, and the plain call through `Deref`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::Expansion;
use crate::signature::Parameter;

impl Expansion<'_> {
    fn variables(&self) -> Vec<&Ident> {
        let parameters = self.signature.parameters.iter();
        parameters.map(|parameter| &parameter.variable).collect()
    }

    pub(super) fn methods(&self) -> TokenStream {
        let generated = &self.attributes.generated;
        let object = self.object();
        let arguments = self.signature.parameters.iter();
        let arguments: Vec<&Ident> = arguments.map(|parameter| &parameter.argument).collect();
        let owned: Vec<TokenStream> = self.signature.owned();
        let word = self.kind.word();
        let submit = format!(" Starts a run of this {word} and returns its future at once.");
        let bind = format!(" Prepares a run of this {word} that isn't started yet.");
        let map = format!(" Starts one run of this {word} per item.");
        // `self` comes on top of what the user wrote, and clippy counts it.
        let many = (arguments.len() >= 7).then(|| quote!(#[allow(clippy::too_many_arguments)]));
        quote! {
            #(#generated)*
            #many
            impl #object {
                #[doc = #submit]
                pub fn submit(self #(, #arguments: impl __flow::IntoInput<#owned>)*) -> __flow::RunFuture<__Output> {
                    __flow::submit::<Self>((#(__flow::IntoInput::into_input(#arguments),)*))
                }
                #[doc = #bind]
                pub fn bind(self #(, #arguments: impl __flow::IntoInput<#owned>)*) -> __flow::Call<__Output> {
                    __flow::bind::<Self>((#(__flow::IntoInput::into_input(#arguments),)*))
                }
                #[doc = #map]
                pub fn map(self, items: impl __flow::Items<Self>) -> __flow::RunFutures<__Output> {
                    __flow::map::<Self, _>(items)
                }
            }
        }
    }

    /// What makes the object callable.
    pub(super) fn deref(&self) -> TokenStream {
        let generated = &self.attributes.generated;
        let object = self.object();
        let variables = self.variables();
        let parameters = &self.signature.parameters;
        let written = parameters.iter().map(|parameter| &parameter.written);
        let (returns, call) = if self.signature.is_async {
            let owned = parameters.iter().map(Parameter::own);
            let call = quote!(__flow::prepare(#object, (#(#owned,)*)));
            (quote!(__flow::Call<__Output>), call)
        } else {
            (quote!(__flow::Result<__Output>), self.direct())
        };
        // An error about the types that it makes public underlines the function's name.
        let target = quote_spanned!(object.span()=> type Target = fn(#(#written),*) -> #returns;);
        quote! {
            #(#generated)*
            impl ::core::ops::Deref for #object {
                #target
                fn deref(&self) -> &Self::Target {
                    &((|#(#variables),*| #call) as Self::Target)
                }
            }
        }
    }

    /// A direct call of a sync function.
    fn direct(&self) -> TokenStream {
        let object = self.object();
        let variables = self.variables();
        let borrows = self
            .signature
            .parameters
            .iter()
            .any(|parameter| parameter.lent.is_some());
        if borrows {
            self.in_place()
        } else {
            quote!(__flow::direct(#object, (#(#variables,)*)))
        }
    }

    /// A direct call of a sync function on the caller's own borrows.
    fn in_place(&self) -> TokenStream {
        let object = self.object();
        let (recorder, last) = (format_ident!("__recorder"), format_ident!("__last"));
        let mut held = Vec::new();
        let mut record = Vec::new();
        let mut arguments = Vec::new();
        for (position, parameter) in self.signature.parameters.iter().enumerate() {
            let variable = &parameter.variable;
            if parameter.lent.is_some() {
                arguments.push(quote!(#variable));
                record.push(parameter.record(&recorder, &quote!(#variable)));
            } else {
                let index = syn::Index::from(position);
                held.push(quote! {
                    let #variable = __flow::Held::new(#variable, <Self as __flow::Runnable>::PARAMS.#index.clone);
                });
                arguments.push(quote!(#variable.take(#last)));
                record.push(parameter.record(&recorder, &quote!(&#variable.get())));
            }
        }
        let value = |parameter: &Parameter| {
            let variable = &parameter.variable;
            match parameter.lent {
                Some(_) => variable.to_token_stream(),
                None => quote!(*#variable.get()),
            }
        };
        if let Some(run_name) = self.run_name(value) {
            record.push(quote!(#recorder.run_name(#run_name)));
        }
        let record = match &record[..] {
            [one] => one.clone(),
            several => quote!({ #(#several;)* }),
        };
        let last = if held.is_empty() { format_ident!("_") } else { last };
        let outcome = self.outcome(&quote!(#(#arguments),*));
        let call = quote!(__flow::in_place(#object, |#recorder| #record, |#last| #outcome));
        if held.is_empty() {
            call
        } else {
            quote!({ #(#held)* #call })
        }
    }

    /// The body's call.
    pub(super) fn body_call(&self, arguments: &TokenStream) -> TokenStream {
        let name = self.body_name();
        quote!(__Body::#name(#arguments))
    }

    /// The body's call, and its value sorted into result and error.
    pub(super) fn outcome(&self, arguments: &TokenStream) -> TokenStream {
        let call = self.body_call(arguments);
        let dot_await = self.signature.is_async.then(|| quote!(.await));
        quote!(__flow::outcome::<__SHAPE, _>(#call #dot_await))
    }

    /// The run name, with a parameter's value as `value` tells.
    pub(super) fn run_name(&self, value: impl Fn(&Parameter) -> TokenStream) -> Option<TokenStream> {
        let run_name = self.args.run_name.as_ref()?;
        let template = &run_name.template;
        let named = run_name.parameters.iter();
        let parameters: Vec<&Parameter> = named.filter_map(|name| self.signature.parameter(name)).collect();
        let keys = parameters.iter().map(|parameter| &parameter.argument);
        let values = parameters.iter().map(|parameter| value(parameter));
        Some(quote!(::std::format!(#template #(, #keys = #values)*)))
    }
}
