//! JSON as Python writes it: possibly with a byte-order mark, and with `NaN` and `Infinity` as values.

use serde_json::{Map, Value};

/// The object in `bytes`; `NaN`, `Infinity` and `-Infinity` outside of strings are read as null.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).or_else(|first| {
        let plain = std::str::from_utf8(bytes).map(common::python_json::without_nan);
        match plain {
            Ok(plain) if plain.as_bytes() != bytes => serde_json::from_str(&plain).map_err(|_| first),
            _ => Err(first),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::object;
    use crate::config::fields::Fields;

    #[test]
    fn what_python_writes_is_read() {
        let read = object(
            "\u{feff}{\"a\": [0.0, Infinity], \"b\": NaN, \"c\": \"NaN \\\" Infinity\", \"d\": \"True\"}"
                .as_bytes(),
        )
        .expect("an object");
        assert!(read["a"][1].is_null() && read["b"].is_null());
        assert_eq!(read["c"], "NaN \" Infinity");
        let fields = Fields(&read);
        assert!(matches!(fields.flag("d", false), Ok(true)));
        assert!(fields.flag("c", false).is_err());
        let broken = object(b"{\"a\": Infinity, ?}").expect_err("no JSON");
        assert_eq!(broken.column(), 7, "the place is that of the file");
    }
}
