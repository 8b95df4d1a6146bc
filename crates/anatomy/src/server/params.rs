//! Typed access to query parameters; in strict mode unknown names are rejected.

use super::problem::Problem;

/// Maximum length of a parameter in characters, except for those with texts or lists.
const MOST_CHARACTERS: usize = 200;
/// Parameters with texts and their maximum length: an address has 64 KiB, and a character takes up to twelve bytes.
const TEXTS: [(&str, usize); 2] = [("sql", 5_000), ("config", 4_000)];
/// Maximum number of items of a list, and maximum length of a list in characters.
const MOST_ITEMS: usize = 40;
const LIST_CHARACTERS: usize = 5_000;
/// Parameters that are comma-separated lists.
const LISTS: [&str; 5] = ["benchmarks", "columns", "context", "quant", "task"];

/// The pairs of a query string, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// For programs: names not in `known` are rejected, and empty values are kept.
    pub(crate) fn strict(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, Problem> {
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            return Err(Problem::bad(format!("no parameter named `{name}`"))
                .with_hint(format!("there are {}", known.join(", "))));
        }
        for (name, value) in &pairs {
            let text = TEXTS.iter().find(|(text, _)| text == name);
            let is_list = LISTS.contains(&name.as_str());
            let usual = if is_list { LIST_CHARACTERS } else { MOST_CHARACTERS };
            let most = text.map_or(usual, |(_, most)| *most);
            let n = value.chars().count();
            if n > most {
                return Err(Problem::bad(format!(
                    "`{name}` has {n} characters; {most} are the most"
                )));
            }
            if is_list && value.split(',').any(|item| item.trim().is_empty()) {
                return Err(Problem::bad(format!(
                    "`{name}` is {value:?}, a list with an empty item"
                )));
            }
            let n = value.split(',').count();
            if is_list && n > MOST_ITEMS {
                return Err(Problem::bad(format!(
                    "`{name}` has {n} items; {MOST_ITEMS} are the most"
                )));
            }
        }
        Ok(Self { pairs })
    }

    /// For forms: empty fields are dropped, and unknown names are kept.
    pub(crate) fn form(pairs: Vec<(String, String)>) -> Self {
        let pairs = pairs
            .into_iter()
            .map(|(name, value)| (name, value.trim().to_owned()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        Self { pairs }
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// The single value of a parameter.
    ///
    /// # Errors
    /// The parameter is given more than once.
    pub(crate) fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Problem> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Problem::bad(format!("`{name}` is given more than once"))),
            None => Ok(first),
        }
    }

    /// Every value of a parameter, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter, split at commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.all(name)
            .flat_map(|value| value.split(','))
            .map(|piece| piece.trim().to_owned())
            .filter(|piece| !piece.is_empty())
            .collect()
    }

    /// A finite number; `None` where the parameter is missing.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Problem> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(value)),
            _ => Err(Problem::bad(format!("`{name}` must be a number, got {text:?}"))),
        }
    }

    /// An integer between two limits, inclusive; `None` where the parameter is missing.
    pub(crate) fn count(&self, name: &str, least: usize, most: usize) -> Result<Option<usize>, Problem> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        match text.parse::<usize>() {
            Ok(value) if (least..=most).contains(&value) => Ok(Some(value)),
            _ => Err(Problem::bad(format!(
                "`{name}` must be an integer between {least} and {most}, got {text:?}"
            ))),
        }
    }

    /// A Boolean; `None` where the parameter is missing.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.one(name)? {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(text) => Err(Problem::bad(format!(
                "`{name}` must be true or false, got {text:?}"
            ))),
        }
    }

    /// The pairs as a query string, without the names in `without` and with `with` appended.
    pub(crate) fn link(&self, without: &[&str], with: &[(&str, &str)]) -> String {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !without.contains(name))
            .chain(with.iter().copied())
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect::<Vec<_>>()
            .join("&")
    }
}

/// Percent-encoding of everything but letters, digits and `-._~` (RFC 3986, unreserved).
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[(&str, &str)]) -> Vec<(String, String)> {
        text.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect()
    }

    #[test]
    fn programs_are_told_what_is_wrong_and_forms_are_forgiven() {
        let unknown = Params::strict(pairs(&[("limt", "3")]), &["limit"]).expect_err("unknown");
        assert!(unknown.detail.contains("limt") && unknown.hint.is_some_and(|hint| hint.contains("limit")));
        let params = Params::strict(
            pairs(&[("limit", ""), ("x", "NaN"), ("f", "yes")]),
            &["limit", "x", "f"],
        )
        .expect("known names");
        assert!(params.count("limit", 1, 10).is_err());
        assert!(params.number("x").is_err());
        assert!(params.flag("f").is_err());
        let long = "x".repeat(201);
        for (name, value) in [
            ("q", long.as_str()),
            ("columns", ""),
            ("columns", "id,,size"),
            ("columns", &"id,".repeat(41)[..122]),
        ] {
            assert!(Params::strict(pairs(&[(name, value)]), &["q", "columns"]).is_err());
        }
        let form = Params::form(pairs(&[("limit", " "), ("q", " a&b ")]));
        assert_eq!(form.count("limit", 1, 10).expect("not filled in"), None);
        assert_eq!(form.link(&["limit"], &[("sort", "-size")]), "q=a%26b&sort=-size");
        let twice = Params::form(pairs(&[("q", "a"), ("q", "b,c")]));
        assert!(twice.one("q").is_err());
        assert_eq!(twice.list("q"), ["a", "b", "c"]);
    }
}
