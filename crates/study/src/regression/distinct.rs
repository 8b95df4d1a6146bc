//! The distinct feature rows of a design, with all rows in a canonical order.
//!
//! The squared error over rows with equal features is that of their weighted mean plus a constant, so fits need the
//! distinct rows only. Rows are sorted by features, then target, then weight; what a fit draws or sums in this
//! canonical order does not depend on the order of rows in the table.

use crate::design::{Design, check_input};
use crate::error::Error;
use crate::groups::sortable_bits;

/// A table collapsed to its distinct feature rows. Rows of weight zero are dropped.
#[derive(Debug)]
pub(crate) struct Distinct {
    /// Per feature: its distinct values, ascending.
    pub(crate) values: Vec<Vec<f64>>,
    /// Per feature and distinct row: index of its value in `values`.
    pub(crate) codes: Vec<Vec<u32>>,
    /// Index of the distinct row of each canonical row, ascending.
    pub(crate) row_of: Vec<u32>,
    /// Target of each canonical row.
    pub(crate) target: Vec<f64>,
    /// Weight of each canonical row, above zero.
    pub(crate) weight: Vec<f64>,
    /// Total weight of each distinct row.
    pub(crate) total_weight: Vec<f64>,
    /// Weighted mean of the target over each distinct row.
    pub(crate) mean: Vec<f64>,
    /// Weighted mean of the target over all rows.
    pub(crate) grand_mean: f64,
    /// Column names.
    pub(crate) names: Vec<String>,
}

impl Distinct {
    /// Checks the input as every fit does and collapses it.
    pub(crate) fn new(design: &Design, target: &[f64], weights: Option<&[f64]>) -> Result<Self, Error> {
        check_input(design, target, weights)?;
        let weight_of = |r: usize| weights.map_or(1.0, |w| w[r]);
        let kept: Vec<u32> = (0..target.len() as u32)
            .filter(|&r| weight_of(r as usize) > 0.0)
            .collect();
        let (values, row_codes): (Vec<_>, Vec<_>) =
            design.columns().iter().map(|column| rank(column, &kept)).unzip();
        let (group, first) = group_rows(&values, &row_codes, kept.len());
        let mut order: Vec<u32> = (0..kept.len() as u32).collect();
        let key = |&k: &u32| {
            let r = kept[k as usize] as usize;
            let (y, w) = (sortable_bits(target[r]), sortable_bits(weight_of(r)));
            (group[k as usize], y, w)
        };
        order.sort_unstable_by_key(key);
        let original = |k: &u32| kept[*k as usize] as usize;
        let row_of: Vec<u32> = order.iter().map(|&k| group[k as usize]).collect();
        let y: Vec<f64> = order.iter().map(|k| target[original(k)]).collect();
        let weight: Vec<f64> = order.iter().map(|k| weight_of(original(k))).collect();
        let (total_weight, mean, grand_mean) = means(&row_of, &y, &weight, first.len());
        let of_distinct = |codes: &Vec<u32>| first.iter().map(|&k| codes[k as usize]).collect();
        Ok(Self {
            codes: row_codes.iter().map(of_distinct).collect(),
            values,
            row_of,
            target: y,
            weight,
            total_weight,
            mean,
            grand_mean,
            names: design.names().to_vec(),
        })
    }

    /// Number of distinct rows.
    pub(crate) fn len(&self) -> usize {
        self.mean.len()
    }

    /// Puts features with more than `max_bins` values into bins of about equal weight; a bin takes its smallest value.
    /// Distinct rows are not merged: those in one bin only share a code.
    pub(crate) fn bin(&mut self, max_bins: usize) {
        for (values, codes) in self.values.iter_mut().zip(&mut self.codes) {
            if values.len() <= max_bins {
                continue;
            }
            let mut weight = vec![0.0; values.len()];
            for (&code, w) in codes.iter().zip(&self.total_weight) {
                weight[code as usize] += w;
            }
            let cuts = even_ranks(&weight, max_bins + 1);
            let lowest = cuts[..max_bins.min(cuts.len())].to_vec();
            let bin_of = |c: u32| lowest.partition_point(|&v| v <= c as usize) as u32 - 1;
            for c in codes.iter_mut() {
                *c = bin_of(*c);
            }
            *values = lowest.iter().map(|&v| values[v]).collect();
        }
    }

