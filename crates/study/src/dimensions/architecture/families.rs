//! Families at equal size and date: all pairs, corrected for their number, the typical checkpoint and the best.
//!
//! Score = family + restricted cubic splines of log2 size and of date; errors clustered by shape. An adjusted score is the
//! score less what the splines say of the checkpoint, plus what they say at the reference.

use super::super::{Dimensions, LeaderboardRow, OUTCOMES, source};
use crate::finding::Finding;
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{OlsFit, RestrictedSpline, clustered_ols, group_bootstrap, holm, median, sorted};

/// Name in ids, name for people, class name.
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
/// Fewer evaluations than this are no family to compare.
const LEAST: usize = 20;
/// Draws among which the best is looked for: a plain maximum grows with the family.
const DRAWS: usize = 20;
/// The reference size, billions of parameters.
const REFERENCE: f64 = 8.0;

/// The rows of all compared families.
struct Rows<'a> {
    families: Vec<(&'static str, &'static str)>,
    row: Vec<&'a LeaderboardRow>,
    family: Vec<usize>,
    shape: Vec<u32>,
    /// Columns of the splines, centred at the reference; none of them depends on the score.
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
        typical_and_best(
            dimensions,
            &rows,
            &adjusted,
            (name, title),
            section,
            &mut adjusted_table,
            &mut bars,
        );
    }
    words(section, &rows, &pairs_table);
    section.tables.extend([adjusted_table, pairs_table]);
    section.figures.push(Figure {
        id: "architecture-adjusted".into(),
        title: "Families at equal size and date".into(),
        caption: format!(
            "Median of the scores adjusted to {REFERENCE} billion parameters and {}, with 95 % intervals over shapes (none for \
             fewer than five shapes); n = {n} evaluations of leaderboard v2. The order differs from benchmark to benchmark.",
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

/// Knots stand at quantiles of the distinct values: one base with a thousand fine-tunes draws no knot to itself.
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

fn typical_and_best(
    dimensions: &Dimensions<'_>,
    rows: &Rows<'_>,
    adjusted: &[f64],
    (name, title): (&str, &str),
    section: &mut Section,
    table: &mut Table,
    bars: &mut Vec<Bar>,
) {
    for (family, (key, words)) in rows.families.iter().enumerate() {
        let places: Vec<usize> = (0..adjusted.len())
            .filter(|&row| rows.family[row] == family)
            .collect();
        let own: Vec<f64> = places.iter().map(|&row| adjusted[row]).collect();
        let shapes: Vec<u32> = places.iter().map(|&row| rows.shape[row]).collect();
        let typical = median(&own);
        let interval = group_bootstrap(&shapes, dimensions.settings(), 0.95, |drawn| {
            median(&drawn.iter().map(|&row| own[row]).collect::<Vec<_>>())
        });
        let best = expected_best(&own, DRAWS);
        let n_shapes = crate::groups::Groups::from_labels(&shapes).n_groups();
        let cells: [Cell; 8] = [
            title.into(),
            (*words).into(),
            own.len().into(),
            n_shapes.into(),
            typical.into(),
            interval.as_ref().map(|ends| ends.low).into(),
            interval.as_ref().map(|ends| ends.high).into(),
            best.into(),
        ];
        table.rows.push(cells.to_vec());
        bars.push(Bar {
            group: title.into(),
            series: (*words).into(),
            value: typical,
            interval: interval.as_ref().map(|ends| (ends.low, ends.high)),
        });
        let note = format!("{n_shapes} shapes; the adjustment is held fixed in resampling");
        section.findings.extend([
            Finding::new(
                format!("architecture.typical.{key}.{name}"),
                format!("What does the median {words} checkpoint score on {title}, adjusted to equal size and date?"),
                &source(),
            )
            .with_value(typical, "points", own.len(), "median of adjusted scores")
            .with_interval(interval)
            .with_seed(dimensions.seed)
            .with_note(&note)
            .with_figure("architecture-adjusted"),
            Finding::new(
                format!("architecture.best_of_20.{key}.{name}"),
                format!("What is the best of {DRAWS} {words} checkpoints on {title}, adjusted to equal size and date?"),
                &source(),
            )
            .with_value(best, "points", own.len(), "expected maximum of 20 drawn without replacement")
            .with_note(&note),
        ]);
    }
}

/// Expected maximum of `draws` values drawn without replacement: Σ x₍ᵢ₎ C(i − 1, draws − 1)/C(n, draws); NaN for fewer
/// values than draws.
fn expected_best(values: &[f64], draws: usize) -> f64 {
    let ordered = sorted(values);
    let n = ordered.len();
    if n < draws {
        return f64::NAN;
    }
    // P(the largest is x₍ₙ₎) = draws/n, and each step down multiplies by (i − draws + 1)/i · …
    let mut share = draws as f64 / n as f64;
    let mut expected = 0.0;
    for rank in (draws..=n).rev() {
        expected += share * ordered[rank - 1];
        share *= (rank - draws) as f64 / (rank - 1) as f64;
    }
    expected
}

fn words(section: &mut Section, rows: &Rows<'_>, pairs: &Table) {
    let typical = |key: &str, name: &str| {
        let id = format!("architecture.typical.{key}.{name}");
        section
            .findings
            .iter()
            .find(|finding| finding.id == id)
            .and_then(|found| found.value)
    };
    let best: Vec<String> = OUTCOMES
        .iter()
        .filter_map(|(name, title)| {
            let (_, words) = rows.families.iter().max_by(|a, b| {
                let of = |key| typical(key, name).unwrap_or(f64::NEG_INFINITY);
                of(a.0).total_cmp(&of(b.0))
            })?;
            Some(format!("{title} {words}"))
        })
        .collect();
    let clear = pairs
        .rows
        .iter()
        .filter(|row| matches!(row[7], Cell::Number(p) if p < 0.05))
        .count();
    section.text.push(format!(
        "At equal size and date the family whose median checkpoint scores highest: {}. Of {} comparisons of two families on one \
         benchmark {clear} stay below p = 0.05 after Holm's correction.",
        best.join(", "),
        pairs.rows.len()
    ));
    section.text.push(
        "What would change the answer: shapes. A family is a handful of them (Gemma2 three, Phi one or two), each with its own \
         training data, so a family's lead is that of a few training runs; clustered errors with so few groups are too small, \
         and pairs of families with fewer than five shapes should be read as description."
            .into(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_best_is_that_of_all_draws() {
        // All pairs of 1, 2, 3, 4 have maxima 2, 3, 4, 3, 4, 4.
        let expected = expected_best(&[3.0, 1.0, 4.0, 2.0], 2);
        assert!((expected - 20.0 / 6.0).abs() < 1e-12, "{expected}");
        assert!((expected_best(&[1.0, 5.0], 2) - 5.0).abs() < 1e-12);
        assert!(expected_best(&[1.0], 2).is_nan());
    }
}
