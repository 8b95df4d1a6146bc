//! Rewrites the engine's messages about values of different kinds used together in plain words.

use super::days;
use super::headers::values;
use super::holds::{Holds, one, quoted};

/// The text between the first `before` and the next `after`.
pub(super) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// The message for arithmetic with a value that is not a number.
pub(super) fn of_arithmetic(text: &str) -> Option<String> {
    let rest = [
        "Cannot coerce arithmetic expression ",
        "Cannot get result type for temporal operation ",
    ]
    .iter()
    .find_map(|mark| Some(text.split_once(mark)?.1))?;
    let rest = rest
        .split_once(" to valid types")
        .or_else(|| rest.split_once(": "))
        .map_or(rest, |(sides, _)| sides);
    let operator = ["+", "-", "*", "/", "%"]
        .into_iter()
        .find(|operator| rest.contains(&format!(" {operator} ")))?;
    let (left, right) = rest.split_once(&format!(" {operator} "))?;
    let sides = [left, right].map(Holds::named);
    let remedy = if sides.contains(&Some(Holds::Truth)) {
        "a yes or no becomes 1 or 0 with cast(… as int)"
    } else if sides.contains(&Some(Holds::Day)) || sides.contains(&Some(Holds::Time)) {
        "date_part('year', …) is a number, and a day less a day the days between them"
    } else {
        "a text becomes a number with try_cast(… as double)"
    };
    Some(format!(
        "`{operator}` takes numbers, and here it stands between {} and {}: {remedy}",
        one(left),
        one(right)
    ))
}

/// The text that the engine could not convert to another kind, and that kind.
pub(super) fn uncast(message: &str) -> Option<(String, Option<Holds>)> {
    for mark in ["Cannot cast string '", "Cannot cast value '"] {
        if let Some((_, rest)) = message.split_once(mark) {
            let (cell, kind) = rest.rsplit_once("' to value of ")?;
            let kind = kind.trim().strip_suffix(" type").unwrap_or(kind);
            return Some((cell.to_owned(), Holds::named(kind)));
        }
    }
    let (_, rest) = message.split_once("Error parsing timestamp from '")?;
    Some((rest.rsplit_once("': ")?.0.to_owned(), Some(Holds::Time)))
}

/// The message for a text where another kind is needed.
pub(super) fn of_cast(text: &str) -> Option<String> {
    let (cell, kind) = uncast(text)?;
    let cell = quoted(&cell);
    Some(match kind {
        Some(Holds::Day | Holds::Time) => {
            let instead = days::instead_of_text(cell.trim_matches('\''));
            format!("the text {cell} is no day, and a day is needed: {instead}")
        }
        Some(Holds::Truth) => format!("the text {cell} is neither true nor false, and one of them is needed"),
        _ => format!(
            "the text {cell} is no number, and a number is needed: try_cast(… as double) leaves out what is none"
        ),
    })
}

/// The message for values of different kinds that are compared or joined.
pub(super) fn of_comparison(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.split_once("Can not find compatible types to compare ") {
        let (left, right) = rest.split_once(" with [")?;
        let right = right.split([',', ']']).next()?;
        return Some(format!(
            "`in` compares one kind with itself, and here {} with {}{}",
            one(left),
            one(right),
            remedy(&[left, right])
        ));
    }
    if let Some((_, rest)) = text.split_once("There isn't a common type to coerce ") {
        let (left, rest) = rest.split_once(" and ")?;
        let (right, operator) = rest.split_once(" in ")?;
        let operator = operator.strip_suffix(" expression").unwrap_or(operator);
        return Some(format!(
            "`{}` takes text, and here it stands between {} and {}: cast(… as text) makes text of others",
            operator.to_ascii_lowercase(),
            one(left),
            one(right)
        ));
    }
    if let Some((_, rest)) = text.split_once("Cannot infer common string type for string concat operation ") {
        let (left, right) = rest.split_once(" || ")?;
        return Some(format!(
            "`||` joins texts, and here it stands between {} and {}: cast(… as text) makes text of others",
            one(left),
            one(right)
        ));
    }
    if let Some((_, rest)) = text.split_once("argument type for logical boolean operation ") {
        let (left, operator, right) = split(rest, &[" AND ", " OR "])?;
        return Some(format!(
            "`{}` joins conditions, and here it stands between {} and {}: compare it, as in … > 0",
            operator.to_ascii_lowercase(),
            one(left),
            one(right)
        ));
    }
    let (_, rest) = text.split_once("argument type for comparison operation ")?;
    let operators = [
        " IS NOT DISTINCT FROM ",
        " IS DISTINCT FROM ",
        " >= ",
        " <= ",
        " != ",
        " = ",
        " < ",
        " > ",
    ];
    let (left, operator, right) = split(rest, &operators)?;
    Some(format!(
        "`{}` compares one kind with itself, and here it stands between {} and {}{}",
        operator.replace("!=", "<>").to_ascii_lowercase(),
        one(left),
        one(right),
        remedy(&[left, right])
    ))
}