    pub(crate) fn n_features(&self) -> usize {
        self.values.len()
    }

    /// Value of feature `f` in distinct row `g`.
    pub(crate) fn value(&self, f: usize, g: usize) -> f64 {
        self.values[f][self.codes[f][g] as usize]
    }
}

/// Distinct rows of a design to predict: `(index of one row per distinct row, distinct row of each row)`.
pub(crate) fn distinct_rows(design: &Design) -> (Vec<usize>, Vec<u32>) {
    let all: Vec<u32> = (0..design.n_rows() as u32).collect();
    let (values, codes): (Vec<_>, Vec<_>) = design.columns().iter().map(|column| rank(column, &all)).unzip();
    let (group, first) = group_rows(&values, &codes, design.n_rows());
    (first.iter().map(|&r| r as usize).collect(), group)
}

/// Predicts the distinct rows once and copies the results to all rows.
pub(crate) fn predict_distinct(design: &Design, predict: impl FnOnce(&Design) -> Vec<f64>) -> Vec<f64> {
    let (first, row_of) = distinct_rows(design);
    let values = predict(&design.select(&first));
    row_of.iter().map(|&g| values[g as usize]).collect()
}

/// Distinct values of a column over the rows `kept`, ascending, and the index of each kept row's value among them.
fn rank(column: &[f64], kept: &[u32]) -> (Vec<f64>, Vec<u32>) {
    let mut keyed: Vec<(i64, u32)> = kept
        .iter()
        .zip(0..)
        .map(|(&r, k)| (sortable_bits(column[r as usize]), k))
        .collect();
    keyed.sort_unstable();
    let mut values = Vec::new();
    let mut codes = vec![0; kept.len()];
    let mut last = None;
    for (bits, k) in keyed {
        if last != Some(bits) {
            values.push(column[kept[k as usize] as usize] + 0.0);
            last = Some(bits);
        }
        codes[k as usize] = values.len() as u32 - 1;
    }
    (values, codes)
}

/// Group id of each row (ids ascend with the features, first feature first), and one row of each group.
fn group_rows(values: &[Vec<f64>], codes: &[Vec<u32>], n: usize) -> (Vec<u32>, Vec<u32>) {
    if n == 0 {
        return (Vec::new(), Vec::new());
    }
    // Packs the codes of as many features as fit into 64 bits, then replaces the packed key by its rank.
    let mut group = vec![0_u64; n];
    let mut used_bits = 0;
    for (values, codes) in values.iter().zip(codes) {
        let bits = usize::BITS - (values.len() - 1).leading_zeros();
        if used_bits + bits > 64 {
            let n_groups = dense(&mut group).len();
            used_bits = usize::BITS - n_groups.leading_zeros();
        }
        for (g, &code) in group.iter_mut().zip(codes) {
            *g = *g << bits | u64::from(code);
        }
        used_bits += bits;
    }
    let first = dense(&mut group);
    (group.into_iter().map(|g| g as u32).collect(), first)
}

/// Replaces keys by their ranks, in place; returns the first row of each rank.
fn dense(keys: &mut [u64]) -> Vec<u32> {
    let mut keyed: Vec<(u64, u32)> = keys.iter().copied().zip(0..).collect();
    keyed.sort_unstable();
    let mut first: Vec<u32> = Vec::new();
    let mut last = None;
    for (key, row) in keyed {
        if last != Some(key) {
            first.push(row);
            last = Some(key);
        }
        keys[row as usize] = first.len() as u64 - 1;
    }
    first
}

