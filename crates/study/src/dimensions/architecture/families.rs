//! Families at equal size and date: all pairs, corrected for multiple testing, and each family's typical and best
//! checkpoint.
//!
//! Model: score = family + restricted cubic splines of log2 size and of date, with standard errors clustered by shape.
//! An adjusted score is the score minus the splines' value at the checkpoint plus their value at the reference.

mod typical;
mod words;

use super::super::{Dimensions, LeaderboardRow, OUTCOMES, source};
use crate::finding::Finding;
use crate::section::{Axis, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{OlsFit, RestrictedSpline, clustered_ols, holm, median, sorted};

/// Name in ids, label, class name.
const FAMILIES: [(&str, &str, &str); 8] = [
    ("llama", "Llama", "LlamaForCausalLM"),
    ("qwen2", "Qwen2", "Qwen2ForCausalLM"),
    ("mistral", "Mistral", "MistralForCausalLM"),
    ("gemma2", "Gemma2", "Gemma2ForCausalLM"),
    ("mixtral", "Mixtral", "MixtralForCausalLM"),
    ("phi3", "Phi3", "Phi3ForCausalLM"),
    ("gemma", "Gemma", "GemmaForCausalLM"),
    ("phi", "Phi", "PhiForCausalLM"),
];
/// Fewest evaluations of a family to be compared.
const LEAST: usize = 20;
/// Number of checkpoints drawn for the expected best one, since a plain maximum grows with the size of the family.
const DRAWS: usize = 20;
/// The reference size, in billions of parameters.
const REFERENCE: f64 = 8.0;

/// The rows of all compared families.
struct Rows<'a> {
    families: Vec<(&'static str, &'static str)>,
    row: Vec<&'a LeaderboardRow>,
    family: Vec<usize>,
    shape: Vec<u32>,
    /// Spline columns centred at the reference; none depends on the score.
    adjusting: Vec<Vec<f64>>,
    reference_date: f64,
}

pub(super) fn add(dimensions: &Dimensions<'_>, section: &mut Section) {
    let Some(rows) = rows(dimensions) else { return };
    let n = rows.row.len();
    let mut pairs_table = Table {
        id: "architecture-pairs".into(),
        caption: format!(
            "First family minus second at equal size and date (points): splines of log2 size and date, errors clustered by shape, \
             Holm over the pairs of one benchmark; n = {n} evaluations."
        ),
        columns: [
            "benchmark",
            "first",
            "second",
            "difference",
            "low",
            "high",
            "p",
            "p (Holm)",
        ]
        .map(String::from)
        .to_vec(),
        shown: false,
        ..Table::default()
    };
    let mut adjusted_table = Table {
        id: "architecture-adjusted".into(),
        caption: format!(
            "Adjusted to {REFERENCE} billion parameters and {}: the median checkpoint of each family, and the expected best of \
             {DRAWS} drawn from it (points); n = {n} evaluations.",
            crate::calendar::day_name(rows.reference_date)
        ),
        columns: [
            "benchmark",
            "family",
            "n",
            "shapes",
            "typical",
            "low",
            "high",
            "best of 20",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut bars = Vec::new();
    for (outcome, (name, title)) in OUTCOMES.iter().enumerate() {
        let target: Option<Vec<f64>> = rows.row.iter().map(|row| row.outcome(outcome)).collect();
        let Some(target) = target else { continue };
        let k = rows.families.len();
        let mut columns: Vec<Vec<f64>> = (0..k)
            .map(|family| {
                rows.family
                    .iter()
                    .map(|&own| f64::from(u8::from(own == family)))
                    .collect()
            })
            .collect();
        columns.extend(rows.adjusting.iter().cloned());
        let Ok(fit) = clustered_ols(&columns, &target, &rows.shape) else {
            continue;
        };
        pairs(&rows, &fit, (name, title), section, &mut pairs_table);
        let adjusted: Vec<f64> = (0..n)
            .map(|row| {
                let known: f64 = rows
                    .adjusting
                    .iter()
                    .zip(&fit.coefficients[k..])
                    .map(|(column, b)| column[row] * b)
                    .sum();
                target[row] - known
            })
            .collect();
        typical::typical_and_best(
            dimensions,
            &rows,
            &adjusted,
            (name, title),
            section,
            &mut adjusted_table,
            &mut bars,
        );
    }
    words::words(section, &rows, &pairs_table);
    section.tables.extend([adjusted_table, pairs_table]);
    section.figures.push(Figure {
        id: "architecture-adjusted".into(),
        title: "Families at equal size and date".into(),
        caption: format!(
            "Median of the scores adjusted to {REFERENCE} billion parameters and {}, with 95 % intervals over shapes (none for \
             fewer than five shapes); n = {n} evaluations of leaderboard v2.",
            crate::calendar::day_name(rows.reference_date)
        ),
        n,
        x: Axis::linear("adjusted score (points)"),
        y: Axis::linear(""),
        drawing: Drawing::Intervals { rows: bars, reference: f64::NAN },
    });
}

fn rows<'a>(dimensions: &Dimensions<'a>) -> Option<Rows<'a>> {
    let of_class = |class: &str| {
        let known = move |row: &&LeaderboardRow| {
            row.architecture.as_deref() == Some(class) && row.best_size().is_some() && row.date.is_some()
        };
        dimensions.rows.iter().filter(known).collect::<Vec<_>>()
    };
    let mut found = Rows {
        families: Vec::new(),
        row: Vec::new(),
        family: Vec::new(),
        shape: Vec::new(),
        adjusting: Vec::new(),
        reference_date: f64::NAN,
    };
    for (name, title, class) in FAMILIES {
        let members = of_class(class);
        if members.len() >= LEAST {
            found.family.extend(vec![found.families.len(); members.len()]);
            found.shape.extend(members.iter().map(|row| row.shape));
            found.row.extend(members);
            found.families.push((name, title));
        }
    }
    if found.families.len() < 2 {
        return None;
    }
    let log_size: Vec<f64> = found
        .row
        .iter()
        .filter_map(|row| row.best_size())
        .map(f64::log2)
        .collect();
    let date: Vec<f64> = found.row.iter().filter_map(|row| row.date).collect();
    found.reference_date = median(&date);
    for (values, reference) in [(&log_size, REFERENCE.log2()), (&date, found.reference_date)] {
        let spline = RestrictedSpline::five_knots(&sorted_distinct(values))?;
        let origin = spline.basis(reference);
        let basis: Vec<Vec<f64>> = values.iter().map(|&x| spline.basis(x)).collect();
        for place in 0..spline.n_columns() {
            found
                .adjusting
                .push(basis.iter().map(|row| row[place] - origin[place]).collect());
        }
    }
    Some(found)
}