/// The text before and after the first operator found, and that operator.
fn split<'a>(text: &'a str, operators: &[&'a str]) -> Option<(&'a str, &'a str, &'a str)> {
    operators.iter().find_map(|operator| {
        let (left, right) = text.split_once(operator)?;
        Some((left, operator.trim(), right))
    })
}

/// Advice on what to write where values of these kinds are compared.
fn remedy(kinds: &[&str]) -> &'static str {
    let has = |holds: Holds| kinds.iter().any(|kind| Holds::named(kind) == Some(holds));
    if has(Holds::Truth) {
        ": write … = true or … = false"
    } else if has(Holds::Day) || has(Holds::Time) {
        ": a day is written '2024-01-31', and date_part('year', …) is a number"
    } else {
        ": cast(… as text) makes text of others"
    }
}

/// The message for a value that must be a Boolean and is not.
pub(super) fn of_condition(text: &str) -> Option<String> {
    if let Some(value) = between(text, "non-boolean predicate '", "' returning ") {
        let kind = text.rsplit_once(" returning ")?.1;
        return Some(format!(
            "a condition is {}, and `{}` is {}: compare it, as in … > 0 or … = 'a'",
            Holds::Truth.one(),
            values(value),
            one(kind)
        ));
    }
    if let Some((_, kind)) = text.split_once("Unary operator 'NOT' requires a boolean expression, got ") {
        return Some(format!(
            "`not` takes what is {}, and here {}: compare it, as in not … > 0",
            Holds::Truth.one(),
            one(kind)
        ));
    }
    text.contains("Unary operator '-' only supports").then(|| {
        "`-` before a value takes a number, and here it is none: a yes or no becomes 1 or 0 with cast(… as int), and a text a number with \
         try_cast(… as double)"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use crate::query::plain::words;

    #[test]
    fn values_of_different_kinds_are_told_in_plain_words() {
        for (engine, plain) in [
            (
                "Error during planning: Cannot coerce arithmetic expression Boolean + Int64 to valid types",
                "`+` takes numbers, and here it stands between yes or no (true or false) and a number: a yes or no becomes 1 or 0 with \
                 cast(… as int)",
            ),
            (
                "Error during planning: Cannot get result type for temporal operation Date32 * Int64: Invalid argument error: Invalid",
                "`*` takes numbers, and here it stands between a day and a number: date_part('year', …) is a number, and a day less a \
                 day the days between them",
            ),
            (
                "Optimizer rule 'simplify_expressions' failed\ncaused by\nArrow error: Cast error: Cannot cast string '01.02.2024' to value of Date32 type",
                "the text '01.02.2024' is no day, and a day is needed: write '2024-02-01' (year-month-day)",
            ),
            (
                "Arrow error: Parser error: Error parsing timestamp from 'x': timestamp must contain at least 10 characters",
                "the text 'x' is no day, and a day is needed: a day is written '2024-01-31' (year-month-day)",
            ),
            (
                "Arrow error: Cast error: Cannot cast value 'x' to value of Boolean type",
                "the text 'x' is neither true nor false, and one of them is needed",
            ),
            (
                "Error during planning: Cannot infer common argument type for comparison operation Boolean = Int64",
                "`=` compares one kind with itself, and here it stands between yes or no (true or false) and a number: write … = true or \
                 … = false",
            ),
            (
                "Error during planning: Cannot infer common argument type for comparison operation Date32 < Float64",
                "`<` compares one kind with itself, and here it stands between a day and a number: a day is written '2024-01-31', and \
                 date_part('year', …) is a number",
            ),
            (
                "Error during planning: Can not find compatible types to compare Boolean with [Int64, Int64]",
                "`in` compares one kind with itself, and here yes or no (true or false) with a number: write … = true or … = false",
            ),
            (
                "Error during planning: There isn't a common type to coerce Date32 and Utf8 in LIKE expression",
                "`like` takes text, and here it stands between a day and text: cast(… as text) makes text of others",
            ),
            (
                "Error during planning: Cannot create filter with non-boolean predicate 'own.id + Int64(1)' returning Int64",
                "a condition is yes or no (true or false), and `own.id + 1` is a number: compare it, as in … > 0 or … = 'a'",
            ),
            (
                "Error during planning: Cannot infer common argument type for logical boolean operation Int64 AND Boolean",
                "`and` joins conditions, and here it stands between a number and yes or no (true or false): compare it, as in … > 0",
            ),
        ] {
            assert_eq!(words(engine), plain);
        }
    }
}
