//! JSON as Python's `json` module writes it, which includes values that the JSON standard does not allow.

/// `text` with bare `NaN`, `Infinity` and `-Infinity`, which are not JSON, replaced by `null`; strings are left as they
/// are.
///
/// ```
/// let read = common::python_json::without_nan("{\"a\": NaN, \"b\": \"NaN\"}");
/// assert_eq!(read, "{\"a\": null, \"b\": \"NaN\"}");
/// ```
pub fn without_nan(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let (mut inside, mut escaped) = (false, false);
    while let Some(character) = rest.chars().next() {
        if !inside
            && let Some(word) = ["-Infinity", "Infinity", "NaN"]
                .into_iter()
                .find(|word| rest.starts_with(word))
        {
            out.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        match character {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            _ => {}
        }
        out.push(character);
        rest = &rest[character.len_utf8()..];
    }
    out
}
