//! JSON schemas of parameters, where their types have one.

#[cfg(feature = "schemars")]
mod validate;

use serde_json::{Map, Value, json};

/// Gathers the schemas of several types, and what these share.
#[derive(Default)]
pub struct Schemas {
    #[cfg(feature = "schemars")]
    generator: schemars::SchemaGenerator,
}

/// Gives a type's schema.
pub type SchemaFn = fn(&mut Schemas) -> Value;

#[cfg(feature = "schemars")]
impl Schemas {
    pub(crate) fn of<T: schemars::JsonSchema>(&mut self) -> Value {
        self.generator.subschema_for::<T>().to_value()
    }

    fn shared(mut self) -> Map<String, Value> {
        self.generator.take_definitions(true)
    }
}

#[cfg(not(feature = "schemars"))]
impl Schemas {
    fn shared(self) -> Map<String, Value> {
        Map::new()
    }
}

/// A parameter as the world outside has to know it.
pub struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) type_name: &'static str,
    /// Its type's schema, where the type has one.
    pub(crate) schema: Option<Value>,
    /// Whether it can't be left out.
    pub(crate) required: bool,
}

/// The schema of an object with a member for each parameter.
pub(crate) fn object(title: &str, description: &str, schemas: Schemas, parameters: Vec<Parameter>) -> Value {
    let required: Vec<_> = parameters
        .iter()
        .filter(|parameter| parameter.required)
        .map(|it| it.name)
        .collect();
    let mut properties = Map::new();
    for parameter in parameters {
        let unknown = || json!({"title": parameter.type_name});
        properties.insert(parameter.name.to_owned(), parameter.schema.unwrap_or_else(unknown));
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    if !description.is_empty() {
        schema["description"] = description.into();
    }
    let shared = schemas.shared();
    if !shared.is_empty() {
        schema["$defs"] = shared.into();
    }
    schema
}

/// What is wrong with a parameter's value by the schema that [`object`] made, each with its place: `'node.children[1].value': …`.
pub(crate) fn problems(schema: &Value, parameter: &str, value: &Value) -> Vec<String> {
    #[cfg(feature = "schemars")]
    return validate::problems(schema, parameter, value);
    #[cfg(not(feature = "schemars"))]
    {
        let _ = (schema, parameter, value);
        Vec::new()
    }
}
