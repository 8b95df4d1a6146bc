//! Whether the bytes of a `config.json` are a JSON object, read as leniently as its users' libraries read it.
//!
//! A byte-order mark, UTF-16, bytes that are no text, and Python's `NaN` and `Infinity` (which become null) are let pass.

use serde_json::Value;

/// The object in `bytes`.
///
/// # Errors
/// Says why there is none.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, String> {
    let text = text(bytes);
    if text.trim().is_empty() {
        return Err("empty".into());
    }
    let value = serde_json::from_str(&text)
        .or_else(|first| serde_json::from_str(&without_nan(&text)).map_err(|_| first))
        .map_err(|error: serde_json::Error| error.to_string())?;
    match value {
        Value::Object(_) => Ok(value),
        Value::Array(_) => Err("an array, not an object".into()),
        _ => Err("a single value, not an object".into()),
    }
}

fn text(bytes: &[u8]) -> String {
    let wide = |from: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..]
            .chunks_exact(2)
            .map(|pair| from([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xFF, 0xFE, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => wide(u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// `text` with `NaN`, `Infinity` and `-Infinity` outside of strings replaced by `null`.
fn without_nan(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut inside, mut escaped) = (text, false, false);
    while let Some(character) = rest.chars().next() {
        let word = ["-Infinity", "Infinity", "NaN"]
            .into_iter()
            .find(|word| !inside && rest.starts_with(word));
        if let Some(word) = word {
            out.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        if !escaped && character == '"' {
            inside = !inside;
        }
        escaped = inside && !escaped && character == '\\';
        out.push(character);
        rest = &rest[character.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn reads_what_python_writes() {
        let value =
            read(b"\xef\xbb\xbf{\"a\": NaN, \"b\": -Infinity, \"c\": \"NaN \\\" Infinity\", \"d\": 7}")
                .expect("an object");
        assert_eq!(
            value,
            serde_json::json!({"a": null, "b": null, "c": "NaN \" Infinity", "d": 7})
        );
        let wide: Vec<u8> = "\u{feff}{\"a\": 1}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(read(&wide).expect("an object")["a"], 1);
        assert_eq!(
            read(b"{\"a\": 1, \"n\": \"caf\xe9\"}").expect("an object")["a"],
            1
        );
    }

    #[test]
    fn refuses_what_is_no_object() {
        let deep = "[".repeat(200_000);
        let texts: [&[u8]; 9] = [
            b"",
            b" \n",
            b"null",
            b"[{}]",
            b"\"x\"",
            b"<!DOCTYPE html>",
            b"{\"a\": 1,}",
            b"{\"a\": ",
            deep.as_bytes(),
        ];
        for text in texts {
            assert!(read(text).is_err());
        }
    }
}
