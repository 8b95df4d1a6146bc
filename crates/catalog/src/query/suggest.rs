//! Suggests existing names similar to an unknown name in a statement.

/// The names in `known` (tables, and columns as `table.column`) most similar to the one that the engine's `message`
/// reports, at most five, those in tables that the statement reads first.
pub(crate) fn names(message: &str, known: &[String]) -> Vec<String> {
    if let Some(word) = begun(message) {
        return vec![word];
    }
    // Functions are suggested by [`functions`].
    let Some(asked) = complained(message).filter(|_| unknown_function(message).is_none()) else {
        return Vec::new();
    };
    let is_table = !message.contains("No field named ");
    // For a column qualified by a table, columns of that table are preferred if any is similar.
    let of = asked
        .rsplit_once('.')
        .map(|(table, _)| format!("{}.", table.trim_matches('"')));
    let asked = asked.rsplit('.').next().unwrap_or(asked).to_ascii_lowercase();
    let mut near: Vec<(usize, &String)> = known
        .iter()
        .filter(|name| name.contains('.') != is_table)
        .filter_map(|name| {
            let last = name.rsplit('.').next().unwrap_or(name);
            let distance = distance(&asked, &last.to_ascii_lowercase());
            let akin = asked.len() >= 3 && (last.contains(&asked) || asked.contains(last) && last.len() >= 3);
            (distance <= 1 + asked.len() / 4 || akin).then_some((distance, name))
        })
        .collect();
    // Of equally similar ones, first those that the engine lists as candidates.
    near.sort_by_key(|(distance, name)| (*distance, !message.contains(name.as_str())));
    if let Some(table) = of.filter(|_| !is_table)
        && near.iter().any(|(_, name)| name.starts_with(&table))
    {
        near.retain(|(_, name)| name.starts_with(&table));
    }
    near.into_iter().take(5).map(|(_, name)| name.clone()).collect()
}

/// The unknown function in a message of the engine; `None` if the message is about something else.
pub(super) fn unknown_function(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("Invalid function '")?;
    Some(rest.split_once('\'')?.0)
}

/// Functions of other databases and spreadsheets, and how to write them here; the arguments replace `{}`.
const ELSEWHERE: [(&str, &str); 32] = [
    ("year", "date_part('year', {})"),
    ("month", "date_part('month', {})"),
    ("day", "date_part('day', {})"),
    ("hour", "date_part('hour', {})"),
    ("minute", "date_part('minute', {})"),
    ("second", "date_part('second', {})"),
    ("quarter", "date_part('quarter', {})"),
    ("week", "date_part('week', {})"),
    ("weekday", "date_part('dow', {})"),
    ("dayofweek", "date_part('dow', {})"),
    ("dayofyear", "date_part('doy', {})"),
    ("date_format", "to_char({})"),
    ("getdate", "now()"),
    ("average", "avg({})"),
    ("std", "stddev({})"),
    ("sd", "stddev({})"),
    ("variance", "var({})"),
    ("quantile", "approx_percentile_cont({})"),
    ("percentile", "approx_percentile_cont({})"),
    ("correlation", "corr({})"),
    ("pearson", "corr({})"),
    ("len", "length({})"),
    ("group_concat", "string_agg({}, ',')"),
    ("isnull", "coalesce({})"),
    ("if", "case when … then … else … end"),
    ("iif", "case when … then … else … end"),
    ("countif", "count(*) filter (where {})"),
    ("count_if", "count(*) filter (where {})"),
    ("count_distinct", "count(distinct {})"),
    ("int", "cast({} as int)"),
    ("float", "cast({} as double)"),
    ("str", "cast({} as text)"),
];

