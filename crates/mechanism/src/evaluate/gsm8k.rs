//! Extracts the answer from a generated text by the harness's two filters for GSM8K, and decides whether it is right.
//!
//! `strict-match`: the first `#### (-?[0-9.,]+)`. `flexible-extract`: the last match of `(-?[$0-9.,]{2,})|(-?[0-9]+)`.
//! Answers are compared in lower case, without `,`, `$`, everything up to the last `#### `, and a final full stop.

/// Stop strings of generation, besides the end-of-text token.
pub(super) const UNTIL: [&str; 3] = ["Question:", "</s>", "<|im_end|>"];

/// The result of a filter that finds no match.
const INVALID: &str = "[invalid]";

/// Length of the longest prefix of `text` that consists of `allowed` characters, bytes.
fn run_of(text: &str, allowed: impl Fn(char) -> bool) -> usize {
    text.find(|c| !allowed(c)).unwrap_or(text.len())
}

/// Applies the filter `strict-match`.
pub(super) fn strict(text: &str) -> String {
    let mut rest = text;
    while let Some(at) = rest.find("#### ") {
        let answer = &rest[at + 5..];
        let sign = usize::from(answer.starts_with('-'));
        let n = run_of(&answer[sign..], |c| c.is_ascii_digit() || c == '.' || c == ',');
        if n > 0 {
            return answer[..sign + n].to_owned();
        }
        rest = &rest[at + 1..];
    }
    INVALID.to_owned()
}

/// Applies the filter `flexible-extract`.
pub(super) fn flexible(text: &str) -> String {
    let mut last = None;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let sign = usize::from(rest.starts_with('-'));
        let money = run_of(&rest[sign..], |c| {
            c.is_ascii_digit() || matches!(c, '$' | '.' | ',')
        });
        let digits = run_of(&rest[sign..], |c| c.is_ascii_digit());
        let n = if money >= 2 { money } else { digits };
        if n > 0 {
            last = Some(&rest[..sign + n]);
            at += sign + n;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    last.unwrap_or(INVALID).trim().to_owned()
}

/// Whether an extracted answer equals that of the solution `right`.
pub(super) fn matches(answer: &str, right: &str) -> bool {
    bare(answer) == bare(right)
}

fn bare(text: &str) -> String {
    let text = text.replace([',', '$'], "");
    let text = text
        .rsplit_once("#### ")
        .map_or(text.as_str(), |(_, after)| after);
    // Python's `$` matches at the end and also before a final line feed.
    let (body, feed) = match text.strip_suffix('\n') {
        Some(body) if !text.ends_with('.') => (body, "\n"),
        _ => (text, ""),
    };
    format!("{}{feed}", body.strip_suffix('.').unwrap_or(body)).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{flexible, matches, strict};

    /// The expected values are from Python's `re` with the harness's patterns.
    #[test]
    fn answers_are_found_as_the_harness_finds_them() {
        for (text, by_strict, by_flexible) in [
            (" so 3.\n#### 54\n\n", "54", "54"),
            ("#### -1,234.5", "-1,234.5", "-1,234.5"),
            ("it costs $18.", "[invalid]", "$18."),
            ("#### x #### 7", "7", "7"),
            ("no number", "[invalid]", "[invalid]"),
            ("a - b = 5", "[invalid]", "5"),
            ("##### 9 and 10, 11", "9", "11"),
            ("minus -7", "[invalid]", "-7"),
            ("end ..", "[invalid]", ".."),
        ] {
            assert_eq!(strict(text), by_strict, "{text:?}");
            assert_eq!(flexible(text), by_flexible, "{text:?}");
        }
        assert!(matches("$1,018.", "She sells.\n#### 1018"));
        assert!(!matches("[invalid]", "#### 18"));
        assert!(!matches("18.0", "#### 18"));
    }
}
