//! What `#[flow]` and `#[task]` register: a function's name, place, options and entry points.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use crate::engine::{Launched, Naming, TakeOver};
use crate::error::Result;
use crate::options::Options;
use crate::private::{Given, Problem, Runnable, members};
use crate::run::RunKind;
use crate::schema::{self, Parameter, Schemas};
use crate::store::DefinitionRow;

/// The fixed facts of a definition, as the attribute found them.
#[derive(Debug)]
pub struct Meta {
    /// Flow or task.
    pub kind: RunKind,
    /// The name in Prefect's sense; the function's unless told otherwise.
    pub name: &'static str,
    /// The function's own name.
    pub ident: &'static str,
    /// The module it stands in.
    pub module: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The description, or the doc comment.
    pub description: &'static str,
    /// The version.
    pub version: Option<&'static str>,
    /// The tags all its runs bear.
    pub tags: &'static [&'static str],
    /// Whether the function is async.
    pub is_async: bool,
    /// A stable key in place of module and name.
    pub key: Option<&'static str>,
    /// Whether its runs can be resumed.
    pub durable: bool,
    /// Whether a resumed run must make the calls that are recorded before others.
    pub strict_replay: bool,
}

/// A registered flow or task.
///
/// ```standalone_crate
/// use flowcore::prelude::*;
///
/// /// Adds one.
/// #[flow]
/// fn increment(x: i64) -> i64 { x + 1 }
///
/// let definition = flowcore::registry::flow("increment").unwrap();
/// assert_eq!(definition.description(), "Adds one.");
/// assert_eq!(definition.parameters().collect::<Vec<_>>(), ["x"]);
/// ```
pub struct Definition {
    pub(crate) meta: Meta,
    options: OnceLock<Options>,
    row: OnceLock<Arc<DefinitionRow>>,
    make_options: fn(&mut Options),
    parameters: fn(&mut dyn FnMut(&'static str, &'static str)),
    schemas: fn(&mut Schemas) -> Vec<Parameter>,
    problems: fn(&Map<String, Value>) -> Vec<Problem>,
    launch_json: fn(&Given<'_>, Naming, &mut TakeOver<'_>) -> Result<Launched>,
}

impl Definition {
    #[doc(hidden)]
    #[must_use]
    pub const fn new<R: Runnable>(meta: Meta) -> Self {
        Self {
            meta,
            options: OnceLock::new(),
            row: OnceLock::new(),
            make_options: R::options,
            parameters: crate::private::describe::<R>,
            schemas: crate::private::schemas::<R>,
            problems: crate::private::problems::<R>,
            launch_json: crate::private::launch_json::<R>,
        }
    }

    /// Flow or task.
    #[must_use]
    pub fn kind(&self) -> RunKind {
        self.meta.kind
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.meta.name
    }

