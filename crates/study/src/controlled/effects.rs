//! The effect of doubling a part at fixed size on each benchmark, with several measures of its uncertainty.

use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::suite::{FIRST_PART, SIZE, Suite, SuiteDesign, part_words};
use super::{Controlled, Fixed, source_of};
use crate::finding::{Finding, Interval};
use crate::random::{Random, gauss};
use crate::statistics::{Ratio, RobustFit, hartung_knapp, quantile, ratio_of};

/// Effects of one part on all benchmarks of a suite, for one definition of size.
pub(super) struct Effect {
    /// Index of the part in the design.
    pub(super) part: usize,
    /// Permutation p value for each benchmark, permuting shapes within blocks of similar size.
    pub(super) permutation: Vec<f64>,
    /// Smallest and largest effect on each benchmark when one shape is left out.
    pub(super) without_one: Vec<Option<(f64, f64)>>,
    /// Critical value of |t| for simultaneous intervals over all benchmarks.
    pub(super) simultaneous: f64,
}

/// Fits and effects of one design.
pub(super) struct ControlledEffects {
    /// One fit per benchmark.
    pub(super) fits: Vec<RobustFit>,
    /// One entry per part.
    pub(super) parts: Vec<Effect>,
}

pub(super) fn effects(suite: &Suite<'_>, design: &SuiteDesign, study: &Controlled<'_>) -> ControlledEffects {
    let scores: Vec<Vec<f64>> = suite
        .benchmarks
        .iter()
        .map(|(name, _)| suite.scores(name))
        .collect();
    let fits: Vec<RobustFit> = scores.iter().map(|score| design.linear.fit(score)).collect();
    let without: Vec<Vec<RobustFit>> = (0..suite.shapes.len())
        .filter_map(|left_out| {
            let smaller = suite.design_without(design, left_out)?;
            Some(
                scores
                    .iter()
                    .map(|score| {
                        let mut score = score.clone();
                        score.remove(left_out);
                        smaller.linear.fit(&score)
                    })
                    .collect(),
            )
        })
        .collect();
    let parts = (0..design.parts.len())
        .map(|part| {
            let place = FIRST_PART + part;
            let without_one = (0..scores.len()).map(|benchmark| {
                let all: Vec<f64> = without
                    .iter()
                    .map(|fits| fits[benchmark].coefficients[place])
                    .collect();
                let least = all.iter().copied().reduce(f64::min);
                least.zip(all.iter().copied().reduce(f64::max))
            });
            Effect {
                part,
                permutation: permutation(design, place, &scores, study),
                without_one: without_one.collect(),
                simultaneous: simultaneous(&fits, study),
            }
        })
        .collect();
    ControlledEffects { fits, parts }
}

/// Permutation p values: share of permutations in which the effect is at least as large as observed. The residuals of
/// the scores given all other columns are permuted within blocks of similar size (Freedman and Lane 1983,
/// <https://doi.org/10.2307/1391660>).
fn permutation(design: &SuiteDesign, place: usize, scores: &[Vec<f64>], study: &Controlled<'_>) -> Vec<f64> {
    let mut others = design.columns.clone();
    let column = others.remove(place);
    let Ok(reduced) = crate::statistics::LinearDesign::new(&others) else {
        return vec![f64::NAN; scores.len()];
    };
    let left = reduced.residual(&column);
    let squares: f64 = left.iter().map(|x| x * x).sum();
    let slope = |target: &[f64]| -> f64 {
        let along: f64 = left.iter().zip(target).map(|(l, y)| l * y).sum();
        (along / squares).abs()
    };
    let rests: Vec<Vec<f64>> = scores.iter().map(|score| reduced.residual(score)).collect();
    let observed: Vec<f64> = rests.iter().map(|rest| slope(rest)).collect();
    let most = design.blocks.iter().max().copied().unwrap_or_default();
    let members: Vec<Vec<usize>> = (0..=most)
        .map(|block| {
            (0..column.len())
                .filter(|&row| design.blocks[row] == block)
                .collect()
        })
        .collect();
    let one = |shuffle: usize| -> Vec<bool> {
        let mut random = Random::new(study.seed, shuffle as u64 + 1);
        let mut from: Vec<usize> = (0..column.len()).collect();
        for rows in &members {
            let mut drawn = rows.clone();
            random.shuffle(&mut drawn);
            for (&row, other) in rows.iter().zip(drawn) {
                from[row] = other;
            }
        }
        rests
            .iter()
            .zip(&observed)
            .map(|(rest, observed)| {
                let shuffled: Vec<f64> = from.iter().map(|&row| rest[row]).collect();
                // `left` is orthogonal to all other columns, so their fit to the permuted residuals does not matter.
                slope(&shuffled) >= observed - 1e-12
            })
            .collect()
    };
    let all: Vec<Vec<bool>> = (0..study.shuffles).into_par_iter().map(one).collect();
    (0..scores.len())
        .map(|benchmark| {
            let as_large = all.iter().filter(|shuffle| shuffle[benchmark]).count();
            (as_large + 1) as f64 / (study.shuffles + 1) as f64
        })
        .collect()
}

