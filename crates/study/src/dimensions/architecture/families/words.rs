//! Text on the comparison of families.

use super::super::super::OUTCOMES;
use super::Rows;
use crate::section::{Cell, Section, Table};

/// Families with fewer shapes than this are described but not compared.
const FEW_SHAPES: usize = 5;

pub(super) fn words(section: &mut Section, rows: &Rows<'_>, pairs: &Table) {
    let typical = |key: &str, name: &str| {
        let id = format!("architecture.typical.{key}.{name}");
        let found = section.findings.iter().find(|finding| finding.id == id);
        found.and_then(|found| found.value).unwrap_or(f64::NEG_INFINITY)
    };
    let n_shapes = |family: usize| {
        let mut shapes: Vec<u32> = (0..rows.row.len())
            .filter(|&row| rows.family[row] == family)
            .map(|row| rows.shape[row])
            .collect();
        shapes.sort_unstable();
        shapes.dedup();
        shapes.len()
    };
    let (broad, narrow): (Vec<usize>, Vec<usize>) =
        (0..rows.families.len()).partition(|&family| n_shapes(family) >= FEW_SHAPES);
    let best: Vec<String> = OUTCOMES
        .iter()
        .filter_map(|(name, title)| {
            let of = |&family: &usize| typical(rows.families[family].0, name);
            let best = broad.iter().max_by(|a, b| of(a).total_cmp(&of(b)))?;
            Some(format!("{title} {}", rows.families[*best].1))
        })
        .collect();
    let few: Vec<String> = narrow
        .iter()
        .map(|&family| format!("{} {}", rows.families[family].1, n_shapes(family)))
        .collect();
    let clear = pairs
        .rows
        .iter()
        .filter(|row| matches!(row[7], Cell::Number(p) if p < 0.05))
        .count();
    section.text.push(format!(
        "At equal size and date the family whose median checkpoint scores highest, among those of five or more shapes: {}. Of {} \
         comparisons of two families on one benchmark {clear} stay below p = 0.05 after Holm's correction.",
        best.join(", "),
        pairs.rows.len()
    ));
    section.text.push(format!(
        "What would change the answer: shapes. A family is a handful of them, each with its own training data, so a family's lead \
         is that of a few training runs. Clustered errors with so few groups are too small; families of fewer than five shapes \
         ({}) should be read as description.",
        if few.is_empty() { "none here".to_string() } else { few.join(", ") }
    ));
}
