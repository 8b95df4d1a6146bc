//! Messages for statements that do more than read, shared by the server and `anatomy query`.

/// First words of statements that change tables or write files.
const CHANGING: [&str; 8] = [
    "create", "drop", "insert", "update", "delete", "alter", "truncate", "copy",
];

/// Beginnings of the engine's messages for statements that do more than read.
const NOT_READING: [&str; 4] = [
    "DDL not supported",
    "DML not supported",
    "Statement not supported",
    "Unsupported SQL statement",
];

/// Why a statement is rejected before planning, by its first word; `None` for other words.
pub(crate) fn refused(sql: &str) -> Option<String> {
    let word = after_comments(sql)
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()?;
    CHANGING
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
        .then(|| format!("`{word}` changes tables, and a statement here only reads them: write `select …`"))
}

/// The engine's message, reworded where it says that a statement does more than read.
pub(super) fn plain(said: &str) -> String {
    if NOT_READING.iter().any(|start| said.starts_with(start)) {
        "this statement does more than read tables: write `select …`".into()
    } else {
        said.to_owned()
    }
}

/// The statement without leading comments.
fn after_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map(|(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, after)| after)
        } else {
            return rest;
        };
        rest = after.unwrap_or_default().trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_tables_is_told_by_its_first_word() {
        for (sql, word) in [
            ("drop table scores", "drop"),
            (" INSERT into scores select 1", "INSERT"),
            ("-- all of it\n/* now */ delete from scores", "delete"),
        ] {
            let told = refused(sql).unwrap_or_default();
            assert!(told.starts_with(&format!("`{word}` changes tables")), "{told}");
        }
        for sql in [
            "",
            "select 1",
            "with a as (select 1) select * from a",
            "-- drop",
            "/* drop",
            "dropped",
        ] {
            assert_eq!(refused(sql), None, "{sql}");
        }
    }

    #[test]
    fn the_engines_words_for_it_are_not_shown() {
        for said in [
            "DDL not supported: DropTable",
            "Statement not supported: SetVariable",
        ] {
            assert!(plain(said).contains("write `select …`"), "{said}");
        }
        assert_eq!(
            plain("there is no table named `x`"),
            "there is no table named `x`"
        );
    }
}
