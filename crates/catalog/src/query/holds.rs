//! Kinds of values in everyday words, from the engine's types and from the names of types in its messages.

use arrow::datatypes::DataType;

/// The kind of value in a column or literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Numbers, integer or not.
    Number,
    /// Text.
    Text,
    /// Booleans.
    Truth,
    /// Dates.
    Day,
    /// Timestamps and times of day.
    Time,
    /// Durations.
    Span,
    /// Lists and structs.
    Other,
}

impl Holds {
    /// The kind of a type; `None` for the type of null.
    pub(super) fn of(kind: &DataType) -> Option<Self> {
        Some(match kind {
            DataType::Null => return None,
            DataType::Dictionary(_, values) => return Self::of(values),
            DataType::Boolean => Self::Truth,
            DataType::Date32 | DataType::Date64 => Self::Day,
            DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Duration(_) | DataType::Interval(_) => Self::Span,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            kind if kind.is_numeric() => Self::Number,
            _ => Self::Other,
        })
    }

    /// The kind of a type or family of types given by the engine's name; `None` for other names.
    pub(super) fn named(name: &str) -> Option<Self> {
        let word = name.trim().split('(').next().unwrap_or_default();
        let is_number = ["Int", "UInt", "Float", "Decimal"]
            .iter()
            .filter_map(|family| word.strip_prefix(family))
            .any(|width| width.bytes().all(|byte| byte.is_ascii_digit()))
            || matches!(word, "Numeric" | "Integer");
        Some(match word {
            _ if is_number => Self::Number,
            "Utf8" | "LargeUtf8" | "Utf8View" | "String" => Self::Text,
            "Boolean" => Self::Truth,
            "Date" | "Date32" | "Date64" => Self::Day,
            "Timestamp" | "Time" | "Time32" | "Time64" => Self::Time,
            "Duration" | "Interval" => Self::Span,
            "List" | "LargeList" | "FixedSizeList" | "Struct" | "Map" => Self::Other,
            _ => return None,
        })
    }

    /// One such value, as worded in a sentence.
    pub(super) fn one(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "text",
            Self::Truth => "yes or no (true or false)",
            Self::Day => "a day",
            Self::Time => "a time",
            Self::Span => "a length of time",
            Self::Other => "a list or a group of values",
        }
    }

    /// Several such values, as worded in a sentence.
    pub(super) fn many(self) -> &'static str {
        match self {
            Self::Number => "numbers",
            Self::Text => "text",
            Self::Truth => "yes or no (true or false)",
            Self::Day => "days",
            Self::Time => "times",
            Self::Span => "lengths of time",
            Self::Other => "lists",
        }
    }
}

/// One value of a type given by the engine's name, as worded in a sentence.
pub(super) fn one(name: &str) -> String {
    Holds::named(name).map_or_else(|| name.trim().to_owned(), |holds| holds.one().to_owned())
}

/// A column's name as a statement must write it, quoted where necessary.
pub(super) fn written(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    // A computed column is named after its expression.
    if is_plain || name.contains('(') {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A string literal as a statement must write it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_plain_names() {
        for (name, wanted) in [
            ("Float64", "a number"),
            ("UInt8", "a number"),
            ("Decimal128(5, 2)", "a number"),
            ("Utf8View", "text"),
            ("Boolean", "yes or no (true or false)"),
            ("Date32", "a day"),
            ("Timestamp(ns)", "a time"),
            ("Interval(MonthDayNano)", "a length of time"),
            ("Anything", "Anything"),
        ] {
            assert_eq!(one(name), wanted);
        }
        assert_eq!(Holds::named("Any"), None);
        assert_eq!(Holds::of(&DataType::Null), None);
        assert_eq!(Holds::of(&DataType::Date32), Some(Holds::Day));
        assert_eq!(Holds::of(&DataType::UInt16), Some(Holds::Number));
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(written("kv_heads"), "kv_heads");
        assert_eq!(written("Odd X"), "\"Odd X\"");
        assert_eq!(written("max(own.day)"), "max(own.day)");
        assert_eq!(quoted("it's"), "'it''s'");
    }
}
