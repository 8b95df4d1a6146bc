//! Effects of parts from the mixed model of units, their robustness, and the most that structure can explain.

use rayon::prelude::*;

use super::units::{Named, Units, columns, thirds, units};
use super::{LEAST_UNITS, Pooled, PooledBoard, PooledRow, source_of};
use crate::finding::{Finding, Interval};
use crate::random::Random;
use crate::statistics::{
    Mixed, MixedFit, detectable, dot, mean, quantile, robust_interval, standard_deviation, times, variance,
};

/// The columns whose effect is reported, each with the unit of its effect (a doubling, a year).
pub(super) const TOLD: [(&str, &str); 8] = [
    ("size", "parameters doubled"),
    ("tokens", "training tokens doubled"),
    ("date", "one year later"),
    ("layers", "layers doubled at fixed size"),
    ("d_ffn", "feed-forward width over width doubled at fixed size"),
    (
        "heads_per_kv",
        "heads over key and value heads doubled at fixed size",
    ),
    ("vocabulary", "vocabulary doubled at fixed size"),
    ("experts", "all parameters over active ones doubled at fixed size"),
];

/// The fitted model of one benchmark on some rows.
struct Model {
    units: Units,
    named: Vec<Named>,
    fit: MixedFit,
    families: Vec<u32>,
    n_families: usize,
}

impl Model {
    fn of(rows: &[&PooledRow], score: impl Fn(&PooledRow) -> Option<f64>) -> Option<Self> {
        let units = units(rows, score);
        let named = columns(&units.all);
        if units.all.len() < named.len() + LEAST_UNITS {
            return None;
        }
        let mut names: Vec<&str> = units.all.iter().map(|unit| unit.family.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let families: Vec<u32> = units
            .all
            .iter()
            .map(|unit| names.binary_search(&unit.family.as_str()).unwrap_or_default() as u32)
            .collect();
        let n_families = names.len();
        let plain: Vec<Vec<f64>> = named.iter().map(|(_, column)| column.clone()).collect();
        let target: Vec<f64> = units.all.iter().map(|unit| unit.score).collect();
        let known: Vec<f64> = units.all.iter().map(|unit| units.within / unit.n).collect();
        let fit = Mixed {
            columns: &plain,
            target: &target,
            groupings: std::slice::from_ref(&families),
            known: &known,
        }
        .fit()
        .ok()?;
        Some(Self {
            units,
            named,
            fit,
            families,
            n_families,
        })
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.named.iter().position(|(known, _)| *known == name)
    }

    /// Degrees of freedom from the number of families, which are treated as independent; at least 4.
    fn df(&self) -> f64 {
        (self.n_families as f64 - self.named.len() as f64).max(4.0)
    }

    fn t(&self, place: usize) -> f64 {
        self.fit.coefficients[place] / self.fit.error(place)
    }

    fn interval(&self, place: usize, level: f64, note: &str) -> Option<Interval> {
        robust_interval(
            self.fit.coefficients[place],
            self.fit.error(place),
            self.df(),
            level,
            format!(
                "REML, t with {} degrees of freedom, {} families{note}",
                self.df(),
                self.n_families
            ),
        )
    }

    /// Robustness value: the share of the residual variance of both part and score that a confounder must explain to
    /// bring the effect to zero (Cinelli and Hazlett 2020, <https://doi.org/10.1111/rssb.12348>).
    fn robustness(&self, place: usize) -> f64 {
        let f2 = self.t(place).powi(2) / self.df();
        0.5 * ((f2 * f2 + 4.0 * f2).sqrt() - f2)
    }

    /// Partial R² of a column: its share of the variance of the score that the other columns leave unexplained.
    fn partial_r2(&self, place: usize) -> f64 {
        let f2 = self.t(place).powi(2) / self.df();
        f2 / (1.0 + f2)
    }

    /// Permutation p value of the effect, and the standard deviation of t under permutation: the residuals of the part
    /// given the other columns are permuted among units of similar size (Freedman and Lane 1983).
    fn permutation(&self, place: usize, study: &Pooled<'_>) -> Option<(f64, f64)> {
        let n = self.units.all.len();
        let others: Vec<&Vec<f64>> = self
            .named
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place)
            .map(|(_, (_, column))| column)
            .collect();
        let plain: Vec<Vec<f64>> = others.iter().map(|column| (*column).clone()).collect();
        let left = crate::statistics::LinearDesign::new(&plain)
            .ok()?
            .residual(&self.named[place].1);
        // M = V⁻¹ − V⁻¹ X₀ (X₀' V⁻¹ X₀)⁻¹ X₀' V⁻¹ projects out the other columns X₀.
        let weighted: Vec<Vec<f64>> = others
            .iter()
            .map(|column| times(&self.fit.precision, column))
            .collect();
        let k = others.len();
        let information = faer::Mat::from_fn(k, k, |i, j| dot(&weighted[i], others[j]));
        let (inverse, _) = crate::algebra::inverse(information).ok()?;
        let mut beside = self.fit.precision.clone();
        for (i, row) in beside.iter_mut().enumerate() {
            for a in 0..k {
                let share: f64 = (0..k).map(|b| inverse[(a, b)] * weighted[b][i]).sum();
                row.iter_mut()
                    .zip(&weighted[a])
                    .for_each(|(cell, x)| *cell -= share * x);
            }
        }
        let target: Vec<f64> = self.units.all.iter().map(|unit| unit.score).collect();
        let pulled = times(&beside, &target);
        let t = |column: &[f64]| dot(column, &pulled) / dot(column, &times(&beside, column)).sqrt();
        let observed = t(&left).abs();
        let members = thirds(&self.units.all);
        let one = |shuffle: usize| -> f64 {
            let mut random = Random::new(study.seed ^ 0x9001, shuffle as u64 + 1);
            let mut column = vec![0.0; n];
            for rows in &members {
                let mut drawn = rows.clone();
                random.shuffle(&mut drawn);
                for (&row, other) in rows.iter().zip(drawn) {
                    column[row] = left[other];
                }
            }
            t(&column)
        };
        let all: Vec<f64> = (0..study.shuffles).into_par_iter().map(one).collect();
        let as_large = all.iter().filter(|t| t.abs() >= observed - 1e-12).count();
        Some((
            (as_large + 1) as f64 / (study.shuffles + 1) as f64,
            standard_deviation(&all),
        ))
    }
}

