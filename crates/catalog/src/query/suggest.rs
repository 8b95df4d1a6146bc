//! Which existing names look like one that a statement got wrong.

/// The names in `known` (tables, and columns as `table.column`) nearest to the one the engine's `message` complains
/// about, at most five, those of the tables that the statement reads first.
pub(crate) fn names(message: &str, known: &[String]) -> Vec<String> {
    let Some(asked) = complained(message) else {
        return Vec::new();
    };
    let asked = asked.rsplit('.').next().unwrap_or(asked).to_ascii_lowercase();
    let mut near: Vec<(usize, &String)> = known
        .iter()
        .filter_map(|name| {
            let last = name.rsplit('.').next().unwrap_or(name);
            let distance = distance(&asked, &last.to_ascii_lowercase());
            let akin = asked.len() >= 3 && (last.contains(&asked) || asked.contains(last) && last.len() >= 3);
            (distance <= 1 + asked.len() / 4 || akin).then_some((distance, name))
        })
        .collect();
    // Of equally near ones those that the engine says the statement could have meant.
    near.sort_by_key(|(distance, name)| (*distance, !message.contains(name.as_str())));
    near.into_iter().take(5).map(|(_, name)| name.clone()).collect()
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
        assert_eq!((distance("kitten", "sitting"), distance("", "ab")), (3, 2));
    }
}