/// The 95 % quantile of the largest |t| over all benchmarks, simulated with errors of rows that are correlated over
/// benchmarks as the residuals are.
fn simultaneous(fits: &[RobustFit], study: &Controlled<'_>) -> f64 {
    let Some(first) = fits.first() else {
        return f64::NAN;
    };
    let lengths: Vec<f64> = fits
        .iter()
        .map(|fit| fit.residuals.iter().map(|e| e * e).sum::<f64>().sqrt())
        .collect();
    let df = first.df as usize;
    let one = |draw: usize| -> f64 {
        let mut random = Random::new(study.seed ^ 0x51a1, draw as u64 + 1);
        let normal: Vec<f64> = (0..first.residuals.len() + df)
            .map(|_| gauss(&mut random))
            .collect();
        let (rows, spread) = normal.split_at(first.residuals.len());
        let scale = (spread.iter().map(|x| x * x).sum::<f64>() / df as f64).sqrt();
        fits.iter()
            .zip(&lengths)
            .map(|(fit, length)| {
                let along: f64 = fit.residuals.iter().zip(rows).map(|(e, x)| e * x).sum();
                (along / (length * scale)).abs()
            })
            .fold(0.0, f64::max)
    };
    let most: Vec<f64> = (0..study.shuffles).into_par_iter().map(one).collect();
    let drawn = quantile(&most, 0.95);
    // Never below the critical value of a single benchmark.
    let alone = StudentsT::new(0.0, 1.0, first.df).map_or(f64::NAN, |law| law.inverse_cdf(0.975));
    drawn.max(alone)
}

pub(super) fn findings(
    to: &mut Vec<Finding>,
    suite: &Suite<'_>,
    design: &SuiteDesign,
    found: &ControlledEffects,
    study: &Controlled<'_>,
) {
    let source = source_of(suite.name, suite.source);
    let (n, fixed) = (suite.shapes.len(), design.fixed);
    let tail = format!("{}.{}", suite.name, fixed.name());
    let method = "least squares on size, its square and the parts that vary";
    let features = design.part_names();
    let new = |id: String, question: String| {
        Finding::new(id, question, &source).with_protocol("designed_suite", &features)
    };
    for (place, (benchmark, _)) in suite.benchmarks.iter().enumerate() {
        let fit = &found.fits[place];
        to.push(
            new(
                format!("controlled.size.{tail}.{benchmark}"),
                format!(
                    "How many points does a doubling of size ({}) buy on {benchmark}?",
                    fixed.words()
                ),
            )
            .with_value(fit.coefficients[SIZE], "points per doubling", n, method)
            .with_interval(fit.interval(SIZE, 0.95)),
        );
        for effect in &found.parts {
            let part = design.parts[effect.part];
            let at = FIRST_PART + effect.part;
            let value = fit.coefficients[at];
            let end = format!("{tail}.{part}.{benchmark}");
            let asked = format!(
                "{} doubled, {} fixed, on {benchmark}",
                part_words(part),
                fixed.words()
            );
            let mde = fit.detectable(at);
            let mut main = new(format!("controlled.{end}"), format!("How many points does it buy: {asked}?"))
                .with_value(value, "points per doubling", n, method)
                .with_interval(fit.interval(at, 0.95))
                .with_seed(study.seed)
                .with_note(format!(
                    "permutation of shapes within blocks of like size: p = {:.3}; smallest effect seen four times out of \
                     five: {mde:.2}; the part varies by {:.2} doublings given all else",
                    effect.permutation[place], design.spreads[effect.part]
                ));
            if let Some((least, most)) = effect.without_one[place] {
                main = main.with_note(format!(
                    "with one shape left out between {least:+.2} and {most:+.2}"
                ));
            }
            to.push(main);
            let half = effect.simultaneous * fit.error(at);
            to.push(
                new(
                    format!("controlled.simultaneous.{end}"),
                    format!("{asked}: an interval that holds for all benchmarks at once"),
                )
                .with_value(value, "points per doubling", n, method)
                .with_seed(study.seed)
                .with_interval(Some(Interval {
                    low: value - half,
                    high: value + half,
                    level: 0.95,
                    method: format!(
                        "largest |t| of {} benchmarks below {:.2}, HC3",
                        suite.benchmarks.len(),
                        effect.simultaneous
                    ),
                })),
            );
            to.push(
                new(
                    format!("controlled.mde.{end}"),
                    format!("{asked}: the smallest effect that would be seen four times out of five"),
                )
                .with_value(
                    mde,
                    "points per doubling",
                    n,
                    "(t.975 + t.80) times the HC3 error",
                ),
            );
            to.push(
                new(
                    format!("controlled.permutation.{end}"),
                    format!("{asked}: is it more than chance?"),
                )
                .with_value(
                    effect.permutation[place],
                    "p",
                    n,
                    "permutation within blocks of like size",
                )
                .with_seed(study.seed),
            );
            if let Some((least, most)) = effect.without_one[place] {
                to.push(
                    new(
                        format!("controlled.without_one.{end}"),
                        format!("{asked}: between which ends does it lie with one shape left out?"),
                    )
                    .with_value(value, "points per doubling", n, method)
                    .with_interval(Some(Interval {
                        low: least,
                        high: most,
                        level: 1.0,
                        method: "range with one shape left out".into(),
                    })),
                );
            }
            let doublings = in_doublings(fit, at);
            let mut finding = new(
                format!("controlled.doublings.{end}"),
                format!("{asked}: how many doublings of size is it worth?"),
            )
            .with_value(
                doublings.value.unwrap_or(f64::NAN),
                "doublings of size",
                n,
                "ratio of two coefficients",
            )
            .with_interval(doublings.interval);
            if finding.value.is_none() {
                finding = finding.with_note("size itself may buy nothing here, so no ratio to it is given");
            }
            to.push(finding);
        }
        for (part, spread) in &design.not_identified {
            to.push(
                new(
                    format!("controlled.{tail}.{part}.{benchmark}"),
                    format!(
                        "How many points does it buy: {} doubled, {} fixed, on {benchmark}?",
                        part_words(part),
                        fixed.words()
                    ),
                )
                .with_value(f64::NAN, "points per doubling", n, method)
                .with_note(format!("not identified: {}", spread.in_words())),
            );
        }
    }
}

