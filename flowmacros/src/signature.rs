//! The function under the attribute: what a run can and can't be made of.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{FnArg, GenericParam, Generics, Ident, Pat, PatIdent, PatType, ReturnType, Safety, Type};

use crate::errors::Errors;
use crate::options::Kind;
use crate::types::{self, Obstacle};

/// The most parameters a run takes: the runtime knows tuples up to here.
const MOST_PARAMETERS: usize = 12;

/// One parameter.
pub(crate) struct Parameter {
    /// Its name in the record: the identifier, or `arg0` for a pattern.
    pub(crate) name: String,
    /// Whether `run_name` and `skip` can name it.
    pub(crate) named: bool,
    /// The variable that holds it in generated functions. Its hygiene keeps lints about users' names off it.
    pub(crate) variable: Ident,
    /// The type as written.
    pub(crate) written: Type,
    /// `T` where the parameter is a `&T`: the run owns a `T` and lends it to the body.
    pub(crate) lent: Option<Type>,
    /// Whether its value is kept out of the record.
    pub(crate) skip: bool,
}

impl Parameter {
    fn new(position: usize, typed: &PatType, before: &[Parameter]) -> Parameter {
        let ident = match &*typed.pat {
            Pat::Ident(pattern) => Some(&pattern.ident),
            _ => None,
        };
        let mut name = ident.map_or_else(
            || format!("arg{position}"),
            |ident| ident.unraw().to_string(),
        );
        while before.iter().any(|parameter| parameter.name == name) {
            name.push('_');
        }
        let span = Span::mixed_site().located_at(typed.pat.span());
        let mut variable = ident.cloned().unwrap_or_else(|| Ident::new(&name, span));
        variable.set_span(span);
        Parameter {
            name,
            named: ident.is_some(),
            variable,
            written: (*typed.ty).clone(),
            lent: types::lent(&typed.ty).cloned(),
            skip: false,
        }
    }

