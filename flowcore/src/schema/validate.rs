//! Checks a value against a schema as schemars makes them.
//!
//! What such a schema can say and isn't known here (a `pattern`, a `format`) is left to the type's own `Deserialize`, which has the last
//! word anyway.

use std::fmt::Write;

use serde_json::{Map, Value};

use crate::engine::stack;

/// Nobody reads on past that many.
const MOST_PROBLEMS: usize = 50;
/// A reference to a reference to a reference goes nowhere.
const MOST_REFERENCES: u32 = 32;
/// Longer values are cut where they are told.
const LONGEST_SHOWN: usize = 60;

/// What is wrong with the parameter's value.
pub(super) fn problems(root: &Value, parameter: &str, value: &Value) -> Vec<String> {
    let Some(schema) = root.get("properties").and_then(|properties| properties.get(parameter)) else {
        return Vec::new();
    };
    let mut check = Check {
        root,
        path: parameter.to_owned(),
        problems: Vec::new(),
        references: 0,
    };
    check.value(schema, value);
    check.problems
}

struct Check<'a> {
    root: &'a Value,
    path: String,
    problems: Vec<String>,
    /// How many references were followed since the value last changed.
    references: u32,
}

impl<'a> Check<'a> {
    fn problem(&mut self, what: impl AsRef<str>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(format!("'{}': {}", self.path, what.as_ref()));
        }
    }

    /// Whether it has been told often enough.
    fn is_full(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }

    /// Checks a part of the value, whose place is the present one and `step`.
    fn part(&mut self, step: &str, schema: &'a Value, value: &Value) {
        let (length, references) = (self.path.len(), std::mem::take(&mut self.references));
        self.path.push_str(step);
        // A value may be as deep as memory goes.
        stack::ensure(|| self.value(schema, value));
        self.path.truncate(length);
        self.references = references;
    }

    fn value(&mut self, schema: &'a Value, value: &Value) {
        if self.is_full() {
            return;
        }
        let schema = match schema {
            Value::Bool(false) => return self.problem("is not allowed"),
            Value::Object(schema) => schema,
            _ => return,
        };
        if let Some(Value::String(reference)) = schema.get("$ref") {
            self.reference(reference, value);
        }
        if let Some(types) = schema.get("type")
            && !is_of_type(types, value)
        {
            // The rest speaks of values of that type.
            return self.problem(format!("must be {}, not {}", type_names(types), shown(value)));
        }
        self.constants(schema, value);
        match value {
            Value::Number(number) => self.number(schema, number),
            Value::String(text) => self.length(schema, ["minLength", "maxLength"], text.chars().count(), "characters"),
            Value::Array(items) => self.array(schema, items),
            Value::Object(members) => self.object(schema, members),
            Value::Null | Value::Bool(_) => {}
        }
        for schema in list(schema, "allOf") {
            self.value(schema, value);
        }
        for alternatives in [list(schema, "anyOf"), list(schema, "oneOf")] {
            if !alternatives.is_empty() {
                self.alternatives(alternatives, value);
            }
        }
    }

    fn reference(&mut self, reference: &str, value: &Value) {
        let schema = reference
            .strip_prefix('#')
            .and_then(|pointer| self.root.pointer(pointer));
        if let Some(schema) = schema
            && self.references < MOST_REFERENCES
        {
            self.references += 1;
            self.value(schema, value);
            self.references -= 1;
        }
    }

    fn constants(&mut self, schema: &Map<String, Value>, value: &Value) {
        if let Some(constant) = schema.get("const")
            && constant != value
        {
            self.problem(format!("must be {}, not {}", shown(constant), shown(value)));
        }
        let allowed = list(schema, "enum");
        if !allowed.is_empty() && !allowed.contains(value) {
            let allowed: Vec<_> = allowed.iter().map(shown).collect();
            self.problem(format!("must be one of {}, not {}", allowed.join(", "), shown(value)));
        }
    }

    fn number(&mut self, schema: &Map<String, Value>, number: &serde_json::Number) {
        type Holds = fn(f64, f64) -> bool;
        let rules: [(&str, &str, Holds); 4] = [
            ("minimum", "at least", |value, bound| value >= bound),
            ("maximum", "at most", |value, bound| value <= bound),
            ("exclusiveMinimum", "more than", |value, bound| value > bound),
            ("exclusiveMaximum", "less than", |value, bound| value < bound),
        ];
        let Some(value) = number.as_f64() else {
            return;
        };
        for (keyword, words, holds) in rules {
            if let Some(bound) = schema.get(keyword).and_then(Value::as_f64)
                && !holds(value, bound)
            {
                self.problem(format!("must be {words} {}, not {number}", schema[keyword]));
            }
        }
    }

    fn length(&mut self, schema: &Map<String, Value>, [least, most]: [&str; 2], length: usize, unit: &str) {
        let bound = |keyword| schema.get(keyword).and_then(Value::as_u64);
        let length = length as u64;
        if let Some(least) = bound(least).filter(|least| length < *least) {
            self.problem(format!("must have at least {least} {unit}, not {length}"));
        }
        if let Some(most) = bound(most).filter(|most| length > *most) {
            self.problem(format!("must have at most {most} {unit}, not {length}"));
        }
    }

    fn array(&mut self, schema: &'a Map<String, Value>, items: &[Value]) {
        self.length(schema, ["minItems", "maxItems"], items.len(), "items");
        let first = list(schema, "prefixItems");
        let rest = schema.get("items");
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = first.get(index).or(rest) {
                self.part(&format!("[{index}]"), schema, item);
            }
            if self.is_full() {
                return;
            }
        }
    }

    fn object(&mut self, schema: &'a Map<String, Value>, members: &Map<String, Value>) {
        self.length(schema, ["minProperties", "maxProperties"], members.len(), "members");
        for name in list(schema, "required").iter().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                let (length, step) = (self.path.len(), step(name));
                self.path.push_str(&step);
                self.problem("is missing");
                self.path.truncate(length);
            }
        }
        let known = schema.get("properties").and_then(Value::as_object);
        // Which names a pattern is meant for isn't known here.
        let others = schema
            .get("additionalProperties")
            .filter(|_| !schema.contains_key("patternProperties"));
        for (name, value) in members {
            match (known.and_then(|known| known.get(name)), others) {
                (Some(schema), _) => self.part(&step(name), schema, value),
                (None, Some(Value::Bool(false))) => {
                    let names: Vec<_> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                    let (length, step) = (self.path.len(), step(name));
                    self.path.push_str(&step);
                    self.problem(format!("is not known (there are: {})", names.join(", ")));
                    self.path.truncate(length);
                }
                (None, Some(schema)) => self.part(&step(name), schema, value),
                (None, None) => {}
            }
            if self.is_full() {
                return;
            }
        }
    }

    /// One of them must fit. Whether others do too is `Deserialize`'s business.
    fn alternatives(&mut self, alternatives: &'a [Value], value: &Value) {
        let mut misfits = Vec::new();
        for schema in alternatives {
            let mut check = Check {
                root: self.root,
                path: self.path.clone(),
                problems: Vec::new(),
                references: self.references,
            };
            stack::ensure(|| check.value(schema, value));
            if check.problems.is_empty() {
                return;
            }
            misfits.push((schema, check.problems));
        }
        // The one that is meant is the one that is wrong further inside.
        let here = format!("'{}': must be ", self.path);
        let mut meant = misfits
            .iter()
            .filter(|(_, problems)| !problems.iter().any(|problem| is_choice(problem, &here)));
        if let (Some((_, problems)), None) = (meant.next(), meant.next()) {
            let room = MOST_PROBLEMS - self.problems.len();
            self.problems.extend(problems.iter().take(room).cloned());
            return;
        }
        let names: Vec<String> = misfits.iter().filter_map(|(schema, _)| self.name(schema)).collect();
        if names.is_empty() {
            self.problem(format!(
                "fits none of the {} alternatives, as {}",
                misfits.len(),
                shown(value)
            ));
        } else {
            self.problem(format!("must be one of {}, not {}", names.join(", "), shown(value)));
        }
    }

    /// What an alternative is called: its constant, its one member, its title, its type.
    fn name(&self, schema: &Value) -> Option<String> {
        let schema = match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => return reference.rsplit('/').next().map(str::to_owned),
            None => schema.as_object()?,
        };
        if let Some(constant) = schema.get("const") {
            return Some(shown(constant));
        }
        let allowed = list(schema, "enum");
        if !allowed.is_empty() {
            return Some(allowed.iter().map(shown).collect::<Vec<_>>().join(", "));
        }
        if let [Value::String(only)] = list(schema, "required") {
            return Some(format!("{{\"{only}\": …}}"));
        }
        let title = schema.get("title").and_then(Value::as_str).map(str::to_owned);
        title.or_else(|| schema.get("type").map(type_names))
    }
}