/// Findings on one benchmark; simultaneous intervals are for `n_benchmarks`.
pub(super) fn findings(
    board: &PooledBoard,
    benchmark: usize,
    n_benchmarks: usize,
    study: &Pooled<'_>,
) -> Vec<Finding> {
    let name = &board.benchmarks[benchmark];
    let all: Vec<&PooledRow> = board.rows.iter().collect();
    let sure: Vec<&PooledRow> = board.rows.iter().filter(|row| row.is_sure).collect();
    let score = |row: &PooledRow| row.scores[benchmark];
    let mut found = Vec::new();
    for (rows, stem, is_main) in [(&sure, "effect", true), (&all, "effect_all_rows", false)] {
        let Some(model) = Model::of(rows, score) else {
            continue;
        };
        let date = model.place("date").map(|place| model.partial_r2(place));
        for (part, words) in TOLD {
            let Some(place) = model.place(part) else { continue };
            let end = format!("{part}.{name}");
            let unit = if part == "date" {
                "points per year"
            } else {
                "points per doubling"
            };
            let n = model.units.all.len();
            let new = |id: String, question: String| {
                let features: Vec<String> = model.named.iter().map(|(name, _)| (*name).to_owned()).collect();
                Finding::new(id, question, &source_of(board))
                    .with_protocol("units_with_family_effects", &features)
            };
            let value = model.fit.coefficients[place];
            let which = if is_main {
                "structures known by their own or their base's config"
            } else {
                "all structures"
            };
            let mde = detectable(model.fit.error(place), model.df());
            found.push(
                new(
                    format!("pooled.{stem}.{end}"),
                    format!("With how many points on {name} does it go: {words} ({which})?"),
                )
                .with_value(value, unit, n, "mixed model by REML")
                .with_interval(model.interval(place, 0.95, ""))
                .with_note(format!(
                    "an association, not an effect: {n} units of {} rows in {} families; smallest seen four times out of \
                     five {mde:.2}; what is left out undoes it from a robustness value of {:.2} on, and the date alone has a \
                     partial R² of {:.2}",
                    model.units.rows,
                    model.n_families,
                    model.robustness(place),
                    date.unwrap_or(f64::NAN)
                )),
            );
            if !is_main {
                continue;
            }
            // Šidák's correction for all benchmarks, which needs no correlations between them.
            let level = 0.95_f64.powf(1.0 / n_benchmarks as f64);
            let note = format!("; {n_benchmarks} benchmarks at once");
            found.push(
                new(
                    format!("pooled.simultaneous.{end}"),
                    format!("{words}, {name}: an interval that holds for all benchmarks at once"),
                )
                .with_value(value, unit, n, "mixed model by REML")
                .with_interval(
                    model
                        .interval(place, level, &note)
                        .map(|ends| Interval { level: 0.95, ..ends }),
                ),
            );
            found.push(
                new(
                    format!("pooled.mde.{end}"),
                    format!(
                        "{words}, {name}: the smallest association that would be seen four times out of five"
                    ),
                )
                .with_value(mde, unit, n, "(t.975 + t.80) times the error"),
            );
            found.push(
                new(
                    format!("pooled.robustness.{end}"),
                    format!("{words}, {name}: what must be left out to undo it?"),
                )
                .with_value(model.robustness(place), "partial R²", n, "robustness value")
                .with_note(format!(
                    "the date's own partial R² is {:.2}",
                    date.unwrap_or(f64::NAN)
                )),
            );
            if let Some((p, spread)) = model.permutation(place, study) {
                found.push(
                    new(
                        format!("pooled.permutation.{end}"),
                        format!("{words}, {name}: is it more than chance?"),
                    )
                    .with_value(p, "p", n, "permutation within thirds of size")
                    .with_seed(study.seed)
                    .with_note(format!("where there is nothing t varies by {spread:.2}")),
                );
            }
        }
    }
    found
}

