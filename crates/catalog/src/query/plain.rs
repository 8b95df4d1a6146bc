//! Rewrites the engine's messages about a statement in plain words: without the names of its components, its types and
//! its default database.

use super::mixed::{self, between};
use super::refusal::Refusal;
use super::suggest::unknown_function;
use crate::items;

/// Prefixes of the engine's messages that name the component.
const PARTS: [&str; 16] = [
    "Error during planning: ",
    "Schema error: ",
    "SQL error: ",
    "Execution error: ",
    "Arrow error: ",
    "External error: ",
    "Internal error: ",
    "Object Store error: ",
    "Parquet error: ",
    "Json error: ",
    "This feature is not implemented: ",
    "Invalid or Unsupported Configuration: ",
    "Invalid argument error: ",
    "type_coercion\n",
    "caused by\n",
    "Error: ",
];

/// Prefixes of table names: the engine's default database and schema.
const DATABASE: [&str; 2] = ["datafusion.public.", "datafusion."];

/// The message in plain words.
pub(super) fn words(message: &str) -> String {
    let told = without_parts(message);
    let told = told.trim();
    [
        of_types,
        of_table,
        of_column,
        of_function,
        of_grammar,
        of_ambiguity,
        mixed::of_arithmetic,
        of_groups,
        mixed::of_cast,
        mixed::of_comparison,
        mixed::of_condition,
        of_reading,
        of_rest,
    ]
    .iter()
    .find_map(|one| one(told))
    .unwrap_or_else(|| without_database(told))
}

/// The message without any prefixes, however many were added on the way.
fn without_parts(message: &str) -> &str {
    let mut text = message;
    loop {
        let before = text;
        for part in PARTS {
            text = text.strip_prefix(part).unwrap_or(text);
        }
        // `Optimizer rule 'x' failed`, followed by a line that announces the cause.
        if text.starts_with("Optimizer rule '")
            && let Some((_, cause)) = text.split_once("\ncaused by\n")
        {
            text = cause;
        }
        if text == before {
            return text;
        }
    }
}

fn without_database(text: &str) -> String {
    DATABASE
        .iter()
        .fold(text.to_owned(), |text, database| text.replace(database, ""))
}

/// The name of the table that does not exist, as in the statement; `None` for other messages.
pub(super) fn table(message: &str) -> Option<String> {
    let name = without_parts(message).trim();
    let name = name.strip_prefix("table '")?.strip_suffix("' not found")?;
    Some(without_database(name))
}

fn of_table(text: &str) -> Option<String> {
    let name = table(text)?;
    if items::VIEWS.iter().any(|(view, _)| *view == name) {
        return Some(format!(
            "`{name}` is a table of answers to items, and needs --items DIR (or --items builtin, those that come along)"
        ));
    }
    Some(
        if ["csv", "tsv", "parquet", "json"]
            .iter()
            .any(|end| name.ends_with(&format!(".{end}")))
        {
            format!(
                "there is no file `{name}` (paths start at the current folder, and stand in quotes: from '{name}')"
            )
        } else if name.contains(['/', '.']) {
            format!(
                "there is no table and no file named `{name}`; a file is named in quotes, as in: from 'FOLDER/FILE.csv'"
            )
        } else {
            format!("there is no table named `{name}`; `anatomy query --tables` lists all")
        },
    )
}

/// Greatest number of columns suggested.
const COLUMNS: usize = 48;

fn of_column(text: &str) -> Option<String> {
    let rest = text.strip_prefix("No field named ")?;
    let end = rest.find([' ', '\n']).unwrap_or(rest.len());
    let name = rest[..end].trim_end_matches('.').replace('"', "");
    let name = without_database(&name);
    let valid = rest.split_once("Valid fields are ").map(|(_, list)| list);
    let columns: Vec<String> = valid
        .map(|list| {
            list.trim()
                .trim_end_matches('.')
                .split(", ")
                .map(without_database)
                .collect()
        })
        .unwrap_or_default();
    let shown = match columns.len() {
        0 => String::new(),
        n if n <= COLUMNS => format!("; there are {}", columns.join(", ")),
        n => format!(
            "; there are {} and {} more",
            columns[..COLUMNS].join(", "),
            n - COLUMNS
        ),
    };
    Some(format!("there is no column named `{name}`{shown}"))
}

