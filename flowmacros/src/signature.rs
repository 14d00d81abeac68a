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
    /// Its name in the methods that users see. Its hygiene keeps lints about users' names off it.
    pub(crate) argument: Ident,
    /// The variable that holds it elsewhere in generated code: a user's name might mean a run object there.
    pub(crate) variable: Ident,
    /// The type as written.
    pub(crate) written: Type,
    /// `T` where the parameter is a `&T`: the run owns a `T` and lends it to the body.
    pub(crate) lent: Option<Type>,
    /// Whether its value is kept out of the record.
    pub(crate) skip: bool,
}

impl Parameter {
    /// `taken` are the names that users gave to parameters.
    fn new(position: usize, typed: &PatType, taken: &[String]) -> Parameter {
        let span = Span::mixed_site().located_at(typed.pat.span());
        let (name, mut argument) = if let Some(ident) = identifier(typed) {
            (ident.unraw().to_string(), ident.clone())
        } else {
            let mut name = format!("arg{position}");
            while taken.contains(&name) {
                name.push('_');
            }
            let argument = Ident::new(&name, span);
            (name, argument)
        };
        argument.set_span(span);
        Parameter {
            name,
            named: identifier(typed).is_some(),
            argument,
            variable: Ident::new(&format!("__{position}"), span),
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
        match &self.lent {
            Some(lent) => quote!(__flow::own::<__flow::Checked<#lent, __SHAPE>>(#variable)),
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
            return quote!(#recorder.skip(#name, ::core::any::type_name::<#described>()));
        }
        quote!(__flow::record!(#recorder, #name: #described, #reference))
    }
}

/// The identifier that a parameter's pattern is, if it is one.
fn identifier(typed: &PatType) -> Option<&Ident> {
    match &*typed.pat {
        Pat::Ident(pattern) => Some(&pattern.ident),
        _ => None,
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
        let taken: Vec<String> = sig
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Typed(typed) => identifier(typed).map(|ident| ident.unraw().to_string()),
                FnArg::Receiver(_) => None,
            })
            .collect();
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
                    parameters.push(Parameter::new(position, typed, &taken));
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
        errors.on(token, format!("a {word} runs at run time only: remove `const`"));
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.on(
            token,
            format!("a {word} is called by the runtime, which can't promise what `unsafe` asks for: write a safe function around it"),
        );
    }
    if let Some(abi) = &sig.abi {
        errors.on(
            abi,
            format!("a {word} is a Rust function: remove `extern`, or call the extern function from a {word}"),
        );
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
        errors.on(clause, format!("a {word} can't be generic: remove the `where` clause"));
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
    if let Some(attribute) = typed.attrs.iter().find(|attribute| attribute.path().is_ident("cfg")) {
        errors.on(
            attribute,
            format!(
                "a {word}'s parameters can't depend on `cfg`: write the whole function twice, each under its `cfg`"
            ),
        );
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
        errors.on(
            ty,
            format!(
                "a {word} must own its parameters, and a `{object}` has no owned form: take a `Box<{object} + Send>`"
            ),
        );
        return;
    }
    match types::obstacle(inside) {
        Some(Obstacle::ImplTrait(tokens)) => errors.on(
            tokens,
            format!("a {word} can't be generic, and `impl Trait` makes it so: write the type itself, or a `Box<dyn Trait + Send>`"),
        ),
        Some(Obstacle::Borrow(tokens)) => errors.on(
            tokens,
            format!(
                "a {word} must own its parameters, and this borrows inside of one: take `{}`",
                types::owned_text(ty)
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
        Some(Obstacle::ImplTrait(tokens)) => errors.on(
            tokens,
            format!(
                "a {word}'s output is a type that can be named: return the type itself, or a `Box<dyn Trait + Send>`"
            ),
        ),
        Some(Obstacle::Borrow(tokens)) => errors.on(
            tokens,
            format!(
                "a {word}'s output outlives its parameters and can't borrow from them: return `{}`",
                types::owned_text(ty)
            ),
        ),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sig: &str) -> (Signature, Vec<String>) {
        let mut errors = Errors::default();
        let sig = syn::parse_str(sig).unwrap();
        let signature = Signature::read(Kind::Task, &sig, &mut errors);
        (signature, errors.messages())
    }

    #[test]
    fn parameters_have_names_of_their_own() {
        let (signature, messages) = read("fn f(arg1: u8, (a, b): (u8, u8), r#type: u8, _: u8, mut c: u8)");
        assert!(messages.is_empty(), "{messages:?}");
        let parameters = &signature.parameters;
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(names, ["arg1", "arg1_", "type", "arg3", "c"]);
        assert_eq!(signature.names(), ["arg1", "type", "c"]);
    }

    #[test]
    fn borrowed_parameters_are_owned() {
        let (signature, _) = read("async fn f(a: &str, b: &[u8], c: &Path, d: &'static str, e: u8, g: &(str))");
        let owned: Vec<String> = signature.owned().iter().map(ToString::to_string).collect();
        assert_eq!(owned[..2], ["__flow :: String", "__flow :: Vec < u8 >"]);
        assert!(owned[2].contains("Owned"));
        assert_eq!(owned[3..], ["& 'static str", "u8", "__flow :: String"]);
        assert!(signature.is_async);
    }

    #[test]
    fn what_no_run_can_be_made_of_is_refused() {
        for (sig, message) in [
            ("const fn f()", "remove `const`"),
            ("unsafe fn f()", "write a safe function around it"),
            ("extern \"C\" fn f()", "remove `extern`"),
            ("fn main()", "can't be the program's `main`"),
            ("fn f<T>(x: T)", "can't be generic: write the type itself"),
            ("fn f<const N: usize>()", "take `N` as an ordinary parameter"),
            ("fn f<'a>(x: &'a str)", "remove `'a`, and write `&T` for `&'a T`"),
            ("fn f() where u8: Copy", "remove the `where` clause"),
            ("fn f(&self)", "can't be a method"),
            ("fn f(self: Box<Self>)", "can't be a method"),
            ("fn f(f: u8)", "can't bear the name of its task"),
            ("fn f((a, [f, ..]): (u8, [u8; 2]))", "can't bear the name of its task"),
            ("fn f(#[cfg(x)] a: u8)", "can't depend on `cfg`"),
            ("fn f(a: &mut Vec<u8>)", "take `Vec<u8>` by value and return it"),
            ("fn f(a: &dyn Debug)", "take a `Box<dyn Debug + Send>`"),
            (
                "fn f(a: impl Debug)",
                "write the type itself, or a `Box<dyn Trait + Send>`",
            ),
            ("fn f(a: Vec<impl Debug>)", "write the type itself"),
            ("fn f(a: Option<&str>)", "take `Option<String>`"),
            ("fn f(a: &[&[u8]])", "take `Vec<Vec<u8>>`"),
            ("fn f(a: Cow<'_, str>)", "take `Cow<'static, str>`"),
            (
                "fn f(a: Box<dyn Fn() -> u8 + '_>)",
                "take `Box<dyn Fn() -> u8 + 'static>`",
            ),
            ("fn f() -> &str", "return `String`"),
            ("fn f() -> Result<&Path, E>", "return `Result<Path, E>`"),
            ("fn f() -> impl Debug", "return the type itself"),
            ("fn f() -> !", "return `()`, or a `Result`"),
        ] {
            let (_, messages) = read(sig);
            assert!(
                messages.len() == 1 && messages[0].contains(message),
                "{sig}: {messages:#?}"
            );
        }
    }

    #[test]
    fn what_only_looks_borrowed_is_fine() {
        for sig in [
            "fn f(a: &'static str, b: Cow<'static, str>)",
            "fn f(a: fn(&str) -> &str, b: Box<dyn Fn(&str) -> bool + Send>)",
            "fn f(a: Box<dyn for<'a> Visit<'a> + Send>)",
            "fn f(a: [u8; size_of::<&str>()])",
            "fn f(a: &(dyn Fn() + Send))",
        ] {
            let (_, messages) = read(sig);
            let fine = messages.is_empty() || sig.contains("(dyn");
            assert!(fine, "{sig}: {messages:#?}");
        }
    }
}
