//! Spearman's correlations of many resamples: each column is sorted once, and a resample only needs counts.
//!
//! A row drawn w times stands for w equal rows, so a run of ties of total weight W that follows a weight B has rank B +
//! (W + 1)/2, without sorting again: a resample of n rows and p columns costs O(n p²).

/// Sorted columns, ready to be ranked in any resample of their groups.
#[derive(Debug, Clone)]
pub struct RankedColumns {
    /// Per column: the rows in ascending order, and the positions at which each run of ties ends.
    orders: Vec<(Vec<u32>, Vec<usize>)>,
    /// Group of each row, as consecutive integers from 0.
    group: Vec<u32>,
    n_groups: usize,
}

impl RankedColumns {
    /// Sorts the columns.
    ///
    /// # Shapes and units
    /// - `columns`: `(n_columns, n_rows)`, finite; `groups`: `(n_rows,)`, any group identifiers.
    pub fn new(columns: &[Vec<f64>], groups: &[u32]) -> Self {
        let dense = crate::groups::Groups::from_labels(groups);
        let order = |column: &Vec<f64>| {
            let mut rows: Vec<u32> = (0..column.len() as u32).collect();
            rows.sort_by(|&a, &b| column[a as usize].total_cmp(&column[b as usize]));
            let mut ends = Vec::new();
            let mut end = 0;
            for run in rows.chunk_by(|&a, &b| column[a as usize] == column[b as usize]) {
                end += run.len();
                ends.push(end);
            }
            (rows, ends)
        };
        Self {
            orders: columns.iter().map(order).collect(),
            group: dense.ids().iter().map(|&id| id as u32).collect(),
            n_groups: dense.n_groups(),
        }
    }

    /// Number of groups to resample.
    pub fn n_groups(&self) -> usize {
        self.n_groups
    }

    /// Centred ranks of each column, `(n_columns, n_rows)`, and the weight of each row.
    fn ranks(&self, counts: &[u32]) -> (Vec<Vec<f64>>, Vec<f64>) {
        let weight: Vec<f64> = self
            .group
            .iter()
            .map(|&group| f64::from(counts[group as usize]))
            .collect();
        let all: f64 = weight.iter().sum();
        let middle = f64::midpoint(all, 1.0);
        let ranks = self
            .orders
            .iter()
            .map(|(rows, ends)| {
                let mut ranks = vec![0.0; rows.len()];
                let (mut first, mut before) = (0, 0.0);
                for &end in ends {
                    let run = &rows[first..end];
                    let own: f64 = run.iter().map(|&row| weight[row as usize]).sum();
                    let rank = before + f64::midpoint(own, 1.0) - middle;
                    for &row in run {
                        ranks[row as usize] = rank;
                    }
                    before += own;
                    first = end;
                }
                ranks
            })
            .collect();
        (ranks, weight)
    }

    /// Spearman's ρ of every pair of columns, each group counted as often as it was drawn; NaN for constant columns.
    ///
    /// # Shapes and units
    /// - `counts`: `(n_groups,)`, times drawn; result `(n_columns, n_columns)`.
    pub fn correlations(&self, counts: &[u32]) -> Vec<Vec<f64>> {
        let (ranks, weight) = self.ranks(counts);
        let p = ranks.len();
        let mut covariance = vec![vec![0.0; p]; p];
        for i in 0..p {
            let weighted: Vec<f64> = ranks[i].iter().zip(&weight).map(|(rank, w)| rank * w).collect();
            for j in i..p {
                covariance[i][j] = weighted.iter().zip(&ranks[j]).map(|(a, b)| a * b).sum();
            }
        }
        let mut correlation = vec![vec![1.0; p]; p];
        for i in 0..p {
            for j in i + 1..p {
                let rho = covariance[i][j] / (covariance[i][i] * covariance[j][j]).sqrt();
                correlation[i][j] = rho.clamp(-1.0, 1.0);
                correlation[j][i] = correlation[i][j];
            }
        }
        correlation
    }
}
