//! The error for a text column where numbers are needed, with the cells that made it text and how to convert it.

use std::fmt;

/// Placeholder for the column in [`NotNumbers::call`].
const PLACE: &str = "\u{1}";

/// A column that some of its cells make text, used where numbers are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNumbers {
    /// What requires numbers: a function, an operator or `cast`.
    pub function: String,
    /// The whole call as the statement writes it, with a placeholder character for the column that no statement
    /// contains ([`NotNumbers::call_of`]).
    pub call: String,
    /// Name of the column.
    pub column: String,
    /// The column as the statement writes it.
    pub written: String,
    /// The file, or the table where it is not a file.
    pub file: String,
    /// The table, as the statement names it.
    pub table: String,
    /// Number of non-empty cells.
    pub cells: u64,
    /// Number of those that are not numbers.
    pub others: u64,
    /// Number of those that are `nan`: the engine reads `nan` as a value, and a mean that includes it is NaN.
    pub nans: u64,
    /// An example that is not a number, cut after 200 characters.
    pub value: String,
    /// Line of the example from 1, or 0 where it is not known.
    pub line: u64,
    /// Replacements (from, to) to apply to every cell in order, so that as many cells as possible become numbers.
    pub replacements: Vec<(String, String)>,
    /// Number of cells that are numbers after these replacements.
    pub read: u64,
    /// Other columns of the table, which hold numbers.
    pub numbers: Vec<String>,
}

impl NotNumbers {
    /// The placeholder for the column in [`NotNumbers::call`].
    #[cfg(feature = "sql")]
    pub(crate) fn place() -> &'static str {
        PLACE
    }

    /// The call with `written` in place of the column.
    pub fn call_of(&self, written: &str) -> String {
        self.call.replace(PLACE, written)
    }

    /// Whether the column is compared with numbers.
    pub fn is_compared(&self) -> bool {
        Self::compares(&self.function)
    }

    /// Whether `written` is an operator that compares two values.
    pub(crate) fn compares(written: &str) -> bool {
        ["=", "<>", "<", "<=", ">", ">=", "between", "in"].contains(&written)
    }
}

impl fmt::Display for NotNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            function,
            column,
            file,
            cells,
            others,
            value,
            line,
            ..
        } = self;
        if self.is_compared() {
            write!(
                f,
                "`{function}` compares with numbers, and column `{column}` of {file} is text: "
            )?;
        } else {
            write!(
                f,
                "`{function}` takes numbers, and column `{column}` of {file} is text: "
            )?;
        }
        match others {
            others if others == cells => write!(f, "none of its {cells} cells is a number")?,
            1 => write!(f, "1 of its {cells} cells is no number")?,
            others => write!(f, "{others} of its {cells} cells are no numbers")?,
        }
        // A `nan` cell may come before it.
        let one = match (others, self.nans) {
            (1, _) => "it is",
            (_, 0) => "the first is",
            _ => "one is",
        };
        write!(f, ", {one} {value:?}")?;
        match line {
            0 => Ok(()),
            line => write!(f, " (line {line})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_told_with_how_many_cells_are_none() {
        let one = NotNumbers {
            function: "avg".to_owned(),
            call: format!("avg({PLACE})"),
            column: "score".to_owned(),
            written: "t.score".to_owned(),
            file: "own.csv".to_owned(),
            table: "own.csv".to_owned(),
            cells: 7,
            others: 1,
            nans: 0,
            value: "NA".to_owned(),
            line: 3,
            replacements: Vec::new(),
            read: 6,
            numbers: Vec::new(),
        };
        assert_eq!(
            one.to_string(),
            "`avg` takes numbers, and column `score` of own.csv is text: 1 of its 7 cells is no number, it is \"NA\" (line 3)"
        );
        assert_eq!(one.call_of("x"), "avg(x)");
        let some = NotNumbers {
            others: 4,
            nans: 1,
            line: 0,
            ..one.clone()
        };
        assert!(
            some.to_string()
                .ends_with("4 of its 7 cells are no numbers, one is \"NA\"")
        );
        let all = NotNumbers {
            function: ">".to_owned(),
            others: 7,
            ..one
        };
        assert_eq!(
            all.to_string(),
            "`>` compares with numbers, and column `score` of own.csv is text: none of its 7 cells is a number, the first is \
             \"NA\" (line 3)"
        );
    }
}
