//! `doctor`: is everything in order?

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::escaped::escaped;
use super::super::failure::{Exit, Outcome};
use super::super::json::ProcessJson;
use super::super::shell::Shell;
use super::super::times;
use crate::registry;
use crate::settings::settings;

/// What can be reached from outside: this build opens no port.
const EXPOSURE: &str = "nothing listens: no port is open, no other machine can reach this program";

/// Tells where runs are kept, whether the store is in order, who uses it, and what is set.
#[derive(Args)]
pub(in crate::cli) struct Doctor {
    /// Read all of the store.
    #[arg(long)]
    deep: bool,
}

impl Doctor {
    pub(in crate::cli) fn execute(self, shell: &mut Shell) -> Outcome {
        let mut problems: Vec<String> = registry::check().err().iter().map(|error| error.to_string()).collect();
        let client = shell.client()?;
        let health = client.check(self.deep)?;
        let processes = client.processes(false)?;
        problems.extend(health.problems);
        let settings = settings_in_effect();
        let exit = if problems.is_empty() { Exit::Ok } else { Exit::Store };
        if shell.json {
            let pairs = |pairs: &[(String, String)]| -> Map<String, Value> {
                let pairs = pairs.iter();
                pairs
                    .map(|(name, value)| (name.clone(), Value::String(value.clone())))
                    .collect()
            };
            let processes: Vec<ProcessJson> = processes.iter().map(ProcessJson::from).collect();
            shell.json_line(&json!({
                "healthy": problems.is_empty(),
                "problems": problems,
                "version": env!("CARGO_PKG_VERSION"),
                "store": {"location": client.location(), "facts": pairs(&health.facts)},
                "flows": registry::flows().len(),
                "tasks": registry::tasks().len(),
                "processes": processes,
                "settings": pairs(&settings),
                "listens": [],
            }))?;
            return Ok(exit);
        }
        self.section(shell, "Program")?;
        self.fact(shell, "flowcore", env!("CARGO_PKG_VERSION"))?;
        let flows = format!("{} flows, {} tasks", registry::flows().len(), registry::tasks().len());
        self.fact(shell, "has", &flows)?;
        self.fact(shell, "exposure", EXPOSURE)?;
        self.section(shell, "Store")?;
        self.fact(shell, "location", &client.location())?;
        for (name, value) in &health.facts {
            self.fact(shell, name, value)?;
        }
        self.section(shell, "Processes")?;
        for process in &processes {
            let identity = &process.identity;
            let seen = times::ago(process.seen_at, times::now());
            let text = format!(
                "pid {} on {}, seen {seen}: {}",
                identity.pid, identity.host, identity.program
            );
            self.fact(shell, &process.number.to_string(), &text)?;
        }
        if processes.is_empty() {
            shell.line("  none has it open")?;
        }
        self.section(shell, "Settings")?;
        for (name, value) in &settings {
            self.fact(shell, name, value)?;
        }
        self.section(shell, "Verdict")?;
        for problem in &problems {
            let problem = shell.style.bad(escaped(problem));
            shell.line(&format!("  {problem}"))?;
        }
        if problems.is_empty() {
            let well = shell.style.good("everything is in order");
            shell.line(&format!("  {well}"))?;
        }
        Ok(exit)
    }

    fn section(&self, shell: &mut Shell, title: &str) -> Outcome<()> {
        let title = shell.style.bold(title);
        shell.line(&title)
    }

    fn fact(&self, shell: &mut Shell, name: &str, value: &str) -> Outcome<()> {
        let name = shell.style.dim(format!("{:<18}", escaped(name).to_string()));
        shell.line(&format!("  {name} {}", escaped(value)))
    }
}

/// The settings by name. They are read off their own `Debug`, so that none is forgotten.
fn settings_in_effect() -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in format!("{:#?}", settings()).lines() {
        let is_field = line.starts_with("    ") && !line[4..].starts_with([' ', ')', '}', ']']);
        match (
            is_field.then(|| line.trim().split_once(": ")).flatten(),
            fields.last_mut(),
        ) {
            (Some((name, value)), _) => fields.push((name.to_owned(), value.to_owned())),
            // The rest of a value that takes several lines.
            (None, Some((_, value))) if line.starts_with("    ") => value.push_str(line.trim()),
            _ => {}
        }
    }
    // A URL may hold a password; where the store is stands above, without one.
    fields.retain(|(name, _)| name != "database_url");
    for (_, value) in &mut fields {
        value.truncate(value.trim_end_matches(',').len());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_told() {
        let settings = settings_in_effect();
        let of = |name: &str| {
            settings
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(of("max_depth"), Some("250000"));
        assert_eq!(of("hook_timeout"), Some("60s"));
        assert!(settings.len() >= 11 && of("database_url").is_none());
        assert!(
            settings
                .iter()
                .all(|(_, value)| !value.is_empty() && !value.ends_with(','))
        );
    }
}
