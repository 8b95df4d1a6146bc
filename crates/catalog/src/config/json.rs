//! Lenient JSON parsing: byte-order marks, `NaN` and `Infinity`, duplicate keys (the last counts).

use serde_json::Value;

use crate::error::Error;

/// Parses `bytes`. `NaN`, `Infinity` and `-Infinity` outside strings become null; `file` is the name used in errors.
///
/// # Errors
/// [`Error::Empty`], [`Error::NotUtf8`], or [`Error::Json`] with line and column.
pub fn parse(bytes: &[u8], file: &str) -> Result<Value, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::Empty {
            file: file.to_owned(),
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.split(|&byte| byte == b'\n').count();
        let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
        Error::Json {
            file: file.to_owned(),
            line,
            column,
            message: "not UTF-8".to_owned(),
        }
    })?;
    serde_json::from_str(text)
        .or_else(|first| {
            let plain = common::python_json::without_nan(text);
            if plain == text {
                Err(first)
            } else {
                serde_json::from_str(&plain).map_err(|_| first)
            }
        })
        .map_err(|error| Error::Json {
            file: file.to_owned(),
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_outside_of_text_is_null() -> Result<(), Error> {
        let value = parse(
            b"\xef\xbb\xbf{\"a\": NaN, \"b\": [-Infinity, Infinity], \"c\": \"NaN \\\" NaN\", \"a\": 3}",
            "x",
        )?;
        assert_eq!(value["a"], 3);
        assert!(value["b"][0].is_null() && value["b"][1].is_null());
        assert_eq!(value["c"], "NaN \" NaN");
        Ok(())
    }

    #[test]
    fn broken_text_says_where() {
        let error = parse(b"{\n \"a\": ?}", "x").map_err(|e| e.to_string());
        assert_eq!(
            error,
            Err("x, line 2, column 7: expected value at line 2 column 7".to_owned())
        );
        assert!(matches!(parse(b"  \n", "x"), Err(Error::Empty { .. })));
        assert!(matches!(
            parse(b"{\"a\":\n\xff}", "x"),
            Err(Error::Json {
                line: 2,
                column: 1,
                ..
            })
        ));
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        assert!(matches!(
            parse("[".repeat(100_000).as_bytes(), "x"),
            Err(Error::Json { .. })
        ));
    }
}
