//! What the engine says of a statement, in words that need not know the engine: without the names of its parts, of its types and of
//! the database that it believes to be in.

/// What stands before a message of the engine's and says which of its parts spoke.
const PARTS: [&str; 14] = [
    "Error during planning: ",
    "Schema error: ",
    "SQL error: ",
    "Execution error: ",
    "Arrow error: ",
    "External error: ",
    "Internal error: ",
    "Object Store error: ",
    "This feature is not implemented: ",
    "Invalid or Unsupported Configuration: ",
    "Invalid argument error: ",
    "type_coercion\n",
    "caused by\n",
    "Error: ",
];

/// Where the engine believes its tables to be.
const DATABASE: [&str; 2] = ["datafusion.public.", "datafusion."];

/// Types as the engine writes them, and what they hold.
const TYPES: [(&str, &str); 10] = [
    ("Utf8View", "text"),
    ("LargeUtf8", "text"),
    ("Utf8", "text"),
    ("Float64", "a number"),
    ("Float32", "a number"),
    ("Int64", "a whole number"),
    ("Int32", "a whole number"),
    ("UInt64", "a whole number"),
    ("Boolean", "true or false"),
    ("Date32", "a day"),
];

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
        of_arithmetic,
        of_groups,
        of_cast,
        of_rest,
    ]
    .iter()
    .find_map(|one| one(told))
    .unwrap_or_else(|| without_database(told))
}

/// The message without who said it, however deep it was handed on.
fn without_parts(message: &str) -> &str {
    let mut text = message;
    loop {
        let before = text;
        for part in PARTS {
            text = text.strip_prefix(part).unwrap_or(text);
        }
        // `Optimizer rule 'x' failed` and a line that says that something caused it.
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

/// Inside of the first two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

fn of_table(text: &str) -> Option<String> {
    let name = text.strip_prefix("table '")?.strip_suffix("' not found")?;
    let name = without_database(name);
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

/// Columns that a statement could have meant, at most.
const COLUMNS: usize = 24;

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

fn of_function(text: &str) -> Option<String> {
    let name = between(text, "Invalid function '", "'")?;
    Some(format!("there is no function named `{name}`"))
}

/// What the grammar wants: `ParserError("Expected: …, found: … at Line: 1, Column: 1")`.
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

/// What the grammar calls things, for people.
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

fn of_arithmetic(text: &str) -> Option<String> {
    let rest = text.split_once("Cannot coerce arithmetic expression ")?.1;
    let rest = rest
        .split_once(" to valid types")
        .map_or(rest, |(sides, _)| sides);
    let operator = ["+", "-", "*", "/", "%"]
        .into_iter()
        .find(|operator| rest.contains(&format!(" {operator} ")))?;
    let (left, right) = rest.split_once(&format!(" {operator} "))?;
    Some(format!(
        "`{operator}` takes numbers, and here it stands between {} and {}: a text becomes a number with try_cast(… as double)",
        holds(left),
        holds(right)
    ))
}

/// What a type holds, for people.
fn holds(kind: &str) -> String {
    TYPES
        .iter()
        .find(|(name, _)| kind.trim() == *name)
        .map_or_else(|| kind.trim().to_owned(), |(_, words)| (*words).to_owned())
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

fn of_cast(text: &str) -> Option<String> {
    let value = between(text, "Cannot cast string '", "'")?;
    Some(format!(
        "the text '{value}' is no number, and a number is needed: try_cast(… as double) leaves out what is none"
    ))
}

/// Short messages that say it in the engine's words.
fn of_rest(text: &str) -> Option<String> {
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

/// A message about the types of a function, without an account of every overload that was tried.
fn of_types(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("No function matches the given name and argument types '")?;
    let (asked, rest) = rest.split_once('\'')?;
    let takes: Vec<&str> = rest
        .split_once("Candidate functions:")
        .map(|(_, list)| {
            list.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect()
        })
        .unwrap_or_default();
    Some(format!(
        "no function takes these types: {asked} (Utf8 is text){}",
        if takes.is_empty() {
            String::new()
        } else {
            format!("; there are {}", takes.join(", "))
        }
    ))
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
