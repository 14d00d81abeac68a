//! `retry`: the same again, as a new run.

use clap::Args;
use serde_json::Value;

use super::super::failure::{Exit, Failure, Outcome};
use super::super::pick;
use super::super::shell::Shell;
use super::run::{self, How};
use super::runs;
use crate::client::Client;
use crate::definition::Definition;
use crate::registry;
use crate::store::RunRow;

/// The marks that stand in a record for what isn't in it.
const MARKS: [&str; 4] = ["$type", "$skipped", "$cut", "$error"];

/// Starts a new run with the parameters of an old one, and prints its result.
#[derive(Args)]
pub(in crate::cli) struct Retry {
    /// The run.
    run: String,
    #[command(flatten)]
    how: How,
}

impl Retry {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let old = pick::one(shell, &self.run)?;
        let client = shell.client()?;
        let definition = definition(&client, &old)?;
        let parameters = recorded(&old)?;
        run::submit(shell, definition, &parameters, self.how)
    }
}

/// The flow or task of that run in this program.
pub(super) fn definition(client: &Client, run: &RunRow) -> Outcome<&'static Definition> {
    let all = [registry::flows(), registry::tasks()].concat();
    if let Some(known) = all.into_iter().find(|known| known.key() == run.definition_key) {
        return Ok(known);
    }
    let processes = client.processes(true)?;
    let process = processes.into_iter().find(|process| process.number == run.process);
    let program = process
        .map(|process| process.identity.program)
        .filter(|program| !program.is_empty());
    let advice = match program {
        Some(program) => format!("it was run by {program}: use that program"),
        None => "use the program that has it".to_owned(),
    };
    let message = format!("this program has no {} '{}'; {advice}", run.kind, run.definition);
    Err(Failure::new(Exit::NotFound, message))
}

/// The parameters, if all of them were kept.
fn recorded(run: &RunRow) -> Outcome<Value> {
    let Some(text) = &run.parameters else {
        return Ok(Value::Object(serde_json::Map::new()));
    };
    let parameters: Value = serde_json::from_str(text)
        .map_err(|_| runs::refused(run, "can't be started again: its parameters were not kept whole"))?;
    let missing = missing(&parameters);
    match missing.is_empty() {
        true => Ok(parameters),
        false => {
            let missing = missing.join(", ");
            Err(runs::refused(
                run,
                &format!("can't be started again: not all of these was kept: {missing}"),
            ))
        }
    }
}

/// The parameters that a mark stands for.
fn missing(parameters: &Value) -> Vec<&str> {
    let members = parameters.as_object().into_iter().flatten();
    let is_mark = |value: &Value| {
        let object = value.as_object().filter(|object| object.len() == 1);
        object.is_some_and(|object| MARKS.iter().any(|mark| object.contains_key(*mark)))
    };
    members
        .filter(|(_, value)| is_mark(value))
        .map(|(name, _)| name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_not_kept_is_named() {
        let parameters = json!({
            "a": {"$type": "Socket"},
            "b": {"$cut": "x"},
            "c": {"$cut": "x", "more": 1},
            "d": 7,
            "e": {"$skipped": "String"},
        });
        assert_eq!(missing(&parameters), ["a", "b", "e"]);
        assert!(missing(&json!({})).is_empty());
    }
}
