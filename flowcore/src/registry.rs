//! All flows and tasks of the program, as the attributes registered them: to list them, and to run a flow by its name.

use crate::definition::Definition;
use crate::error::{Error, ErrorKind, Result};
use crate::private::Registration;
use crate::run::RunKind;

fn all(kind: RunKind) -> Vec<&'static Definition> {
    let mut found: Vec<_> = inventory::iter::<Registration>()
        .map(|registration| (registration.0)())
        .filter(|definition| definition.kind() == kind)
        .collect();
    found.sort_by_key(|definition| (definition.name(), definition.location()));
    found
}

/// All flows, by name.
///
/// ```standalone_crate
/// use flowcore::prelude::*;
/// #[flow]
/// fn nightly() {}
/// assert!(flowcore::registry::flows().iter().any(|flow| flow.name() == "nightly"));
/// ```
#[must_use]
pub fn flows() -> Vec<&'static Definition> {
    all(RunKind::Flow)
}

/// All tasks, by name.
///
/// ```
/// use flowcore::prelude::*;
/// #[task(name = "fetch page")]
/// fn fetch() {}
/// assert!(flowcore::registry::tasks().iter().any(|task| task.name() == "fetch page"));
/// ```
#[must_use]
pub fn tasks() -> Vec<&'static Definition> {
    all(RunKind::Task)
}

/// The flow of that name.
///
/// # Errors
/// `InvalidParameters` if there is none (the message lists those there are), or more than one (it names their places).
///
/// ```
/// use flowcore::prelude::*;
///
/// #[flow]
/// fn triple(x: i64) -> i64 { x * 3 }
///
/// let run = flowcore::registry::flow("triple").unwrap().submit_json(&serde_json::json!({"x": 14})).unwrap();
/// assert_eq!(run.result_json().unwrap(), 42);
///
/// let error = flowcore::registry::flow("no-such-flow").unwrap_err();
/// assert!(error.to_string().contains("no-such-flow"));
/// ```
pub fn flow(name: &str) -> Result<&'static Definition> {
    let flows = flows();
    let mut named = flows.iter().filter(|flow| flow.name() == name);
    match (named.next(), named.next()) {
        (Some(flow), None) => Ok(flow),
        (Some(one), Some(other)) => Err(twice(one, other)),
        (None, _) => {
            let names: Vec<_> = flows.iter().map(|flow| flow.name()).collect();
            Err(Error::of_kind(
                ErrorKind::InvalidParameters,
                format!("there is no flow named '{name}'; there are: {}", names.join(", ")),
            ))
        }
    }
}

/// The flow of that key, if there is one.
///
/// # Errors
/// `InvalidParameters` if there are two: functions of one name in the bodies of two functions have one key.
pub(crate) fn of_key(key: &str) -> Result<Option<&'static Definition>> {
    let flows = flows();
    let mut keyed = flows.iter().filter(|flow| flow.key() == key);
    match (keyed.next(), keyed.next()) {
        (Some(one), Some(other)) => Err(Error::of_kind(
            ErrorKind::InvalidParameters,
            format!(
                "two flows have the key '{key}': {} and {}; rename one of them",
                one.location(),
                other.location()
            ),
        )),
        (found, _) => Ok(found.copied()),
    }
}

/// Checks that no two flows bear one name, as a program does at its start when it runs flows by name.
///
/// # Errors
/// `InvalidParameters`, naming both places.
///
/// ```standalone_crate
/// use flowcore::prelude::*;
///
/// #[flow(name = "import")]
/// fn import_orders() {}
/// #[flow(name = "import")]
/// fn import_customers() {}
///
/// let error = flowcore::registry::check().unwrap_err();
/// assert!(error.message().starts_with("two flows are named 'import': "));
/// ```
pub fn check() -> Result<()> {
    for pair in flows().windows(2) {
        if pair[0].name() == pair[1].name() {
            return Err(twice(pair[0], pair[1]));
        }
    }
    Ok(())
}

fn twice(one: &Definition, other: &Definition) -> Error {
    Error::of_kind(
        ErrorKind::InvalidParameters,
        format!(
            "two flows are named '{}': {} and {}; give one of them another `name`",
            one.name(),
            one.location(),
            other.location()
        ),
    )
}