/// Indices of at most `n` values, ascending, including the first and last, at ranks as even as possible: the pruning of
/// a quantile summary in xgboost (Chen and Guestrin 2016, appendix), here with exact ranks.
fn even_ranks(weight: &[f64], n: usize) -> Vec<usize> {
    let mut below = vec![0.0; weight.len() + 1];
    for (v, w) in weight.iter().enumerate() {
        below[v + 1] = below[v] + w;
    }
    let last = weight.len() - 1;
    let (begin, range) = (below[1], below[last] - below[1]);
    let mut kept = vec![0];
    let mut i = 1;
    for k in 1..n - 1 {
        let twice = 2.0 * (k as f64 * range / (n - 1) as f64 + begin);
        while i < last && twice >= below[i + 1] + below[i + 2] {
            i += 1;
        }
        if i == last {
            break;
        }
        // Value i ends and value i + 1 begins at rank `below[i + 1]`.
        let nearest = if twice < 2.0 * below[i + 1] { i } else { i + 1 };
        if kept.last() != Some(&nearest) {
            kept.push(nearest);
        }
    }
    if kept.last() != Some(&last) {
        kept.push(last);
    }
    kept
}

/// Weight and mean of each distinct row, and the overall mean.
fn means(row_of: &[u32], y: &[f64], weight: &[f64], n: usize) -> (Vec<f64>, Vec<f64>, f64) {
    let total: f64 = weight.iter().sum();
    let grand = weighted_sum(y, weight, 0.0) / total;
    let grand = grand + weighted_sum(y, weight, grand) / total;
    let mut total_weight = vec![0.0; n];
    let mut sum = vec![0.0; n];
    for ((&g, &y), &w) in row_of.iter().zip(y).zip(weight) {
        total_weight[g as usize] += w;
        sum[g as usize] += w * (y - grand);
    }
    let mean = sum.iter().zip(&total_weight).map(|(s, w)| grand + s / w);
    let mean = mean.collect();
    (total_weight, mean, grand)
}

fn weighted_sum(y: &[f64], weight: &[f64], center: f64) -> f64 {
    y.iter().zip(weight).map(|(y, w)| w * (y - center)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design(columns: Vec<Vec<f64>>) -> Design {
        let names = (0..columns.len()).map(|i| format!("x{i}")).collect();
        Design::new(names, columns).expect("valid columns")
    }

    #[test]
    fn collapses_equal_rows_whatever_their_order() {
        let x = design(vec![vec![2.0, 1.0, 2.0, 1.0], vec![5.0, -0.0, 5.0, 0.0]]);
        let d = Distinct::new(&x, &[4.0, 1.0, 8.0, 3.0], None).expect("valid");
        assert_eq!((d.len(), d.mean.clone()), (2, vec![2.0, 6.0]));
        let y = design(vec![vec![1.0, 2.0, 1.0, 2.0], vec![0.0, 5.0, 0.0, 5.0]]);
        let e = Distinct::new(&y, &[3.0, 8.0, 1.0, 4.0], None).expect("valid");
        assert_eq!(d.target, e.target);
        assert_eq!((d.value(1, 1), d.grand_mean), (5.0, 4.0));
    }

    #[test]
    fn many_wide_columns_still_pack() {
        let column = |k: u64| {
            let value = |r: u64| (r.wrapping_mul(2_654_435_761 + k * 97) % 1009) as f64;
            (0..1000).map(value).collect::<Vec<f64>>()
        };
        let x = design((0..12).map(column).collect());
        let (first, row_of) = distinct_rows(&x);
        for (r, &g) in row_of.iter().enumerate() {
            assert_eq!(x.row(r), x.row(first[g as usize]));
        }
        let rows: std::collections::BTreeSet<Vec<i64>> = (0..1000)
            .map(|r| x.row(r).into_iter().map(sortable_bits).collect())
            .collect();
        assert_eq!(rows.len(), first.len());
    }

    #[test]
    fn rows_without_weight_are_gone() {
        let x = design(vec![vec![1.0, 2.0, 3.0]]);
        let d = Distinct::new(&x, &[1.0, 9.0, 3.0], Some(&[1.0, 0.0, 3.0])).expect("valid");
        assert_eq!((d.len(), d.grand_mean), (2, 2.5));
    }
}