/// Functions that exist only together with a table of items.
pub(super) const OF_ITEMS: [&str; 3] = ["bootstrap", "mcnemar_p", "paired_interval"];

fn of_function(text: &str) -> Option<String> {
    let name = unknown_function(text)?;
    Some(if OF_ITEMS.contains(&name) {
        format!(
            "`{name}` is a function for answers to items, and needs --items DIR (or --items builtin, those that come along)"
        )
    } else {
        format!("there is no function named `{name}`")
    })
}

/// The message for a syntax error: `ParserError("Expected: …, found: … at Line: 1, Column: 1")`.
fn of_grammar(text: &str) -> Option<String> {
    let inner = ["ParserError(\"", "TokenizerError(\""]
        .iter()
        .find_map(|mark| text.strip_prefix(mark))?
        .trim_end_matches("\")")
        .replace("\\\"", "\"");
    let (said, place) = match inner.split_once(" at Line: ") {
        Some((said, place)) => {
            let (line, column) = place.split_once(", Column: ").unwrap_or((place, "?"));
            (said, format!("line {line}, column {column}: "))
        }
        None => (inner.as_str(), String::new()),
    };
    let said = match said
        .strip_prefix("Expected: ")
        .and_then(|rest| rest.split_once(", found: "))
    {
        Some((wanted, "EOF" | "")) => format!("the statement ends where {} should follow", article(wanted)),
        Some((wanted, found)) => format!("`{found}` stands where {} should stand", article(wanted)),
        None if said.contains("Unterminated string literal") => {
            "a text in quotes begins here and is not closed".to_owned()
        }
        None => said.to_owned(),
    };
    Some(format!("{place}{said}"))
}

/// The grammar's terms in plain words.
fn article(wanted: &str) -> String {
    match wanted {
        "an SQL statement" => "a statement (select …, with …)".into(),
        "an expression" => "a column or a value".into(),
        "identifier" => "a name".into(),
        "end of statement" => "the end of the statement".into(),
        other if other.starts_with("an ") || other.starts_with("a ") => other.into(),
        other => format!("`{other}`"),
    }
}

fn of_ambiguity(text: &str) -> Option<String> {
    let name = text.strip_prefix("Ambiguous reference to unqualified field ")?;
    let name = name.trim_matches('"');
    Some(format!(
        "`{name}` is a column of more than one of these tables: write which, as TABLE.{name} or with the table's alias"
    ))
}

fn of_groups(text: &str) -> Option<String> {
    if !text.contains("must appear in the GROUP BY clause") {
        return None;
    }
    let name = between(text, "column \"", "\"")?;
    Some(format!(
        "column `{name}` is selected and neither named in `group by` nor inside a function of groups, as avg({name})"
    ))
}

/// The message for files whose format is not that of their name.
fn of_reading(text: &str) -> Option<String> {
    let is_no_parquet = ["Invalid Parquet file", "Parquet files are at least"]
        .iter()
        .any(|start| text.contains(start));
    if is_no_parquet {
        return Some(format!(
            "a file named .parquet is no Parquet file, or was cut short ({text}): name it by its kind, or copy it again"
        ));
    }
    text.contains("Expected JSON record to be an object").then(|| {
        "a file named .json must hold JSON lines, one object a line, and this one holds something else, as a list of objects".to_owned()
    })
}

/// Short messages in the engine's own terms.
fn of_rest(text: &str) -> Option<String> {
    if text.contains("No SQL statements were provided") {
        return Some("the statement is empty: write one, as in: select * from scores limit 5".into());
    }
    if text.contains("only supports a single SQL statement") {
        return Some("one statement at a time: nothing may follow the first `;`".into());
    }
    if text.contains("Divide by zero") {
        return Some("a division by zero: nullif(x, 0) makes the divisor absent instead".into());
    }
    if text.contains("Scalar subquery returned more than one row") {
        return Some("a statement in brackets that stands for one value gives more than one row: add `limit 1` or a function of groups".into());
    }
    if let Some(key) = between(text, "could not find config namespace for key \"", "\"") {
        return Some(format!("there is no setting named `{key}`"));
    }
    None
}

