//! Answers cut to the room that an agent has: the tails of long lists go, and how much went is said.

use serde_json::{Map, Value, json};

/// Bytes of compact JSON to a token: the densest 5,000 bytes of our answers, a sweep's numbers, have 2.38 by the tokenizers
/// `o200k_base` and `cl100k_base`, those of other commands 2.8 to 4.1.
const BYTES_PER_TOKEN: f64 = 2.3;
/// Bytes for saying what was left out.
const NOTE: usize = 400;

/// Compact JSON of at most about so many tokens. What is kept is as it was; `left_out` names each list that was cut, with how
/// many of how many are shown.
pub(super) fn to_tokens(mut value: Value, tokens: u64) -> String {
    let room = (tokens as f64 * BYTES_PER_TOKEN) as usize;
    let whole = value.to_string();
    if whole.len() <= room {
        return whole;
    }
    // Rows of a statement stand in a list; what is said of them needs a place beside it.
    if value.is_array() {
        value = json!({ "rows": value });
    }
    let mut cuts: Vec<(String, usize, usize)> = Vec::new();
    while value.to_string().len() + NOTE + 60 * cuts.len() > room {
        let Some((pointer, size)) = heaviest(&value) else {
            break;
        };
        let Some(place) = value.pointer_mut(&pointer) else {
            break;
        };
        let (before, after) = match place {
            Value::Array(items) => {
                let before = items.len();
                items.truncate(before / 2);
                (before, before / 2)
            }
            Value::String(text) => {
                let kept: String = text.chars().take(text.chars().count() / 2).collect();
                *text = kept + " …";
                (size, text.len())
            }
            _ => break,
        };
        match cuts.iter_mut().find(|(other, ..)| *other == pointer) {
            Some((.., shown)) => *shown = after,
            None => cuts.push((pointer, before, after)),
        }
    }
    // A list inside what was cut away later is no longer there to be counted.
    let left_out: Map<String, Value> = cuts
        .into_iter()
        .filter(|(pointer, ..)| value.pointer(pointer).is_some())
        .take(12)
        .map(|(pointer, of, shown)| (pointer, json!(format!("{shown} of {of} shown"))))
        .collect();
    if let Value::Object(fields) = &mut value {
        fields.insert("left_out".into(), Value::Object(left_out));
        let more = format!(
            "cut to about {tokens} tokens; the whole answer has about {}: ask for it with max_tokens, or for less",
            (whole.len() as f64 / BYTES_PER_TOKEN).ceil()
        );
        fields.insert("left_out_why".into(), more.into());
    }
    value.to_string()
}

/// What is cut next, its JSON pointer and size: of lists of several the one whose second half takes most room, else the longest
/// text, else the list of one that takes most.
fn heaviest(value: &Value) -> Option<(String, usize)> {
    let mut lists = Vec::new();
    let mut texts = Vec::new();
    walk(value, &mut String::new(), &mut lists, &mut texts);
    let (single, several): (Vec<_>, Vec<_>) = lists.into_iter().partition(|(.., n)| *n == 1);
    let bare = |found: Vec<(String, usize, usize)>| {
        found.into_iter().map(|(place, size, _)| (place, size)).collect()
    };
    let most =
        |found: Vec<(String, usize)>| found.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)));
    most(bare(several))
        .or_else(|| most(texts))
        .or_else(|| most(bare(single)))
}

/// Lists with what halving takes away and their length, and long texts.
fn walk(
    value: &Value,
    here: &mut String,
    lists: &mut Vec<(String, usize, usize)>,
    texts: &mut Vec<(String, usize)>,
) {
    let mut below = |key: &str, item: &Value, lists: &mut Vec<_>, texts: &mut Vec<_>| {
        let length = here.len();
        here.push('/');
        here.push_str(&key.replace('~', "~0").replace('/', "~1"));
        walk(item, here, lists, texts);
        here.truncate(length);
    };
    match value {
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                below(&place.to_string(), item, lists, texts);
            }
            if !items.is_empty() {
                let goes = items
                    .iter()
                    .skip(items.len() / 2)
                    .map(|item| item.to_string().len())
                    .sum();
                lists.push((here.clone(), goes, items.len()));
            }
        }
        Value::Object(fields) => {
            for (key, item) in fields {
                below(key, item, lists, texts);
            }
        }
        Value::String(text) if text.len() > 80 => texts.push((here.clone(), text.len())),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_untouched_and_what_does_not_says_what_went() {
        let small = json!({"a": [1, 2, 3]});
        assert_eq!(to_tokens(small.clone(), 100), small.to_string());
        let rows: Vec<Value> = (0..1000).map(|n| json!({"id": n, "x": [n, n]})).collect();
        let cut = to_tokens(json!({"kind": "k", "rows": rows}), 500);
        assert!(cut.len() <= 1250, "{}", cut.len());
        let cut: Value = serde_json::from_str(&cut).expect("JSON");
        let kept = cut["rows"].as_array().expect("a list");
        assert!(!kept.is_empty() && kept[0] == json!({"id": 0, "x": [0, 0]}));
        assert_eq!(cut["left_out"]["/rows"], format!("{} of 1000 shown", kept.len()));
    }

    #[test]
    fn rows_of_a_statement_are_cut_too() {
        let rows: Vec<Value> = (0..1000).map(|n| json!({"id": n})).collect();
        let cut: Value = serde_json::from_str(&to_tokens(Value::Array(rows), 400)).expect("JSON");
        assert_eq!(cut["rows"][0], json!({"id": 0}));
        assert!(cut["left_out"]["/rows"].is_string(), "{cut}");
    }

    #[test]
    fn one_long_text_is_cut_too() {
        let cut = to_tokens(json!({"text": "word ".repeat(5000)}), 400);
        assert!(cut.len() <= 1000, "{}", cut.len());
    }
}
