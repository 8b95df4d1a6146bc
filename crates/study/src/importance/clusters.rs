//! Hierarchical clustering of columns by rank correlation, with average linkage.
//!
//! Distance is 1 − |Spearman's ρ|; the two nearest clusters are merged until one is left (Sokal and Michener 1958). The
//! merges form the dendrogram.

use crate::design::Design;
use crate::error::Error;
use crate::statistics::{average_ranks, pearson};

/// A merge of two clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// The merged clusters: columns are `0..n_features`, and the k-th merge creates cluster `n_features + k`.
    pub left: usize,
    /// See `left`.
    pub right: usize,
    /// Mean of 1 − |ρ| over pairs of their columns.
    pub distance: f64,
}

/// A dendrogram of columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Dendrogram {
    /// Column names.
    pub names: Vec<String>,
    /// Merges in order; distances never decrease. `(n_features − 1,)`.
    pub merges: Vec<Merge>,
    /// Spearman's ρ, `(n_features, n_features)`; 0 for constant columns.
    pub correlation: Vec<Vec<f64>>,
}

/// Clusters the columns of a design.
///
/// # Errors
/// [`Error::NoRows`] if there are no rows.
pub fn dendrogram(design: &Design) -> Result<Dendrogram, Error> {
    if design.n_rows() == 0 {
        return Err(Error::NoRows);
    }
    let ranks: Vec<Vec<f64>> = design.columns().iter().map(|c| average_ranks(c)).collect();
    let rho = |a: &[f64], b: &[f64]| {
        let rho = pearson(a, b).value;
        if rho.is_nan() { 0.0 } else { rho }
    };
    let row = |a: &Vec<f64>| ranks.iter().map(|b| rho(a, b)).collect();
    let correlation: Vec<Vec<f64>> = ranks.iter().map(row).collect();
    Ok(Dendrogram {
        names: design.names().to_vec(),
        merges: merges(&correlation),
        correlation,
    })
}

/// Merges columns by average linkage from their correlations, `(n_columns, n_columns)`.
pub fn merges(correlation: &[Vec<f64>]) -> Vec<Merge> {
    let p = correlation.len();
    let mut members: Vec<Vec<usize>> = (0..p).map(|f| vec![f]).collect();
    let mut open: Vec<usize> = (0..p).collect();
    let mut merges = Vec::new();
    while open.len() > 1 {
        let distance = |a: usize, b: usize| {
            let pairs = members[a]
                .iter()
                .flat_map(|&i| members[b].iter().map(move |&j| (i, j)));
            let sum: f64 = pairs.map(|(i, j)| 1.0 - correlation[i][j].abs()).sum();
            sum / (members[a].len() * members[b].len()) as f64
        };
        let pairs = open
            .iter()
            .enumerate()
            .flat_map(|(k, &a)| open[k + 1..].iter().map(move |&b| (a, b)));
        let nearest = pairs.min_by(|x, y| distance(x.0, x.1).total_cmp(&distance(y.0, y.1)));
        let Some((left, right)) = nearest else { break };
        merges.push(Merge {
            left,
            right,
            distance: distance(left, right),
        });
        let both = [members[left].clone(), members[right].clone()].concat();
        members.push(both);
        open.retain(|&c| c != left && c != right);
        open.push(members.len() - 1);
    }
    merges
}

/// The columns in the order of the dendrogram's leaves, so that merged columns are adjacent.
pub fn leaf_order(n_columns: usize, merges: &[Merge]) -> Vec<usize> {
    let mut members: Vec<Vec<usize>> = (0..n_columns).map(|column| vec![column]).collect();
    for merge in merges {
        members.push([members[merge.left].clone(), members[merge.right].clone()].concat());
    }
    members.pop().unwrap_or_default()
}

impl Dendrogram {
    /// Groups of column indices merged within `distance`; columns and groups are in ascending order.
    pub fn groups(&self, distance: f64) -> Vec<Vec<usize>> {
        let p = self.names.len();
        let mut clusters: Vec<Option<Vec<usize>>> = (0..p).map(|f| Some(vec![f])).collect();
        for merge in &self.merges {
            let near = merge.distance <= distance;
            let both = match (clusters[merge.left].take(), clusters[merge.right].take()) {
                (Some(a), Some(b)) if near => Some([a, b].concat()),
                (a, b) => {
                    clusters[merge.left] = a;
                    clusters[merge.right] = b;
                    None
                }
            };
            clusters.push(both);
        }
        let mut groups: Vec<Vec<usize>> = clusters.into_iter().flatten().collect();
        for group in &mut groups {
            group.sort_unstable();
        }
        groups.sort();
        groups
    }
}