/// What an unknown function `asked` probably meant: similar names in `known`, or the equivalent here of a function from
/// elsewhere, with the arguments `values`.
pub(super) fn functions(asked: &str, values: Option<&[String]>, known: &[String]) -> Vec<String> {
    let asked = asked.to_ascii_lowercase();
    if let Some((_, here)) = ELSEWHERE.iter().find(|(name, _)| *name == asked) {
        let values = values.map_or_else(|| "…".to_owned(), |values| values.join(", "));
        return vec![here.replace("{}", &values)];
    }
    let mut near: Vec<(usize, bool, &String)> = known
        .iter()
        .map(|name| {
            let begins = name.chars().next() == asked.chars().next();
            (distance(&asked, name), !begins, name)
        })
        .filter(|(distance, _, name)| {
            *distance <= 1 + asked.len() / 4 && *distance < asked.len().min(name.len())
        })
        .collect();
    near.sort();
    let Some(&(nearest, other, _)) = near.first() else {
        return Vec::new();
    };
    near.retain(|(distance, begins, _)| (*distance, *begins) == (nearest, other));
    near.into_iter()
        .take(3)
        .map(|(_, _, name)| name.clone())
        .collect()
}

/// Keywords that begin a statement.
const BEGINNINGS: [&str; 6] = ["select", "with", "explain", "show", "describe", "values"];

/// The keyword that a misspelt first word of a statement probably meant, where the engine reports it as the error.
fn begun(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("an SQL statement, found: ")?;
    let found = rest.split([' ', '"']).next()?.to_ascii_lowercase();
    let near = BEGINNINGS.iter().min_by_key(|word| distance(&found, word))?;
    (distance(&found, near) <= 2).then(|| (*near).to_owned())
}

/// The name that the engine does not know: a column (`No field named x`), a table (`table 'a.b.x' not found`), a
/// function (`Invalid function 'x'`).
fn complained(message: &str) -> Option<&str> {
    for mark in ["No field named ", "table '", "Invalid function '"] {
        if let Some((_, rest)) = message.split_once(mark) {
            let rest = rest.trim_start_matches(['\'', '"', '`']);
            let end = rest.find(['\'', '"', '`', ' ', ',']).unwrap_or(rest.len());
            return Some(rest[..end].trim_end_matches('.')).filter(|name| !name.is_empty());
        }
    }
    None
}

/// Edit distance: insertions, deletions, substitutions and exchanges of neighbouring letters (Damerau 1964, each
/// position edited at most once).
pub(super) fn distance(one: &str, two: &str) -> usize {
    let (one, two): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=two.len()).collect()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let mut next = (rows[i][j] + usize::from(a != b))
                .min(row[j] + 1)
                .min(rows[i][j + 1] + 1);
            if i > 0 && j > 0 && *a == two[j - 1] && one[i - 1] == *b {
                next = next.min(rows[i - 1][j - 1] + 1);
            }
            row.push(next);
        }
        rows.push(row);
    }
    rows[one.len()][two.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names() {
        let known = [
            "interventions.layers",
            "scores",
            "scores.value",
            "structures.layers",
            "structures.kv_heads",
        ]
        .map(str::to_owned);
        assert_eq!(
            names(
                "Schema error: No field named layer. Valid fields are structures.layers.",
                &known
            ),
            ["structures.layers", "interventions.layers"]
        );
        assert_eq!(
            names("Error: table 'datafusion.public.score' not found", &known),
            ["scores"]
        );
        assert!(names("something else", &known).is_empty());
        let message =
            "SQL error: ParserError(\"Expected: an SQL statement, found: selec at Line: 1, Column: 1\")";
        assert_eq!(names(message, &known), ["select"]);
        assert!(names("Invalid function 'scores'.\nDid you mean 'score'?", &known).is_empty());
        assert_eq!((distance("kitten", "sitting"), distance("", "ab")), (3, 2));
        assert_eq!((distance("medain", "median"), distance("medain", "mean")), (1, 2));
    }

    #[test]
    fn near_functions() {
        let known = ["mean", "median", "min", "stddev", "sinh", "map", "corr", "round"].map(str::to_owned);
        let message = "Error during planning: Invalid function 'medain'.\nDid you mean 'mean'?";
        let asked = unknown_function(message).expect("a function");
        assert_eq!(functions(asked, None, &known), ["median"]);
        assert_eq!(functions("stdev", None, &known), ["stddev"]);
        assert_eq!(functions("cor", None, &known), ["corr"]);
        let day = ["day".to_owned()];
        assert_eq!(functions("YEAR", Some(&day), &known), ["date_part('year', day)"]);
        assert_eq!(functions("month", None, &known), ["date_part('month', …)"]);
        assert!(functions("regression", None, &known).is_empty());
        assert!(functions("zz", None, &known).is_empty());
    }
}