    /// The type a run owns.
    pub(crate) fn owned(&self) -> TokenStream {
        let Some(lent) = &self.lent else {
            return self.written.to_token_stream();
        };
        let span = lent.span();
        if types::is_str(lent) {
            return quote_spanned!(span=> __flow::String);
        }
        match types::peeled(lent) {
            Type::Slice(slice) => {
                let item = &slice.elem;
                quote_spanned!(span=> __flow::Vec<#item>)
            }
            _ => quote_spanned!(span=> <#lent as __flow::Owned<{ __flow::sized!(#lent) }>>::Owned),
        }
    }

    /// The owned form of a variable of the written type.
    pub(crate) fn own(&self) -> TokenStream {
        let variable = &self.variable;
        match self.lent {
            Some(_) => quote!(::std::borrow::ToOwned::to_owned(#variable)),
            None => quote!(#variable),
        }
    }

    /// How the body gets it from a variable of the owned type.
    pub(crate) fn lend(&self) -> TokenStream {
        let variable = &self.variable;
        match self.lent {
            Some(_) => quote!(&#variable),
            None => quote!(#variable),
        }
    }

    /// Writes the value that `reference` refers to into the record.
    pub(crate) fn record(&self, recorder: &Ident, reference: &TokenStream) -> TokenStream {
        let name = &self.name;
        let described = self.lent.as_ref().unwrap_or(&self.written);
        if self.skip {
            let type_name = types::text(described);
            return quote!(#recorder.skip(#name, #type_name));
        }
        quote!(__flow::record!(#recorder, #name: #described, #reference))
    }
}

/// A function that a run can be made of.
pub(crate) struct Signature {
    pub(crate) parameters: Vec<Parameter>,
    /// The return type as written, `()` where there is none.
    pub(crate) returns: TokenStream,
    pub(crate) is_async: bool,
}

impl Signature {
    /// Reads the signature; what is wrong with it goes to `errors`.
    pub(crate) fn read(kind: Kind, sig: &syn::Signature, errors: &mut Errors) -> Signature {
        let word = kind.word();
        refuse_qualifiers(word, sig, errors);
        refuse_generics(word, &sig.generics, errors);
        let mut parameters = Vec::new();
        for (position, input) in sig.inputs.iter().enumerate() {
            match input {
                FnArg::Receiver(receiver) => errors.on(
                    receiver,
                    format!("a {word} can't be a method: write a free function that takes what it needs of `self` as parameters"),
                ),
                FnArg::Typed(typed) => {
                    check_pattern(word, &sig.ident, typed, errors);
                    check_parameter(word, typed, errors);
                    parameters.push(Parameter::new(position, typed, &parameters));
                }
            }
        }
        if let Some(excess) = sig.inputs.iter().nth(MOST_PARAMETERS) {
            errors.on(
                excess,
                format!(
                    "a {word} takes at most {MOST_PARAMETERS} parameters, and this has {}: put some of them into a struct",
                    sig.inputs.len()
                ),
            );
        }
        check_output(word, &sig.output, errors);
        Signature {
            parameters,
            returns: match &sig.output {
                ReturnType::Default => quote!(()),
                ReturnType::Type(_, ty) => ty.to_token_stream(),
            },
            is_async: sig.asyncness.is_some(),
        }
    }

    /// The types that a run owns.
    pub(crate) fn owned(&self) -> Vec<TokenStream> {
        self.parameters.iter().map(Parameter::owned).collect()
    }

    /// The names that `run_name` and `skip` can use.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.parameters
            .iter()
            .filter(|parameter| parameter.named)
            .map(|parameter| parameter.name.as_str())
            .collect()
    }

    /// The parameter of that name.
    pub(crate) fn parameter_mut(&mut self, name: &str) -> Option<&mut Parameter> {
        self.parameters
            .iter_mut()
            .find(|parameter| parameter.named && parameter.name == name)
    }

    /// The parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.named && parameter.name == name)
    }
}

fn refuse_qualifiers(word: &str, sig: &syn::Signature, errors: &mut Errors) {
    if sig.ident == "main" {
        errors.on(
            &sig.ident,
            format!("a {word} can't be the program's `main`: give it another name, and call it from `main`"),
        );
    }
    if let Some(token) = &sig.constness {
        errors.on(
            token,
            format!("a {word} runs at run time only: remove `const`"),
        );
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.on(
            token,
            format!("a {word} is called by the runtime, which can't promise what `unsafe` asks for: write a safe function around it"),
        );
    }
    if let Some(abi) = &sig.abi {
        errors.on(abi, format!("a {word} is a Rust function: remove `extern`, or call the extern function from a {word}"));
    }
    if let Some(variadic) = &sig.variadic {
        errors.on(
            variadic,
            format!("a {word} has a fixed number of parameters: take a `Vec` instead of `...`"),
        );
    }
}

fn refuse_generics(word: &str, generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        match parameter {
            GenericParam::Type(parameter) => errors.on(
                &parameter.ident,
                format!("a {word} is one registered function and can't be generic: write the type itself, or call a generic function from a {word} per type"),
            ),
            GenericParam::Const(parameter) => errors.on(
                &parameter.ident,
                format!("a {word} is one registered function and can't be generic: take `{}` as an ordinary parameter", parameter.ident),
            ),
            GenericParam::Lifetime(parameter) => errors.on(
                &parameter.lifetime,
                format!("a {word} can't name a lifetime, as a run owns its parameters: remove `{0}`, and write `&T` for `&{0} T`", parameter.lifetime),
            ),
        }
    }
    if let Some(clause) = &generics.where_clause
        && generics.params.is_empty()
    {
        errors.on(
            clause,
            format!("a {word} can't be generic: remove the `where` clause"),
        );
    }
}

/// A name that both a variable and the run object bear means the object, to a pattern too.
fn check_pattern(word: &str, function: &Ident, typed: &PatType, errors: &mut Errors) {
    struct Named<'a>(&'a Ident, Option<Ident>);
    impl Visit<'_> for Named<'_> {
        fn visit_pat_ident(&mut self, node: &PatIdent) {
            if node.ident.unraw() == self.0.unraw() {
                self.1 = Some(node.ident.clone());
            }
            visit::visit_pat_ident(self, node);
        }
    }
    let mut named = Named(function, None);
    named.visit_pat(&typed.pat);
    if let Some(ident) = named.1 {
        errors.on(
            &ident,
            format!("a parameter can't bear the name of its {word}, which means the {word} itself here: rename one of the two"),
        );
    }
}

fn check_parameter(word: &str, typed: &PatType, errors: &mut Errors) {
    if let Some(attribute) = typed
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("cfg"))
    {
        errors.on(attribute, format!("a {word}'s parameters can't depend on `cfg`: write the whole function twice, each under its `cfg`"));
    }
    let ty = &*typed.ty;
    let inside = types::lent(ty).unwrap_or(ty);
    if let Type::Reference(reference) = types::peeled(ty)
        && reference.mutability.is_some()
    {
        errors.on(
            ty,
            format!(
                "a {word} can't change its caller's value, as it may run elsewhere and more than once: take `{0}` by value and return it",
                types::text(&reference.elem)
            ),
        );
        return;
    }
    if types::lent(ty).is_some() && matches!(types::peeled(inside), Type::TraitObject(_)) {
        let object = types::text(inside);
        errors.on(ty, format!("a {word} must own its parameters, and a `{object}` has no owned form: take a `Box<{object} + Send>`"));
        return;
    }
    match types::obstacle(inside) {
        Some(Obstacle::ImplTrait(span)) => errors.at(
            span,
            format!("a {word} can't be generic, and `impl Trait` makes it so: write the type itself, or a `Box<dyn Trait + Send>`"),
        ),
        Some(Obstacle::Borrow(span)) => errors.at(
            span,
            format!(
                "a {word} must own its parameters, and this borrows inside of one: take `{}`",
                types::owned_text(inside)
            ),
        ),
        None => {}
    }
}

fn check_output(word: &str, output: &ReturnType, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = output else {
        return;
    };
    if let Type::Never(never) = types::peeled(ty) {
        errors.on(
            never,
            format!("a {word} that never returns has no end to record: return `()`, or a `Result`"),
        );
        return;
    }
    match types::obstacle(ty) {
        Some(Obstacle::ImplTrait(span)) => errors.at(
            span,
            format!("a {word}'s output is a type that can be named: return the type itself, or a `Box<dyn Trait + Send>`"),
        ),
        Some(Obstacle::Borrow(span)) => errors.at(
            span,
            format!("a {word}'s output outlives its parameters and can't borrow from them: return `{}`", types::owned_text(ty)),
        ),
        None => {}
    }
}
