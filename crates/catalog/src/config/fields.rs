//! Reads a field of a config under any of its names, in the forms that occur: numbers as strings, one value per layer,
//! nulls, floats.

use serde_json::{Map, Value};

/// Fields of one JSON object.
pub(crate) type Fields = Map<String, Value>;

/// The value of the first of `names` that holds a positive integer. −1, 0 and null mean unknown; of a list with one
/// value per layer the most frequent value is taken (the larger of equally frequent ones).
pub(crate) fn int(fields: &Fields, names: &[&str]) -> Option<i64> {
    names.iter().find_map(|name| fields.get(*name).and_then(positive))
}

/// The value of the first of `names` that holds a non-negative integer.
pub(crate) fn count(fields: &Fields, names: &[&str]) -> Option<i64> {
    names
        .iter()
        .find_map(|name| fields.get(*name).and_then(number).filter(|&value| value >= 0))
}

/// The value of the first of `names` that holds a number.
pub(crate) fn float(fields: &Fields, names: &[&str]) -> Option<f64> {
    names.iter().find_map(|name| match fields.get(*name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// The value of the first of `names` that holds a Boolean.
pub(crate) fn flag(fields: &Fields, names: &[&str]) -> Option<bool> {
    names.iter().find_map(|name| match fields.get(*name)? {
        Value::Bool(value) => Some(*value),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        Value::Number(number) => number.as_i64().map(|value| value != 0),
        _ => None,
    })
}

/// The value of the first of `names` that holds non-empty text.
pub(crate) fn text<'a>(fields: &'a Fields, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| {
        fields
            .get(*name)?
            .as_str()
            .map(str::trim)
            .filter(|text| !text.is_empty())
    })
}

/// The value of the first of `names` that holds an object.
pub(crate) fn object<'a>(fields: &'a Fields, names: &[&str]) -> Option<&'a Fields> {
    names.iter().find_map(|name| fields.get(*name)?.as_object())
}

/// The value of the first of `names` that holds a list.
pub(crate) fn list<'a>(fields: &'a Fields, names: &[&str]) -> Option<&'a [Value]> {
    if !has_lists(fields) {
        return None;
    }
    names
        .iter()
        .find_map(|name| fields.get(*name)?.as_array().map(Vec::as_slice))
}

/// Whether any field is a list: most configs have none, and the per-layer lookups are called for every layer.
fn has_lists(fields: &Fields) -> bool {
    fields.values().any(Value::is_array)
}

/// The non-negative integer that the first of `names` lists for layer `at` of `layers`, either as a list with one value
/// per layer or as `…_per_layer`.
pub(crate) fn at(fields: &Fields, names: &[&str], at: i64, layers: i64) -> Option<i64> {
    if !has_lists(fields) {
        return None;
    }
    let listed = |list: &Vec<Value>| {
        let is_by_layer = i64::try_from(list.len()).ok() == Some(layers);
        list.get(usize::try_from(at).ok()?)
            .filter(|_| is_by_layer)
            .and_then(number)
            .filter(|&value| value >= 0)
    };
    names.iter().find_map(|name| {
        let own = fields.get(&format!("{name}_per_layer")).and_then(Value::as_array);
        own.or_else(|| fields.get(*name)?.as_array()).and_then(listed)
    })
}

/// An integer from a number or its text; `4096.0` counts as one.
pub(crate) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            number
                .as_f64()
                .filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15)
                .map(|float| float as i64)
        }),
        Value::String(text) => whole(text.trim()),
        _ => None,
    }
}

fn positive(value: &Value) -> Option<i64> {
    match value {
        Value::Array(values) => most_frequent(values),
        other => number(other).filter(|&value| value > 0),
    }
}

/// The most frequent positive integer of `values`; the larger of equally frequent ones.
pub(crate) fn most_frequent(values: &[Value]) -> Option<i64> {
    let mut counts = std::collections::BTreeMap::new();
    for value in values.iter().filter_map(number).filter(|&value| value > 0) {
        *counts.entry(value).or_insert(0_usize) += 1;
    }
    counts
        .into_iter()
        .max_by_key(|&(value, count)| (count, value))
        .map(|(value, _)| value)
}

/// An integer from text: `12.0` is accepted; `12.5`, `1e400` and 2^63 are not.
pub(crate) fn whole(cell: &str) -> Option<i64> {
    cell.parse().ok().or_else(|| {
        let value: f64 = cell.parse().ok()?;
        (value.fract() == 0.0 && value.abs() < 9.0e15).then_some(value as i64)
    })
}
