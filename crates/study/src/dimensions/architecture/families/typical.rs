//! A family's typical checkpoint, and its best of twenty, by scores adjusted to equal size and date.

use super::super::super::{Dimensions, source};
use super::{DRAWS, Rows};
use crate::finding::Finding;
use crate::section::{Bar, Cell, Section, Table};
use crate::statistics::{group_bootstrap, median, sorted};

pub(super) fn typical_and_best(
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
    // P(the largest is x₍ₙ₎) = draws/n; for each lower rank the probability is multiplied by (i − draws + 1)/i · …
    let mut share = draws as f64 / n as f64;
    let mut expected = 0.0;
    for rank in (draws..=n).rev() {
        expected += share * ordered[rank - 1];
        share *= (rank - draws) as f64 / (rank - 1) as f64;
    }
    expected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_best_is_that_of_all_draws() {
        // The pairs of 1, 2, 3, 4 have maxima 2, 3, 4, 3, 4, 4.
        let expected = expected_best(&[3.0, 1.0, 4.0, 2.0], 2);
        assert!((expected - 20.0 / 6.0).abs() < 1e-12, "{expected}");
        assert!((expected_best(&[1.0, 5.0], 2) - 5.0).abs() < 1e-12);
        assert!(expected_best(&[1.0], 2).is_nan());
    }
}
