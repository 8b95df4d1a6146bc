//! One rule asked of many rows: how many keep it, and one that does not.

/// One rule over the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCheck {
    /// Its name.
    pub rule: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Rows it was asked of.
    pub checked: u64,
    /// Rows that break it.
    pub broken: u64,
    /// One of those.
    pub example: Option<String>,
}

/// Asks one rule of many rows: `broken` says which row breaks it.
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
