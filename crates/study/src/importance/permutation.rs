//! Permutation importance on held-out rows (Breiman 2001; groups of columns as in Strobl et al. 2008,
//! <https://doi.org/10.1186/1471-2105-9-307>, and Gregorutti, Michel and Saint-Pierre 2015).
//!
//! Size, `d_model`, `d_ffn` and layers are correlated: if one is permuted the others still carry its information, so
//! all look unimportant. Groups of columns are therefore permuted together.

use super::{Importance, Setting};
use crate::design::pick;
use crate::error::Error;
use crate::evaluate::Evaluation;
use crate::random::Random;

/// Drop in R² when a held-out row's values in a group of columns are replaced by those of another row, as a fraction of
/// the target's variance over all rows; the mean over `repeats` permutations per fold and seed.
///
/// Values are permuted over the test rows of all folds together, so that the rows of a fold with a single shape also
/// get values of other shapes. Columns that are constant over these rows are not identified: NaN, without an interval.
///
/// `groups` holds column indices; one column per group gives ordinary permutation importance.
///
/// # Errors
/// As [`crate::evaluate::evaluate`]; [`Error::BadSetting`] if `repeats` is 0; [`Error::CannotCompute`] if the target
/// is constant.
pub fn permutation(
    setting: &Setting<'_>,
    groups: &[Vec<usize>],
    repeats: usize,
) -> Result<Vec<Importance>, Error> {
    permutation_and_scores(setting, groups, repeats).map(|(importances, _)| importances)
}

/// As [`permutation`]; also returns the unpermuted scores, equal to [`crate::evaluate::evaluate`] with the first seed.
pub(crate) fn permutation_and_scores(
    setting: &Setting<'_>,
    groups: &[Vec<usize>],
    repeats: usize,
) -> Result<(Vec<Importance>, Evaluation), Error> {
    if repeats == 0 {
        return Err(Error::BadSetting {
            name: "repeats",
            value: 0.0,
            must: "at least 1",
        });
    }
    let n = setting.target.len() as f64;
    let mean = setting.target.iter().sum::<f64>() / n;
    let variance = setting.target.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
    if variance == 0.0 {
        return Err(Error::CannotCompute {
            method: setting.regression.name(),
            problem: "the target is constant, so no column can matter".to_owned(),
        });
    }
    let mut pool: Vec<usize> = setting
        .folds
        .iter()
        .flat_map(|fold| fold.test.iter().copied())
        .collect();
    pool.sort_unstable();
    pool.dedup();
    let mut place_of = vec![0; setting.design.n_rows()];
    for (place, &row) in pool.iter().enumerate() {
        place_of[row] = place;
    }
    let is_identified = |columns: &[usize]| {
        columns.iter().any(|&f| {
            let values = setting.design.column(f);
            pool.iter().any(|&row| values[row] != values[pool[0]])
        })
    };
    let draws = setting.each_fit(|fit, fold, seed| {
        let test = setting.design.select(&fold.test);
        let truth = pick(setting.target, &fold.test);
        let error = |predicted: &[f64]| {
            let squares = truth.iter().zip(predicted).map(|(y, p)| (y - p).powi(2));
            squares.sum::<f64>() / truth.len() as f64
        };
        let predicted = fit.predict(&test)?;
        let plain = error(&predicted);
        let of_group = |(g, columns): (usize, &Vec<usize>)| {
            if !is_identified(columns) {
                return Ok(f64::NAN);
            }
            let mut rise = 0.0;
            for repeat in 0..repeats {
                let mut random = Random::new(seed, (g * repeats + repeat) as u64);
                let mut order = pool.clone();
                random.shuffle(&mut order);
                let donors: Vec<usize> = fold.test.iter().map(|&row| order[place_of[row]]).collect();
                let mut shuffled = test.clone();
                for &f in columns {
                    shuffled = shuffled.with_column(f, pick(setting.design.column(f), &donors))?;
                }
                rise += error(&fit.predict(&shuffled)?) - plain;
            }
            Ok(rise / repeats as f64 / variance)
        };
        let rises = groups.iter().enumerate().map(of_group);
        Ok((rises.collect::<Result<Vec<f64>, Error>>()?, predicted))
    })?;
    let (draws, predicted): (Vec<_>, Vec<_>) = draws.into_iter().unzip();
    let first_seed = &predicted[..setting.folds.len()];
    let scores = Evaluation::from_folds(setting.target, setting.folds, first_seed);
    let importance = |(g, columns): (usize, &Vec<usize>)| {
        let names = columns.iter().map(|&f| setting.design.names()[f].clone());
        Importance::new(names.collect(), draws.iter().map(|d| d[g]).collect())
    };
    Ok((groups.iter().enumerate().map(importance).collect(), scores))
}
