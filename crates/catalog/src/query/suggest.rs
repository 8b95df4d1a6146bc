//! Which existing names look like one that a statement got wrong.

/// The names in `known` (tables, and columns as `table.column`) nearest to the one the engine's `message` complains
/// about, at most five, those of the tables that the statement reads first.
pub(crate) fn names(message: &str, known: &[String]) -> Vec<String> {
    if let Some(word) = begun(message) {
        return vec![word];
    }
    let Some(asked) = complained(message) else {
        return Vec::new();
    };
    // Of functions the engine knows best.
    if message.contains("Invalid function '") {
        let meant = message
            .split_once("Did you mean '")
            .and_then(|(_, rest)| rest.split_once('\''));
        return meant.map(|(name, _)| name.to_owned()).into_iter().collect();
    }
    let is_table = !message.contains("No field named ");
    // A column with its table's name is one of that table, where it has one like it.
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
    // Of equally near ones those that the engine says the statement could have meant.
    near.sort_by_key(|(distance, name)| (*distance, !message.contains(name.as_str())));
    if let Some(table) = of.filter(|_| !is_table)
        && near.iter().any(|(_, name)| name.starts_with(&table))
    {
        near.retain(|(_, name)| name.starts_with(&table));
    }
    near.into_iter().take(5).map(|(_, name)| name.clone()).collect()
}

/// Words that begin a statement.
const BEGINNINGS: [&str; 6] = ["select", "with", "explain", "show", "describe", "values"];

/// The word that a statement's first was probably meant to be, where the engine stumbles over it.
fn begun(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("an SQL statement, found: ")?;
    let found = rest.split([' ', '"']).next()?.to_ascii_lowercase();
    let near = BEGINNINGS.iter().min_by_key(|word| distance(&found, word))?;
    (distance(&found, near) <= 2).then(|| (*near).to_owned())
}

/// What the engine does not know: a column (`No field named x`), a table (`table 'a.b.x' not found`), a function
/// (`Invalid function 'x'`).
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

/// Levenshtein's distance, in characters.
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in two.iter().enumerate() {
            let next = (diagonal + usize::from(a != *b))
                .min(row[j] + 1)
                .min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[two.len()]
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
        assert_eq!(
            names("Invalid function 'medain'.\nDid you mean 'median'?", &known),
            ["median"]
        );
        assert_eq!((distance("kitten", "sitting"), distance("", "ab")), (3, 2));
    }
}
