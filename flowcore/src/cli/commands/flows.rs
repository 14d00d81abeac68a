//! `flows` and `tasks`: what the program has.

use clap::Args;

use super::super::failure::{Exit, Failure, Outcome};
use super::super::json::DefinitionJson;
use super::super::shell::Shell;
use super::super::style::Paint;
use super::super::table::{Cell, Table};
use super::super::types;
use crate::definition::Definition;
use crate::registry;

/// The flows of this program, with their parameters.
#[derive(Args)]
pub(in crate::cli) struct Flows {
    /// Only that one, with all there is to tell of it.
    name: Option<String>,
}

/// The tasks of this program, with their parameters.
#[derive(Args)]
pub(in crate::cli) struct Tasks {
    /// Only that one, with all there is to tell of it.
    name: Option<String>,
}

impl Flows {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        list(shell, &registry::flows(), self.name.as_deref(), "flow")
    }
}

impl Tasks {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        list(shell, &registry::tasks(), self.name.as_deref(), "task")
    }
}

fn list(shell: &mut Shell, all: &[&'static Definition], name: Option<&str>, kind: &str) -> Outcome {
    let named: Vec<_> = match name {
        Some(name) => all
            .iter()
            .copied()
            .filter(|definition| definition.name() == name)
            .collect(),
        None => all.to_vec(),
    };
    if let (Some(name), true) = (name, named.is_empty()) {
        return Err(Failure::new(Exit::NotFound, missing(kind, name, all)));
    }
    if shell.json {
        let shown: Vec<DefinitionJson> = named.iter().map(|definition| (*definition).into()).collect();
        shell.json_line(&shown)?;
        return Ok(Exit::Ok);
    }
    if name.is_some() {
        for definition in named {
            details(shell, definition)?;
        }
    } else if named.is_empty() {
        shell.line(&format!("{} has no {kind}s", shell.program.clone()))?;
    } else {
        table(shell, &named)?;
    }
    Ok(Exit::Ok)
}

/// What to say where there is no such flow or task.
pub(super) fn missing(kind: &str, name: &str, all: &[&Definition]) -> String {
    let names: Vec<_> = all.iter().map(|definition| definition.name()).collect();
    match names.as_slice() {
        [] => format!("there is no {kind} named '{name}': this program has no {kind}s"),
        names => format!("there is no {kind} named '{name}'; there are: {}", names.join(", ")),
    }
}

fn table(shell: &mut Shell, definitions: &[&Definition]) -> Outcome<()> {
    let mut table = Table::new(&["NAME", "~PARAMETERS", "~DESCRIPTION"]);
    for definition in definitions {
        let name = match definition.version() {
            Some(version) => format!("{} ({version})", definition.name()),
            None => definition.name().to_owned(),
        };
        let first_line = definition.description().lines().next().unwrap_or_default();
        table.row([
            Cell::painted(name, Paint::Bold),
            signature(definition).into(),
            first_line.into(),
        ]);
    }
    let text = table.render(shell.columns(), shell.style);
    shell.text(&text)
}

/// `node: TreeNode, depth: u32`
fn signature(definition: &Definition) -> String {
    let parameters = definition.typed_parameters().into_iter();
    let parameters: Vec<_> = parameters
        .map(|(name, type_name)| format!("{name}: {}", types::short(type_name)))
        .collect();
    parameters.join(", ")
}

fn details(shell: &mut Shell, definition: &Definition) -> Outcome<()> {
    let mut facts = vec![("at", definition.location()), ("key", definition.key())];
    if let Some(version) = definition.version() {
        facts.push(("version", version.to_owned()));
    }
    if !definition.tags().is_empty() {
        facts.push(("tags", definition.tags().join(", ")));
    }
    if definition.meta.durable {
        facts.push(("durable", "yes: its runs can be resumed".to_owned()));
    }
    let headline = shell.style.bold(definition.name());
    shell.line(&headline)?;
    for line in definition.description().lines() {
        shell.line(&format!("  {line}"))?;
    }
    for (name, value) in facts {
        let name = shell.style.dim(format!("{name:<10}"));
        shell.line(&format!("  {name} {value}"))?;
    }
    for (index, (name, type_name)) in definition.typed_parameters().into_iter().enumerate() {
        let title = if index == 0 { "parameters" } else { "" };
        let title = shell.style.dim(format!("{title:<10}"));
        shell.line(&format!("  {title} {name}: {}", types::short(type_name)))?;
    }
    Ok(())
}