/// Distinct values, for the knots: a base model with a thousand fine-tunes does not attract knots.
fn sorted_distinct(values: &[f64]) -> Vec<f64> {
    let mut distinct = sorted(values);
    distinct.dedup();
    distinct
}

fn pairs(
    rows: &Rows<'_>,
    fit: &OlsFit,
    (name, title): (&str, &str),
    section: &mut Section,
    table: &mut Table,
) {
    let k = rows.families.len();
    let mut found = Vec::new();
    for first in 0..k {
        for second in first + 1..k {
            let mut weights = vec![0.0; fit.coefficients.len()];
            weights[first] = 1.0;
            weights[second] = -1.0;
            found.push((first, second, fit.contrast(&weights)));
        }
    }
    let p: Vec<f64> = found.iter().map(|(_, _, contrast)| contrast.p).collect();
    for ((first, second, contrast), corrected) in found.iter().zip(holm(&p)) {
        let (a, b) = (rows.families[*first], rows.families[*second]);
        let ends = contrast.interval.as_ref();
        let cells: [Cell; 8] = [
            title.into(),
            a.1.into(),
            b.1.into(),
            contrast.value.into(),
            ends.map(|ends| ends.low).into(),
            ends.map(|ends| ends.high).into(),
            contrast.p.into(),
            corrected.into(),
        ];
        table.rows.push(cells.to_vec());
        section.findings.extend([
            Dimensions::estimated(
                format!("architecture.difference.{}_{}.{name}", a.0, b.0),
                format!(
                    "By how much does {} score higher than {} on {title} at equal size and date?",
                    a.1, b.1
                ),
                Some(contrast),
                "points",
                fit.n,
                "least squares with splines of log2 size and date, clustered by shape",
            )
            .with_note(format!(
                "p = {:.2e}; corrected by Holm for {} pairs {corrected:.2e}",
                contrast.p,
                p.len()
            ))
            .with_figure("architecture-adjusted"),
            Finding::new(
                format!("architecture.holm_p.{}_{}.{name}", a.0, b.0),
                format!(
                    "What is p of {} against {} on {title}, corrected for all pairs?",
                    a.1, b.1
                ),
                &source(),
            )
            .with_value(corrected, "1", fit.n, "holm over pairs of families"),
        ]);
    }
}