    /// Its description: the option's, or the doc comment.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.meta.description
    }

    /// Its version, if it has one.
    #[must_use]
    pub fn version(&self) -> Option<&'static str> {
        self.meta.version
    }

    /// The tags that all its runs bear.
    #[must_use]
    pub fn tags(&self) -> &'static [&'static str] {
        self.meta.tags
    }

    /// Where it is written: `module::ident (file:line:column)`.
    #[must_use]
    pub fn location(&self) -> String {
        let Meta {
            module,
            ident,
            file,
            line,
            column,
            ..
        } = self.meta;
        format!("{module}::{ident} ({file}:{line}:{column})")
    }

    /// What tells it from all others: its `key`, or its module and name.
    #[must_use]
    pub fn key(&self) -> String {
        match self.meta.key {
            Some(key) => key.to_owned(),
            None => format!("{}::{}", self.meta.module, self.meta.ident),
        }
    }

    /// The names of its parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        let mut names = Vec::new();
        (self.parameters)(&mut |name, _| names.push(name));
        names.into_iter()
    }

    /// A JSON schema of its parameters, an object with a property for each. With the feature `schemars`, parameters whose types implement
    /// `schemars::JsonSchema` have a schema of their own; of others there is only the name of the type, as title.
    ///
    /// ```standalone_crate
    /// use flowcore::prelude::*;
    ///
    /// #[flow]
    /// fn resize(width: u32, unit: Option<String>) {}
    ///
    /// let schema = flowcore::registry::flow("resize").unwrap().parameter_schema();
    /// assert_eq!(schema["type"], "object");
    /// assert_eq!(schema["required"], serde_json::json!(["width"]));
    /// ```
    #[must_use]
    pub fn parameter_schema(&self) -> Value {
        let mut schemas = Schemas::default();
        let parameters = (self.schemas)(&mut schemas);
        schema::object(self.name(), self.description(), schemas, parameters)
    }

    /// All that is wrong with JSON parameters, each problem with its place, by the [schema](Self::parameter_schema) and by what their types
    /// say themselves; nothing, if a run can be started with them.
    ///
    /// ```standalone_crate
    /// use flowcore::prelude::*;
    ///
    /// #[flow]
    /// fn area(width: u32, height: u32) -> u32 { width * height }
    ///
    /// let flow = flowcore::registry::flow("area").unwrap();
    /// assert!(flow.check_json(&serde_json::json!({"width": 6, "height": 7})).is_empty());
    /// let problems = flow.check_json(&serde_json::json!({"width": 6, "depth": 7}));
    /// assert_eq!(problems, ["'depth' is no parameter (there are: width, height)", "'height' is missing"]);
    /// ```
    #[must_use]
    pub fn check_json(&self, parameters: &Value) -> Vec<String> {
        let members = match members(parameters) {
            Ok(members) => members,
            Err(error) => return vec![error.message().to_owned()],
        };
        let schema = self.parameter_schema();
        let own = (self.problems)(&members);
        let is_known = |name: &str| self.parameters().any(|known| known == name);
        let unknown = own.iter().filter(|problem| !is_known(&problem.parameter));
        let mut problems: Vec<String> = unknown.map(Problem::to_string).collect();
        for name in self.parameters() {
            let before = problems.len();
            if let Some(value) = members.get(name) {
                problems.extend(schema::problems(&schema, name, value));
            }
            // A schema says what is wrong better than a type does, which stops at the first.
            if problems.len() == before {
                let own = own.iter().filter(|problem| problem.parameter == name);
                problems.extend(own.map(Problem::to_string));
            }
        }
        problems
    }

    /// Starts a run from JSON parameters, an object with a member for each parameter.
    ///
    /// # Errors
    /// `InvalidParameters`, naming every missing, unknown or unreadable one, or the parameter whose type does not
    /// implement `DeserializeOwned`.
    ///
    /// ```standalone_crate
    /// use flowcore::prelude::*;
    ///
    /// #[flow]
    /// fn area(width: u32, height: u32) -> u32 { width * height }
    ///
    /// let run = flowcore::registry::flow("area").unwrap()
    ///     .submit_json(&serde_json::json!({"width": 6, "height": 7})).unwrap();
    /// assert_eq!(run.result_json().unwrap(), 42);
    /// ```
    pub fn submit_json(&self, parameters: &Value) -> Result<Launched> {
        (self.launch_json)(&Given::Value(parameters), Naming::default(), &mut || Ok(None))
    }

    /// Goes on with a run that another process has left, from its recorded parameters: `take_over` gets it, once they are read.
    pub(crate) fn launch_recorded(&self, parameters: &str, take_over: &mut TakeOver<'_>) -> Result<Launched> {
        (self.launch_json)(&Given::Text(parameters), Naming::default(), take_over)
    }

    /// What a store keeps of it.
    pub(crate) fn row(&self) -> &Arc<DefinitionRow> {
        self.row.get_or_init(|| Arc::new(DefinitionRow::from(self)))
    }

    /// [`submit_json`](Self::submit_json) for a run with a name and tags of its own.
    #[cfg(feature = "cli")]
    pub(crate) fn submit_json_as(
        &self,
        parameters: &Value,
        name: Option<String>,
        tags: Vec<String>,
    ) -> Result<Launched> {
        (self.launch_json)(&Given::Value(parameters), Naming { name, tags }, &mut || Ok(None))
    }

    /// The names of its parameters, in order, with the names of their types.
    #[cfg(feature = "cli")]
    pub(crate) fn typed_parameters(&self) -> Vec<(&'static str, &'static str)> {
        let mut parameters = Vec::new();
        (self.parameters)(&mut |name, type_name| parameters.push((name, type_name)));
        parameters
    }

    pub(crate) fn options(&self) -> &Options {
        self.options.get_or_init(|| {
            let mut options = Options::default();
            (self.make_options)(&mut options);
            options
        })
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}", self.kind(), self.name(), self.location())
    }
}
