//! Parameters as the command line gives them.

use std::fs;
use std::io::{self, Read};

use serde_json::{Map, Value};

use super::super::failure::{Failure, Outcome};
use super::super::types;
use crate::definition::Definition;

/// The object of parameters: those of the file, and those given one by one on top.
pub(super) fn collect(definition: &Definition, file: Option<&str>, given: &[String]) -> Outcome<Value> {
    let mut parameters = match file {
        Some(file) => from_file(file)?,
        None => Map::new(),
    };
    let types = definition.typed_parameters();
    let mut names: Vec<&str> = Vec::new();
    let mut problems = Vec::new();
    for pair in given {
        let Some((name, text)) = pair.split_once('=') else {
            problems.push(format!("'{pair}' is no parameter: write NAME=VALUE"));
            continue;
        };
        if names.contains(&name) {
            problems.push(format!("'{name}' is given twice"));
        }
        names.push(name);
        let type_name = types
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, type_name)| *type_name);
        parameters.insert(name.to_owned(), value(text, type_name.unwrap_or_default()));
    }
    match problems.is_empty() {
        true => Ok(Value::Object(parameters)),
        false => Err(Failure::usage(problems.join("\n"))),
    }
}

/// JSON where it is JSON, else the text itself. For a parameter that is text, `42` is a text as well.
fn value(text: &str, type_name: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_)) if types::is_text(type_name) => {
            Value::String(text.to_owned())
        }
        Ok(Value::Null) if types::is_text(type_name) && !types::short(type_name).starts_with("Option") => {
            Value::String(text.to_owned())
        }
        Ok(value) => value,
        Err(_) => Value::String(text.to_owned()),
    }
}

fn from_file(file: &str) -> Outcome<Map<String, Value>> {
    let (place, read) = match file {
        "-" => {
            let mut text = String::new();
            let read = io::stdin().lock().read_to_string(&mut text);
            ("standard input".to_owned(), read.map(|_| text))
        }
        path => (format!("'{path}'"), fs::read_to_string(path)),
    };
    let text = read.map_err(|error| Failure::usage(format!("the parameters in {place} can't be read: {error}")))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(parameters)) => Ok(parameters),
        Ok(other) => {
            let what = match other {
                Value::Array(_) => "an array",
                Value::String(_) => "a text",
                Value::Number(_) => "a number",
                Value::Bool(_) => "a truth value",
                _ => "null",
            };
            Err(Failure::usage(format!(
                "the parameters in {place} must be a JSON object, not {what}"
            )))
        }
        Err(error) => Err(Failure::usage(format!(
            "the parameters in {place} are no JSON: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_json_or_text_as_its_type_wants_it() {
        let text = "alloc::string::String";
        let option = "core::option::Option<alloc::string::String>";
        let table = [
            ("42", "i64", json!(42)),
            ("42", text, json!("42")),
            ("\"42\"", text, json!("42")),
            ("null", text, json!("null")),
            ("null", option, json!(null)),
            ("true", option, json!("true")),
            ("Ada", "", json!("Ada")),
            ("[1,2]", "", json!([1, 2])),
            ("{\"a\":1}", "shop::Order", json!({"a": 1})),
            ("", text, json!("")),
        ];
        for (given, type_name, expected) in table {
            assert_eq!(value(given, type_name), expected, "{given} {type_name}");
        }
    }
}
