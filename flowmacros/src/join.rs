//! Options that speak of the function's parameters, checked against them.

use syn::ext::IdentExt;

use crate::args::Args;
use crate::errors::{Errors, hint, list};
use crate::options::Kind;
use crate::signature::Signature;

/// Checks options against the signature, and marks the parameters they speak of.
pub(crate) fn join(kind: Kind, args: &mut Args, signature: &mut Signature, errors: &mut Errors) {
    let word = kind.word();
    skip(word, args, signature, errors);
    run_name(word, args, signature, errors);
    durable(word, args, errors);
}

fn skip(word: &str, args: &Args, signature: &mut Signature, errors: &mut Errors) {
    for skipped in &args.skip {
        let name = skipped.unraw().to_string();
        match signature.parameter_mut(&name) {
            Some(parameter) => parameter.skip = true,
            None => errors.on(skipped, unknown_parameter(word, &name, signature)),
        }
    }
}

fn run_name(word: &str, args: &mut Args, signature: &Signature, errors: &mut Errors) {
    let Some(run_name) = &args.run_name else {
        return;
    };
    let mut usable = true;
    for name in &run_name.parameters {
        let problem = match signature.parameter(name) {
            Some(parameter) if !parameter.skip => continue,
            Some(_) => format!(
                "`{name}` is skipped, and a run name would tell it: take `{{{name}}}` out of the run name, or `{name}` out of `skip(…)`"
            ),
            None => {
                let problem = unknown_parameter(word, name, signature);
                format!("in this run name, {problem}")
            }
        };
        errors.on(&run_name.template, problem);
        usable = false;
    }
    if !usable {
        args.run_name = None;
    }
}

fn durable(word: &str, args: &Args, errors: &mut Errors) {
    if args.durable.is_none() {
        if let Some(replay) = &args.replay {
            errors.at(
                replay.span,
                format!("only a durable {word} is replayed: add `durable`, or remove `replay`"),
            );
        }
        return;
    }
    for skipped in &args.skip {
        errors.on(
            skipped,
            format!("a durable {word} is replayed from its record, and `{skipped}` is kept out of it: remove `skip({skipped})`, or `durable`"),
        );
    }
    if let Some(span) = args.skip_result {
        errors.at(
            span,
            format!("a durable {word} is replayed from its record, and its result is kept out of it: remove `skip_result`, or `durable`"),
        );
    }
}

fn unknown_parameter(word: &str, name: &str, signature: &Signature) -> String {
    let names = signature.names();
    if names.is_empty() {
        return format!("there is no parameter `{name}`: the {word} has none that has a name");
    }
    format!(
        "there is no parameter `{name}`{}\nparameters: {}",
        hint(name, &names),
        list(&names)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(options: &str, sig: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let mut args = Args::parse(Kind::Flow, options.parse().unwrap(), &mut errors);
        let sig = syn::parse_str(sig).unwrap();
        let mut signature = Signature::read(Kind::Flow, &sig, &mut errors);
        join(Kind::Flow, &mut args, &mut signature, &mut errors);
        errors.messages()
    }

    #[test]
    fn options_name_parameters_that_are_there() {
        let sig = "fn f(user: u8, r#type: u8, (a, b): (u8, u8))";
        assert_eq!(told("skip(user, type), run_name = \"x\"", sig), [""; 0]);
        assert_eq!(told("run_name = \"{user}-{type}\"", sig), [""; 0]);
        for (options, message) in [
            (
                "skip(usr)",
                "there is no parameter `usr`, did you mean `user`?\nparameters: `user`, `type`",
            ),
            ("skip(arg2)", "there is no parameter `arg2`"),
            ("run_name = \"{a}\"", "in this run name, there is no parameter `a`"),
            (
                "run_name = \"{user}\", skip(user)",
                "`user` is skipped, and a run name would tell it",
            ),
            ("durable, skip(user)", "remove `skip(user)`, or `durable`"),
            ("replay = \"strict\"", "only a durable flow is replayed: add `durable`"),
            (
                "replay = \"lenient\", durable = false",
                "only a durable flow is replayed",
            ),
            ("durable, skip_result", "remove `skip_result`, or `durable`"),
        ] {
            let messages = told(options, sig);
            assert!(
                messages.len() == 1 && messages[0].contains(message),
                "{options}: {messages:#?}"
            );
        }
        let none = told("skip(x)", "fn f()");
        assert_eq!(none, ["there is no parameter `x`: the flow has none that has a name"]);
    }
}
