//! Answers held against an `OpenAPI` document: as JSON Schema says, and besides an answer may carry nothing that is not described.
//!
//! Read here is what the document uses: references, types, constants, enumerations, objects, arrays, `allOf`, `anyOf`, `oneOf`, `not`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The document of a server.
pub(crate) struct Document(pub(crate) Value);

/// The keys of an object that are described, by all parts of its schema together.
#[derive(Default)]
struct Described {
    keys: BTreeSet<String>,
    /// Any key is.
    any: bool,
}

impl Document {
    /// The schema of the JSON that a method of a path answers with 200; `None` where it is another kind.
    pub(crate) fn answer(&self, path: &str, method: &str) -> Option<&Value> {
        let response = self.resolved(&self.0["paths"][path][method]["responses"]["200"]);
        response["content"]["application/json"].get("schema")
    }

    /// Every path and method.
    pub(crate) fn operations(&self) -> Vec<(&str, &str)> {
        let mut all = Vec::new();
        for (path, methods) in self.0["paths"].as_object().expect("paths") {
            let methods = methods.as_object().expect("methods");
            all.extend(methods.keys().map(|method| (path.as_str(), method.as_str())));
        }
        all
    }

    /// A schema of the document by its name.
    pub(crate) fn named(&self, name: &str) -> &Value {
        let schema = &self.0["components"]["schemas"][name];
        assert!(schema.is_object(), "no schema `{name}`");
        schema
    }

    /// What of a value is not as the schema says, each with its place.
    pub(crate) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.whole("", schema, value, &mut faults);
        faults
    }

    fn resolved<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        while let Some(place) = schema["$ref"].as_str() {
            let place = place.strip_prefix('#').expect("a place in this document");
            schema = self
                .0
                .pointer(place)
                .unwrap_or_else(|| panic!("{place} is not there"));
        }
        schema
    }

    fn whole(&self, at: &str, schema: &Value, value: &Value, faults: &mut Vec<String>) {
        let mut described = Described::default();
        self.part(at, schema, value, &mut described, faults);
        let keys = value.as_object().into_iter().flat_map(Map::keys);
        for key in keys.filter(|key| !described.any && !described.keys.contains(*key)) {
            faults.push(format!("{at}.{key} is not described"));
        }
    }

    fn part(
        &self,
        at: &str,
        schema: &Value,
        value: &Value,
        described: &mut Described,
        faults: &mut Vec<String>,
    ) {
        let schema = self.resolved(schema);
        if let Some(only) = schema.get("const").filter(|only| *only != value) {
            faults.push(format!("{at} is {}, not {only}", short(value)));
        }
        if let Some(all) = schema["enum"].as_array().filter(|all| !all.contains(value)) {
            faults.push(format!("{at} is {}, none of {} values", short(value), all.len()));
        }
        let kinds = match &schema["type"] {
            Value::String(kind) => vec![kind.as_str()],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !kinds.is_empty() && !kinds.iter().any(|kind| is(value, kind)) {
            faults.push(format!("{at} is {}, no {}", short(value), kinds.join(" or ")));
            return;
        }
        for part in all_of(schema, "allOf") {
            self.part(at, part, value, described, faults);
        }
        self.choices(at, schema, value, described, faults);
        match value {
            Value::Object(fields) => self.object(at, schema, fields, described, faults),
            Value::Array(items) => self.array(at, schema, items, faults),
            _ => {}
        }
    }

    fn choices(
        &self,
        at: &str,
        schema: &Value,
        value: &Value,
        described: &mut Described,
        faults: &mut Vec<String>,
    ) {
        for word in ["anyOf", "oneOf"] {
            let mut fitting = 0;
            let mut nearest: Option<Vec<String>> = None;
            for choice in all_of(schema, word) {
                let mut found = Vec::new();
                self.whole(at, choice, value, &mut found);
                if found.is_empty() {
                    fitting += 1;
                    // That its keys are described was looked at with it.
                    described.any = true;
                } else if nearest.as_ref().is_none_or(|other| found.len() < other.len()) {
                    nearest = Some(found);
                }
            }
            match (fitting, nearest) {
                (0, Some(found)) => faults.extend(found),
                (2.., _) if word == "oneOf" => faults.push(format!("{at} is of {fitting} kinds at once")),
                _ => {}
            }
        }
        if let Some(other) = schema.get("not") {
            let mut found = Vec::new();
            self.part(at, other, value, &mut Described::default(), &mut found);
            if found.is_empty() {
                faults.push(format!("{at} is what it shall not be"));
            }
        }
    }

    fn object(
        &self,
        at: &str,
        schema: &Value,
        fields: &Map<String, Value>,
        described: &mut Described,
        faults: &mut Vec<String>,
    ) {
        for key in all_of(schema, "required").filter_map(Value::as_str) {
            if !fields.contains_key(key) {
                faults.push(format!("{at}.{key} is required and not there"));
            }
        }
        let properties = schema["properties"].as_object();
        let others = schema
            .get("additionalProperties")
            .filter(|others| **others != false);
        // A schema that says nothing of keys allows all.
        let says_nothing = ["type", "properties", "allOf", "anyOf", "oneOf"]
            .iter()
            .all(|word| schema.get(*word).is_none());
        described.any |= others.is_some() || says_nothing;
        for (key, value) in fields {
            let place = format!("{at}.{key}");
            if let Some(property) = properties.and_then(|all| all.get(key)) {
                described.keys.insert(key.clone());
                self.whole(&place, property, value, faults);
            } else if let Some(others) = others.filter(|others| others.is_object()) {
                self.whole(&place, others, value, faults);
            }
        }
    }

    fn array(&self, at: &str, schema: &Value, items: &[Value], faults: &mut Vec<String>) {
        let first: Vec<&Value> = all_of(schema, "prefixItems").collect();
        for (place, item) in items.iter().enumerate() {
            let here = format!("{at}[{place}]");
            match (first.get(place), schema.get("items")) {
                (Some(one), _) => self.whole(&here, one, item, faults),
                (None, Some(Value::Bool(false))) => faults.push(format!("{here} is one too many")),
                (None, Some(one)) => self.whole(&here, one, item, faults),
                (None, None) => {}
            }
        }
        let bound = |word: &str| {
            schema[word]
                .as_u64()
                .and_then(|bound| usize::try_from(bound).ok())
        };
        let (least, most) = (
            bound("minItems").unwrap_or(0),
            bound("maxItems").unwrap_or(usize::MAX),
        );
        if !(least..=most).contains(&items.len()) {
            faults.push(format!("{at} has {} items", items.len()));
        }
    }
}

fn all_of<'a>(schema: &'a Value, word: &str) -> impl Iterator<Item = &'a Value> {
    schema[word].as_array().into_iter().flatten()
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|x| x.fract() == 0.0),
        other => panic!("no type `{other}`"),
    }
}