/// The largest share of a board's mean score that structure, date and tokens can explain, for units of a known family
/// and of an unknown one.
pub(super) fn ceilings(board: &PooledBoard) -> Vec<Finding> {
    let all: Vec<&PooledRow> = board.rows.iter().collect();
    let average = |row: &PooledRow| -> Option<f64> {
        let scores: Option<Vec<f64>> = row.scores.iter().copied().collect();
        scores
            .filter(|scores| !scores.is_empty())
            .map(|scores| mean(&scores))
    };
    let Some(model) = Model::of(&all, average) else {
        return Vec::new();
    };
    let targets: Vec<f64> = model.units.all.iter().map(|unit| unit.score).collect();
    let noise: Vec<f64> = model
        .units
        .all
        .iter()
        .map(|unit| model.units.within / unit.n)
        .collect();
    let total = variance(&targets);
    let (family, unit) = (model.fit.variances[0], model.fit.residual);
    let without = without_one_family(&model, &targets, &noise);
    [("family_known", unit), ("family_unknown", family + unit)]
        .into_iter()
        .enumerate()
        .map(|(place, (which, left))| {
            let features: Vec<String> = model.named.iter().map(|(name, _)| (*name).to_owned()).collect();
            Finding::new(
                format!("pooled.ceiling.{which}.{}", board.name),
                format!(
                    "Which R² by unit can structure, date and tokens reach on the mean of {} for a new unit, its {}?",
                    board.name,
                    which.replace('_', " ")
                ),
                &source_of(board),
            )
            .with_value(1.0 - (left + mean(&noise)) / total, "fraction", targets.len(), "variances by REML")
            .with_interval(range(&without, place))
            .with_protocol("units_with_family_effects", &features)
            .with_note(format!(
                "standard deviations: unit means {:.1}, families {:.1}, units {:.1}, rows {:.1} points; mean absolute error at \
                 best about {:.1} points",
                total.sqrt(),
                family.sqrt(),
                unit.sqrt(),
                model.units.within.sqrt(),
                0.8 * left.sqrt()
            ))
        })
        .collect()
}

/// Both ceilings, for a known and an unknown family, with each family left out in turn.
fn without_one_family(model: &Model, targets: &[f64], noise: &[f64]) -> Vec<[f64; 2]> {
    let plain: Vec<Vec<f64>> = model.named.iter().map(|(_, column)| column.clone()).collect();
    (0..model.n_families as u32)
        .into_par_iter()
        .filter_map(|out| {
            let rows: Vec<usize> = (0..targets.len())
                .filter(|&row| model.families[row] != out)
                .collect();
            let of = |values: &[f64]| -> Vec<f64> { rows.iter().map(|&row| values[row]).collect() };
            let families: Vec<u32> = rows.iter().map(|&row| model.families[row]).collect();
            let (target, known) = (of(targets), of(noise));
            let fit = Mixed {
                columns: &plain.iter().map(|column| of(column)).collect::<Vec<_>>(),
                target: &target,
                groupings: &[families],
                known: &known,
            }
            .fit()
            .ok()?;
            let ceiling = |left: f64| 1.0 - (left + mean(&known)) / variance(&target);
            Some([ceiling(fit.residual), ceiling(fit.residual + fit.variances[0])])
        })
        .collect()
}

/// Smallest and largest of one of the two ceilings; `None` for four families or fewer.
fn range(without: &[[f64; 2]], place: usize) -> Option<Interval> {
    let values: Vec<f64> = without.iter().map(|ceilings| ceilings[place]).collect();
    (values.len() > 4).then(|| Interval {
        low: quantile(&values, 0.0),
        high: quantile(&values, 1.0),
        level: 1.0,
        method: "range with one family left out".into(),
    })
}
