//! Tests whether size and date are the primary factors: the share of the R² of all columns that the two reach alone,
//! and the contribution of each, compared with the same column shuffled.

use rayon::prelude::*;

use super::rows::{BoardRows, SET};
use super::{BENCHMARK_TITLES, BENCHMARKS, LeaderboardV1, finding};
use crate::design::Design;
use crate::error::Error;
use crate::evaluate::{Evaluation, evaluate, group_sums, r2_of_sums};
use crate::finding::{Finding, Interval};
use crate::protocol::{Fold, Protocol, RowInformation, folds};
use crate::random::Random;
use crate::regression::RandomForest;
use crate::statistics::{mean, percentile_interval, resample_groups};

const FACTORS: [&str; 2] = ["size", "date"];
/// Number of random splits, with one forest of each kind on each.
const SPLITS: u64 = 3;

/// Scores of the forests on one split: on all columns, on the two factors only, and on all with one factor shuffled
/// before fitting.
struct Split {
    all: Evaluation,
    pair: Evaluation,
    shuffled: Vec<Evaluation>,
}

impl Split {
    fn of(rows: &BoardRows, seed: u64) -> Result<Self, Error> {
        let information = RowInformation {
            n_rows: rows.target.len(),
            shape: Some(&rows.shape),
            ..RowInformation::default()
        };
        let folds: Vec<Fold> = folds(Protocol::RandomSplit, &information, seed)?;
        let forest =
            |design: &Design| evaluate(&RandomForest::default(), design, &rows.target, None, &folds, seed);
        let shuffled = |name: &&str| {
            let place = rows.design.position(name)?;
            let mut column = rows.design.column(place).to_vec();
            Random::new(seed, 1 + place as u64).shuffle(&mut column);
            forest(&rows.design.with_column(place, column)?)
        };
        Ok(Self {
            all: forest(&rows.design)?,
            pair: forest(&rows.design.select_columns(&FACTORS)?)?,
            shuffled: FACTORS.par_iter().map(shuffled).collect::<Result<_, _>>()?,
        })
    }
}

/// A statistic of the R² of two forests: on all columns, and on fewer.
type OfTwo = fn(f64, f64) -> f64;

/// The share of R² that the factors reach, and the loss when each is shuffled, with intervals over shapes.
pub(super) fn findings(
    study: &LeaderboardV1<'_>,
    place: usize,
    rows: &BoardRows,
) -> Result<Vec<Finding>, Error> {
    let seeds: Vec<u64> = (study.seed..study.seed + SPLITS).collect();
    let splits: Vec<Split> = seeds
        .par_iter()
        .map(|&seed| Split::of(rows, seed))
        .collect::<Result<_, _>>()?;
    let (benchmark, title) = (BENCHMARKS[place], BENCHMARK_TITLES[place]);
    let compared = |pick: &dyn Fn(&Split) -> &Evaluation,
                    number: OfTwo|
     -> Result<(f64, Option<Interval>), Error> {
        let mut values = Vec::new();
        let mut ends = Vec::new();
        for (split, &seed) in splits.iter().zip(&seeds) {
            let sums = |one: &Evaluation| group_sums(&rows.target, &one.predictions, &rows.shape);
            let (mut full, mut other) = (sums(&split.all)?, sums(pick(split))?);
            full.retain(|sum| sum[0] > 0.0);
            other.retain(|sum| sum[0] > 0.0);
            let of = |drawn: &[usize]| Some(number(r2_of_sums(&full, drawn)?, r2_of_sums(&other, drawn)?));
            values.extend(of(&(0..full.len()).collect::<Vec<_>>()));
            let drawn = resample_groups(full.len(), study.resamples, seed, of);
            let method = format!(
                "bootstrap over {} shapes ({}), mean over {SPLITS} splits",
                full.len(),
                study.resamples
            );
            ends.extend(percentile_interval(&drawn, 0.95, method));
        }
        let first = ends.first().cloned().filter(|_| ends.len() == splits.len());
        let interval = first.map(|first| Interval {
            low: mean(&ends.iter().map(|ends| ends.low).collect::<Vec<_>>()),
            high: mean(&ends.iter().map(|ends| ends.high).collect::<Vec<_>>()),
            ..first
        });
        Ok((mean(&values), interval))
    };
    let told =
        |id: &str, question: String, unit: &str, method: &str, (value, interval): (f64, Option<Interval>)| {
            finding(&format!("importance.primary.{id}.{SET}.{benchmark}"), &question)
                .with_value(value, unit, splits[0].all.n_tested, method)
                .with_interval(interval)
                .with_protocol(Protocol::RandomSplit.name(), rows.design.names())
                .with_seed(study.seed)
        };
    let mut all = vec![told(
        "share",
        format!("Which share of the R² of all columns on {title} do size and date alone reach?"),
        "fraction",
        "R² (random_forest) on size and date, over that on all columns",
        compared(&|split| &split.pair, |full, pair| pair / full)?,
    )];
    for (own, name) in FACTORS.iter().enumerate() {
        all.push(told(
            name,
            format!("How much of R² on {title} is lost when {name} is shuffled before fitting?"),
            "1",
            "R² (random_forest) on all columns, less that with the column shuffled",
            compared(&|split| &split.shuffled[own], |full, without| full - without)?,
        ));
    }
    Ok(all)
}