/// Whether a problem says that another alternative was meant: the value itself has another type or constant.
fn is_choice(problem: &str, here: &str) -> bool {
    problem.starts_with(here)
}

/// `.name`, or `["odd name"]`.
fn step(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if plain {
        format!(".{name}")
    } else {
        format!("[{}]", shown(&Value::String(name.to_owned())))
    }
}

fn list<'a>(schema: &'a Map<String, Value>, keyword: &str) -> &'a [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &str| match (name, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("string", Value::String(_)) => true,
        ("array", Value::Array(_)) | ("object", Value::Object(_)) | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => number.is_i64() || number.is_u64() || is_whole(number),
        _ => false,
    };
    match types {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

/// As JSON schema has it, `1.0` is an integer; a type that doesn't think so says it itself.
fn is_whole(number: &serde_json::Number) -> bool {
    number.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn type_names(types: &Value) -> String {
    let name = |name: &str| match name {
        "null" => "null".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" | "object" | "integer" => format!("an {name}"),
        other => format!("a {other}"),
    };
    match types {
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .map(name)
            .collect::<Vec<_>>()
            .join(" or "),
        other => name(other.as_str().unwrap_or_default()),
    }
}

/// A value, or what it is where it is long.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) if !items.is_empty() => format!("an array of {}", items.len()),
        Value::Object(members) if !members.is_empty() => "an object".to_owned(),
        Value::String(text) if text.chars().count() > LONGEST_SHOWN => {
            let mut head: String = text.chars().take(LONGEST_SHOWN).collect();
            let _ = write!(head, "…");
            Value::String(head).to_string()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;

    fn told<T: JsonSchema>(value: Value) -> Vec<String> {
        let mut schemas = super::super::Schemas::default();
        let parameter = super::super::Parameter {
            name: "p",
            type_name: "",
            schema: Some(schemas.of::<T>()),
            required: true,
        };
        let schema = super::super::object("", "", schemas, vec![parameter]);
        problems(&schema, "p", &value)
    }

    #[test]
    fn what_fits_is_not_told() {
        assert!(told::<u8>(json!(255)).is_empty());
        assert!(told::<Option<String>>(json!(null)).is_empty());
        assert!(told::<(u8, String)>(json!([1, "a"])).is_empty());
        assert!(told::<BTreeMap<String, Vec<bool>>>(json!({"a": [true]})).is_empty());
        assert!(told::<Value>(json!({"a": [1, null]})).is_empty());
    }

    #[test]
    fn each_problem_has_its_place() {
        assert_eq!(told::<u8>(json!(256)), ["'p': must be at most 255, not 256"]);
        assert_eq!(told::<u8>(json!(-1)), ["'p': must be at least 0, not -1"]);
        assert_eq!(told::<bool>(json!("x")), ["'p': must be true or false, not \"x\""]);
        assert_eq!(told::<f64>(json!([1])), ["'p': must be a number, not an array of 1"]);
        assert_eq!(
            told::<Option<String>>(json!(5)),
            ["'p': must be a string or null, not 5"]
        );
        assert_eq!(
            told::<BTreeMap<String, Vec<u8>>>(json!({"a b": [1, "x", 3.5]})),
            [
                "'p[\"a b\"][1]': must be an integer, not \"x\"",
                "'p[\"a b\"][2]': must be an integer, not 3.5"
            ]
        );
        assert_eq!(told::<(u8, u8)>(json!([1])), ["'p': must have at least 2 items, not 1"]);
    }

    #[test]
    fn a_long_list_of_problems_ends_and_a_deep_value_takes_no_stack() {
        assert_eq!(told::<Vec<u8>>(json!(vec!["x"; 1000])).len(), MOST_PROBLEMS);
        let mut deep = json!(1);
        for _ in 0..100_000 {
            deep = Value::Array(vec![deep]);
        }
        let root = json!({"properties": {"p": {"$ref": "#/$defs/List"}},
            "$defs": {"List": {"type": "array", "items": {"$ref": "#/$defs/List"}}}});
        let told = problems(&root, "p", &deep);
        assert_eq!(told.len(), 1);
        assert!(told[0].ends_with("must be an array, not 1"));
        // A value that is as deep is dropped level by level.
        while let Value::Array(items) = &mut deep {
            deep = items.pop().unwrap_or_default();
        }
    }

    #[test]
    fn a_reference_to_itself_ends() {
        let root = json!({"properties": {"p": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"$ref": "#/$defs/A"}}});
        assert!(problems(&root, "p", &json!(1)).is_empty());
    }

    #[test]
    fn of_alternatives_the_one_that_is_meant_tells_what_is_wrong() {
        let circle = json!({"type": "object", "properties": {"kind": {"type": "string", "const": "circle"},
            "radius": {"type": "number"}}, "required": ["kind", "radius"]});
        let root = json!({"properties": {"p": {"anyOf": [circle, {"type": "null"}]},
            "e": {"oneOf": [{"const": "a"}, {"type": "string", "enum": ["b", "c"]}, {"type": "object", "required": ["D"]}]}}});
        let told = |value: Value| problems(&root, "p", &value);
        assert_eq!(
            told(json!({"kind": "circle", "radius": "x"})),
            ["'p.radius': must be a number, not \"x\""]
        );
        assert_eq!(told(json!({"kind": "circle"})), ["'p.radius': is missing"]);
        assert_eq!(told(json!(5)), ["'p': must be one of an object, null, not 5"]);
        let told = problems(&root, "e", &json!("x"));
        assert_eq!(told, ["'e': must be one of \"a\", \"b\", \"c\", {\"D\": …}, not \"x\""]);
    }
}
