//! What stands between the parentheses of `#[flow(…)]` and `#[task(…)]`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, Ident, LitStr, Path, Result, Token};

use crate::errors::{Errors, hint, list};
use crate::options::{Kind, example};
use crate::run_name::RunName;
use crate::values::{self, Zero};
use crate::{closures, texts};

/// The options given, checked as far as they can be without the function.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    pub(crate) description: Option<Expr>,
    pub(crate) version: Option<Expr>,
    pub(crate) key: Option<Expr>,
    pub(crate) tags: Vec<Expr>,
    pub(crate) run_name: Option<RunName>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) skip_result: Option<Span>,
    pub(crate) durable: Option<Span>,
    pub(crate) replay: Option<Replay>,
    /// Where the attribute asks for retries, which need parameters that can be cloned.
    pub(crate) retries: Option<Span>,
    /// The calls that set the options known at run time only: `retries(3)`.
    pub(crate) calls: Vec<TokenStream>,
    pub(crate) krate: Option<Path>,
}

/// How a durable flow is resumed.
pub(crate) struct Replay {
    pub(crate) span: Span,
    pub(crate) strict: bool,
}

impl Args {
    /// Reads the options; what is wrong goes to `errors`, and the rest is still read.
    pub(crate) fn parse(kind: Kind, tokens: TokenStream, errors: &mut Errors) -> Args {
        let mut args = Args::default();
        let everything = |input: ParseStream<'_>| {
            args.read_all(kind, input, errors);
            Ok(())
        };
        if let Err(error) = everything.parse2(tokens) {
            errors.add(error);
        }
        args
    }

    fn read_all(&mut self, kind: Kind, input: ParseStream<'_>, errors: &mut Errors) {
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            if let Err(error) = self.read_one(kind, input, &mut seen) {
                errors.add(error);
                skip_to_comma(input);
            } else if !input.is_empty() && !input.peek(Token![,]) {
                errors.add(input.error("expected a `,` between two options"));
                skip_to_comma(input);
            }
            // An absent comma is the end: `skip_to_comma` stops nowhere else.
            let _: Option<Token![,]> = input.parse().ok();
        }
    }

    fn read_one(&mut self, kind: Kind, input: ParseStream<'_>, seen: &mut Vec<Ident>) -> Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(not_an_option(kind, input));
        }
        let option = Ident::parse_any(input)?;
        let name = option.unraw().to_string();
        if !kind.options().contains(&name.as_str()) {
            let error = unknown(kind, &option, &name);
            discard_value(input);
            return Err(error);
        }
        if seen.contains(&option) {
            discard_value(input);
            return Err(Error::new(
                option.span(),
                format!("`{name}` is given twice: keep one of the two"),
            ));
        }
        seen.push(option.clone());
        self.read_value(kind, &option, &name, input)
    }

    fn read_value(&mut self, kind: Kind, option: &Ident, name: &str, input: ParseStream<'_>) -> Result<()> {
        match name {
            "skip" => self.skip = skipped(option, input)?,
            "skip_result" => self.skip_result = flag(option, name, input)?,
            "durable" => self.durable = flag(option, name, input)?,
            "crate" => {
                equals(option, name, input)?;
                self.krate = Some(input.call(Path::parse_mod_style).map_err(|error| {
                    Error::new(
                        error.span(),
                        format!(
                            "`crate` takes the path at which this crate finds flowcore: write `{}`",
                            example(name)
                        ),
                    )
                })?);
            }
            _ => {
                equals(option, name, input)?;
                let value: Expr = input.parse()?;
                self.set(kind, option, name, value)?;
            }
        }
        Ok(())
    }

    fn set(&mut self, kind: Kind, option: &Ident, name: &str, value: Expr) -> Result<()> {
        let value = closures::typed(name, value);
        match name {
            "name" => self.name = Some(texts::object_name(kind, &value)?),
            "description" | "version" | "key" => {
                texts::text(name, &value)?;
                match name {
                    "description" => self.description = Some(value),
                    "version" => self.version = Some(value),
                    _ => self.key = Some(value),
                }
            }
            "tags" => self.tags = texts::tags(value)?,
            "replay" => {
                self.replay = Some(Replay {
                    span: option.span(),
                    strict: texts::choice(name, &value, &["strict", "lenient"])? == "strict",
                });
            }
            "run_name" => self.run_name = Some(RunName::read(&value)?),
            "retries" => {
                values::count(name, &value)?;
                if !values::is_zero(&value) {
                    self.retries = Some(option.span());
                }
                self.call(option, "retries", &value);
            }
            "retry_delay_seconds" => {
                self.call(option, "retry_delay", values::delays(name, &value)?);
            }
            "retry_jitter_factor" => self.call(option, name, values::factor(name, &value)?),
            "retry_condition_fn" => {
                values::function(name, &value)?;
                self.call(option, "retry_condition", &value);
            }
            "timeout_seconds" => {
                let seconds = values::seconds(name, &value, Zero::Refused)?;
                self.call(option, "timeout", seconds);
            }
            "cache_expiration" => {
                let seconds = values::seconds(name, &value, Zero::Refused)?;
                self.call(option, name, seconds);
            }
            "cache_key_fn" => {
                values::function(name, &value)?;
                self.call(option, name, &value);
            }
            "task_runner" => {
                values::runner(name, &value)?;
                self.call(option, name, quote!(|| __flow::runner(#value)));
            }
            _ => {
                for hook in hooks(value) {
                    let hook = closures::typed(name, hook);
                    values::function(name, &hook)?;
                    self.call(option, name, &hook);
                }
            }
        }
        Ok(())
    }

    /// Sets an option at run time. The method has the option's span, the value its own: an error lands on either.
    fn call(&mut self, option: &Ident, method: &str, value: impl ToTokens) {
        let method = Ident::new(method, Span::call_site().located_at(option.span()));
        self.calls.push(quote!(#method(#value)));
    }
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        // A token tree always parses where there is one.
        let _: Option<TokenTree> = input.parse().ok();
    }
}

/// Passes over the value of an option that isn't used, a closure's commas included.
fn discard_value(input: ParseStream<'_>) {
    if input.peek(Token![=]) && !input.peek(Token![==]) {
        let _: Option<Token![=]> = input.parse().ok();
        let ahead = input.fork();
        if ahead.parse::<Expr>().is_ok() {
            let _: Option<Expr> = input.parse().ok();
        }
    }
    skip_to_comma(input);
}

fn not_an_option(kind: Kind, input: ParseStream<'_>) -> Error {
    match input.fork().parse::<LitStr>() {
        Ok(text) => input.error(format!(
            "a string alone says nothing: write `name = {}`",
            text.to_token_stream()
        )),
        Err(_) => input.error(format!(
            "expected an option of `#[{}]`, as in `retries = 3`",
            kind.word()
        )),
    }
}

fn unknown(kind: Kind, option: &Ident, name: &str) -> Error {
    let (word, other) = (kind.word(), kind.other());
    let message = if other.own_options().contains(&name) {
        let instead = match name {
            "task_runner" => ": a runner belongs to the flow that calls the task",
            "durable" | "replay" => ": write it on the flow that calls the task",
            _ => ": write it on the tasks that the flow calls",
        };
        format!(
            "`{name}` is an option of `#[{}]`, not of `#[{word}]`{instead}",
            other.word()
        )
    } else {
        let valid = kind.options();
        format!(
            "`#[{word}]` has no option `{name}`{}\nvalid options: {}",
            hint(name, &valid),
            list(&valid)
        )
    };
    Error::new(option.span(), message)
}

fn equals(option: &Ident, name: &str, input: ParseStream<'_>) -> Result<()> {
    if input.peek(Token![=]) && !input.peek(Token![==]) {
        let equals: Token![=] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(Error::new(
                equals.span,
                format!("`{name}` lacks its value: write `{}`", example(name)),
            ));
        }
        return Ok(());
    }
    Err(Error::new(
        option.span(),
        format!("`{name}` takes a value: write `{}`", example(name)),
    ))
}

/// `durable`, `durable = true` or `durable = false`.
fn flag(option: &Ident, name: &str, input: ParseStream<'_>) -> Result<Option<Span>> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(Some(option.span()));
    }
    let wrong = |tokens: TokenStream| {
        Error::new_spanned(
            tokens,
            format!("`{name}` is on or off: write `{name}` alone, or `{name} = false`"),
        )
    };
    if !input.peek(Token![=]) {
        return Err(wrong(input.fork().parse()?));
    }
    let _: Token![=] = input.parse()?;
    let value: Expr = input.parse()?;
    match values::boolean(&value) {
        Some(value) => Ok(value.value.then(|| option.span())),
        None => Err(wrong(value.to_token_stream())),
    }
}

fn skipped(option: &Ident, input: ParseStream<'_>) -> Result<Vec<Ident>> {
    let usage = "`skip` lists parameters to keep out of the record: write `skip(password)`";
    if !input.peek(syn::token::Paren) {
        return Err(Error::new(option.span(), usage));
    }
    let content;
    let parens = syn::parenthesized!(content in input);
    let names = content.parse_terminated(Ident::parse_any, Token![,]);
    // What is left of it after an error would be another error.
    let _: TokenStream = content.parse()?;
    let names = names.map_err(|error| Error::new(error.span(), usage))?;
    if names.is_empty() {
        return Err(Error::new(parens.span.join(), usage));
    }
    let mut unique: Vec<Ident> = Vec::new();
    for name in names {
        if unique.contains(&name) {
            return Err(Error::new(
                name.span(),
                format!("`{name}` is skipped twice: keep one of the two"),
            ));
        }
        unique.push(name);
    }
    Ok(unique)
}

fn hooks(value: Expr) -> Vec<Expr> {
    match value {
        Expr::Array(array) => array.elems.into_iter().collect(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, options: &str) -> (Args, Vec<String>) {
        let mut errors = Errors::default();
        let tokens = options.parse().unwrap();
        let args = Args::parse(kind, tokens, &mut errors);
        (args, errors.messages())
    }

    /// Whether the first lines of the messages begin so, one by one.
    fn told(kind: Kind, options: &str, expected: &[&str]) {
        let (_, messages) = read(kind, options);
        let matches = messages.len() == expected.len()
            && messages
                .iter()
                .zip(expected)
                .all(|(message, start)| message.starts_with(start));
        assert!(matches, "{options}: {messages:#?}");
    }

    #[test]
    fn options_are_read_in_any_order_with_or_without_a_last_comma() {
        let (args, messages) = read(
            Kind::Task,
            "key = \"k\", retries = 3, skip(a, r#type), name = \"n\", tags = [\"x\", Y], skip_result,",
        );
        assert!(messages.is_empty(), "{messages:?}");
        assert_eq!(args.name.unwrap().value(), "n");
        assert!(args.key.is_some() && args.retries.is_some() && args.skip_result.is_some());
        assert_eq!(args.skip, ["a", "r#type"]);
        assert_eq!(args.tags.len(), 2);
        let calls: Vec<String> = args.calls.iter().map(ToString::to_string).collect();
        assert_eq!(calls, ["retries (3)"]);
        assert!(read(Kind::Flow, "").1.is_empty());
    }

    #[test]
    fn flags_may_be_switched_off() {
        let durable = |options| read(Kind::Flow, options).0.durable.is_some();
        assert!(durable("durable") && durable("durable = true") && durable("durable, name = \"n\""));
        assert!(!durable("durable = false") && !durable(""));
        assert!(read(Kind::Task, "retries = 0").0.retries.is_none());
    }

    #[test]
    fn a_replay_is_strict_or_lenient() {
        let strict = |options| read(Kind::Flow, options).0.replay.map(|replay| replay.strict);
        assert_eq!(strict("durable, replay = \"strict\""), Some(true));
        assert_eq!(strict("replay = \"lenient\", durable"), Some(false));
        assert_eq!(strict("durable"), None);
        told(
            Kind::Flow,
            "replay = \"loose\"",
            &["`replay` is one of `\"strict\"`, `\"lenient\"`"],
        );
        told(Kind::Flow, "replay = strict", &["`replay` is one of"]);
        told(
            Kind::Flow,
            "replay",
            &["`replay` takes a value: write `replay = \"strict\"`"],
        );
        told(
            Kind::Task,
            "replay = \"strict\"",
            &["`replay` is an option of `#[flow]`, not of `#[task]`: write it on"],
        );
        told(
            Kind::Flow,
            "strict",
            &["`#[flow]` has no option `strict`, did you mean `replay`?"],
        );
    }

    #[test]
    fn hooks_are_one_or_several() {
        let calls = |options| read(Kind::Flow, options).0.calls.len();
        assert_eq!(calls("on_failure = notify"), 1);
        assert_eq!(calls("on_failure = [notify, |run, state| f(run, state)]"), 2);
        assert_eq!(calls("on_failure = []"), 0);
    }

    #[test]
    fn each_wrong_option_is_told_and_the_rest_still_read() {
        told(
            Kind::Task,
            "retires = |a, b| (a, b), name = \"\", retries = -1, \"x\", timeout_seconds = 3",
            &[
                "`#[task]` has no option `retires`, did you mean `retries`?",
                "a task's name can't be empty",
                "`retries` can't be negative",
                "a string alone says nothing: write `name = \"x\"`",
            ],
        );
        let (args, _) = read(Kind::Task, "retires = 3, name = 1, version = \"2\"");
        assert!(args.version.is_some());
    }

    #[test]
    fn syntax_errors_say_what_to_write() {
        for (options, message) in [
            ("retries", "`retries` takes a value: write `retries = 3`"),
            ("retries: 3", "`retries` takes a value"),
            ("retries == 3", "`retries` takes a value"),
            ("retries =", "`retries` lacks its value"),
            ("retries = ,", "`retries` lacks its value"),
            ("retries = 3 name = \"n\"", "expected a `,` between two options"),
            ("3", "expected an option of `#[task]`"),
            ("skip", "`skip` lists parameters"),
            ("skip()", "`skip` lists parameters"),
            ("skip(\"a\")", "`skip` lists parameters"),
            ("skip(a, a)", "`a` is skipped twice"),
            ("skip_result = 1", "`skip_result` is on or off"),
            ("crate = \"x\"", "`crate` takes the path"),
            ("retries = 1, retries = 2", "`retries` is given twice"),
            ("durable", "`durable` is an option of `#[flow]`, not of `#[task]`"),
            (
                "nonsense(1, 2)",
                "`#[task]` has no option `nonsense`\nvalid options: `name`",
            ),
        ] {
            told(Kind::Task, options, &[message]);
        }
        told(
            Kind::Flow,
            "key = \"k\"",
            &["`key` is an option of `#[task]`, not of `#[flow]`: write it on the tasks"],
        );
    }
}