/// An effect as a ratio to that of a doubling of size.
fn in_doublings(fit: &RobustFit, place: usize) -> Ratio {
    let of = |i: usize, j: usize| fit.robust[i][j];
    ratio_of(
        fit.coefficients[place],
        fit.coefficients[SIZE],
        [of(place, place), of(place, SIZE), of(SIZE, SIZE)],
        fit.df,
        "HC3",
    )
}

/// An effect in one suite, to be pooled over suites.
pub(super) struct Entry {
    suite: String,
    end: String,
    value: f64,
    error: f64,
    n: usize,
}

pub(super) fn entries(suite: &Suite<'_>, fixed: Fixed, found: &ControlledEffects) -> Vec<Entry> {
    let design = suite.design(fixed);
    let parts = design.map(|design| design.parts).unwrap_or_default();
    suite
        .benchmarks
        .iter()
        .zip(&found.fits)
        .flat_map(|((benchmark, _), fit)| {
            parts.iter().enumerate().map(move |(part, name)| Entry {
                suite: suite.name.to_owned(),
                end: format!("{}.{name}.{benchmark}", fixed.name()),
                value: fit.coefficients[FIRST_PART + part],
                error: fit.error(FIRST_PART + part),
                n: suite.shapes.len(),
            })
        })
        .collect()
}

/// Effects pooled over suites, where more than one suite has the same part and benchmark.
pub(super) fn over_suites(to: &mut Vec<Finding>, entries: &[Entry]) {
    let mut ends: Vec<&str> = entries.iter().map(|entry| entry.end.as_str()).collect();
    ends.sort_unstable();
    ends.dedup();
    for end in ends {
        let own: Vec<&Entry> = entries.iter().filter(|entry| entry.end == end).collect();
        let of = |pick: fn(&Entry) -> f64| -> Vec<f64> { own.iter().map(|entry| pick(entry)).collect() };
        let Some(pooled) = hartung_knapp(&of(|entry| entry.value), &of(|entry| entry.error), 0.95, "suites")
        else {
            continue;
        };
        let suites: Vec<&str> = own.iter().map(|entry| entry.suite.as_str()).collect();
        let source = source_of(&suites.join(", "), "designed suites");
        to.push(
            Finding::new(
                format!("controlled.all.{end}"),
                format!("What do all suites together say of {end}?"),
                &source,
            )
            .with_value(
                pooled.value,
                "points per doubling",
                own.iter().map(|entry| entry.n).sum(),
                "random effects over suites",
            )
            .with_interval(pooled.interval)
            .with_note(format!("spread between suites {:.2}", pooled.between)),
        );
    }
}
