//! Checks whether the bytes of a `config.json` are a JSON object, as leniently as the libraries that use such files.
//!
//! UTF-16 and invalid UTF-8 are accepted here; byte-order marks and Python's `NaN` by the catalog's reader.

use catalog::config::json;
use serde_json::Value;

/// Parses the JSON object in `bytes`.
///
/// # Errors
/// A description of the problem where there is none.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, String> {
    let value = json::parse(text(bytes).as_bytes(), "config.json").map_err(|error| error.to_string())?;
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
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
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