/// A message about the argument types of a function, without the list of all overloads.
fn of_types(text: &str) -> Option<String> {
    Refusal::of(text).map(|refusal| refusal.words(None))
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn no_word_of_the_engine_is_left() {
        for (engine, plain) in [
            (
                "Error during planning: table 'datafusion.public.score' not found",
                "there is no table named `score`; `anatomy query --tables` lists all",
            ),
            (
                "Error during planning: table 'datafusion.badcell.csv' not found",
                "there is no file `badcell.csv` (paths start at the current folder, and stand in quotes: from 'badcell.csv')",
            ),
            (
                "Schema error: No field named layer. Did you mean 'structures.layers'?\nValid fields are structures.id, structures.layers.",
                "there is no column named `layer`; there are structures.id, structures.layers",
            ),
            (
                "SQL error: ParserError(\"Expected: an SQL statement, found: selec at Line: 1, Column: 1\")",
                "line 1, column 1: `selec` stands where a statement (select …, with …) should stand",
            ),
            (
                "SQL error: ParserError(\"Expected: an expression, found: EOF\")",
                "the statement ends where a column or a value should follow",
            ),
            (
                "SQL error: ParserError(\"Expected: ), found: from at Line: 1, Column: 16\")",
                "line 1, column 16: `from` stands where `)` should stand",
            ),
            (
                "SQL error: TokenizerError(\"Unterminated string literal at Line: 1, Column: 8\")",
                "line 1, column 8: a text in quotes begins here and is not closed",
            ),
            (
                "Error during planning: Invalid function 'medain'.\nDid you mean 'median'?",
                "there is no function named `medain`",
            ),
            (
                "Error during planning: Cannot coerce arithmetic expression Float64 + Utf8 to valid types",
                "`+` takes numbers, and here it stands between a number and text: a text becomes a number with try_cast(… as double)",
            ),
            (
                "Optimizer rule 'eliminate_limit' failed\ncaused by\nError during planning: LIMIT must be >= 0, '-1' was provided",
                "LIMIT must be >= 0, '-1' was provided",
            ),
            (
                "Optimizer rule 'simplify_expressions' failed\ncaused by\nArrow error: Cast error: Cannot cast string 'abc' to value of Float64 type",
                "the text 'abc' is no number, and a number is needed: try_cast(… as double) leaves out what is none",
            ),
            (
                "Invalid or Unsupported Configuration: could not find config namespace for key \"x\"",
                "there is no setting named `x`",
            ),
            (
                "Error during planning: Invalid function 'mcnemar_p'.\nDid you mean 'make_array'?",
                "`mcnemar_p` is a function for answers to items, and needs --items DIR (or --items builtin, those that come along)",
            ),
            (
                "Error during planning: table 'datafusion.public.item_difficulty' not found",
                "`item_difficulty` is a table of answers to items, and needs --items DIR (or --items builtin, those that come along)",
            ),
            (
                "Error during planning: No SQL statements were provided in the query string",
                "the statement is empty: write one, as in: select * from scores limit 5",
            ),
            (
                "Error during planning: No function matches the given name and argument types 'avg(Boolean)'. You might need to add \
                 explicit type casts.\n\tCandidate functions:\n\tavg(Float64)",
                "what it is given is yes or no (true or false), and `avg` takes numbers: avg(cast(… as int))",
            ),
            (
                "Parquet error: Parquet error: Invalid Parquet file. Corrupt footer",
                "a file named .parquet is no Parquet file, or was cut short (Invalid Parquet file. Corrupt footer): name it by its \
                 kind, or copy it again",
            ),
            (
                "Arrow error: Divide by zero error",
                "a division by zero: nullif(x, 0) makes the divisor absent instead",
            ),
        ] {
            assert_eq!(words(engine), plain);
        }
    }

    #[test]
    fn what_is_not_known_loses_the_names_of_parts_alone() {
        assert_eq!(
            words("Execution error: Unsupported date_trunc granularity: 'foo' of datafusion.public.scores"),
            "Unsupported date_trunc granularity: 'foo' of scores"
        );
        assert_eq!(
            words("Schema error: Ambiguous reference to unqualified field id"),
            "`id` is a column of more than one of these tables: write which, as TABLE.id or with the table's alias"
        );
    }
}
