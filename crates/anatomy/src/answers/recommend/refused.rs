//! Licences and families that no checkpoint has: nothing would fit, and nobody would know why.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use catalog::tables::Checkpoint;

use super::Budget;
use crate::answers::known::Known;
use crate::near::hint;

/// Refuses a licence that no checkpoint has: nothing would fit, and nobody would know why.
pub(super) fn unknown_licences(known: &Known<'_>, asked: &[String]) -> Result<()> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for licence in known
        .checkpoints
        .values()
        .filter_map(|row| row.license.as_deref())
    {
        *counts.entry(licence).or_insert(0) += 1;
    }
    for name in asked {
        if counts.keys().any(|licence| licence.eq_ignore_ascii_case(name)) {
            continue;
        }
        bail!(
            "no checkpoint is under a licence named `{name}`{}; the most common are {}",
            hint(name, counts.keys().copied()),
            most_common(&counts)
        );
    }
    Ok(())
}

/// A family of which so few checkpoints are, and by their names alone, was perhaps mistyped.
const FEW: usize = 10;

/// Refuses a family that no checkpoint is of, for the same reason; where a few are by a word of their names alone, what was
/// perhaps meant.
pub(super) fn unknown_family(known: &Known<'_>, budget: &Budget) -> Result<Option<String>> {
    let Some(asked) = &budget.family else {
        return Ok(None);
    };
    let of =
        |row: &Checkpoint| catalog::config::family(row.architecture.as_deref(), row.model_type.as_deref());
    let mut n = 0;
    for (id, row) in &known.checkpoints {
        if budget.allows_family(id, Some(row)) {
            n += 1;
        }
        if n >= FEW {
            return Ok(None);
        }
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for class in known.checkpoints.values().filter_map(|row| of(row)) {
        *counts.entry(class).or_insert(0) += 1;
    }
    let hint = hint(asked, counts.keys().map(String::as_str));
    if n > 0 {
        let is_class = counts.keys().any(|class| class.eq_ignore_ascii_case(asked));
        let checkpoints = crate::output::plural(n, "checkpoint");
        return Ok((!is_class && !hint.is_empty()).then(|| {
            format!("`{asked}` begins a word of the name of {checkpoints} and is no family{hint}")
        }));
    }
    bail!(
        "no checkpoint is of a family named `{asked}`, and no word of a name begins so{hint}; the most common are {}",
        most_common(&counts)
    );
}

/// The twelve that most checkpoints have.
fn most_common<T: Ord + AsRef<str>>(counts: &BTreeMap<T, usize>) -> String {
    let mut common: Vec<(usize, &str)> = counts.iter().map(|(name, n)| (*n, name.as_ref())).collect();
    common.sort_by(|a, b| b.cmp(a));
    let common: Vec<&str> = common.into_iter().take(12).map(|(_, name)| name).collect();
    common.join(", ")
}
