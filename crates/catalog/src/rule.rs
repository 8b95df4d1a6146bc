//! Checks one rule on many rows: how many rows break it, and an example.

/// The result of checking one rule on the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCheck {
    /// Its name.
    pub rule: &'static str,
    /// The rule in words.
    pub says: &'static str,
    /// Number of rows checked.
    pub checked: u64,
    /// Number of rows that break it.
    pub broken: u64,
    /// The first row that breaks it; `None` if none does.
    pub example: Option<String>,
}

/// Checks one rule on many rows: `broken` returns a description of a row that breaks it, `None` for a row that does
/// not.
pub(crate) fn ask<'a, T: 'a>(
    rule: &'static str,
    says: &'static str,
    rows: impl IntoIterator<Item = &'a T>,
    broken: impl Fn(&'a T) -> Option<String>,
) -> RuleCheck {
    let mut check = RuleCheck {
        rule,
        says,
        checked: 0,
        broken: 0,
        example: None,
    };
    for row in rows {
        check.checked += 1;
        if let Some(example) = broken(row) {
            check.broken += 1;
            check.example.get_or_insert(example);
        }
    }
    check
}
