//! Exact Shapley values of trees, computed along the paths of the trees (Lundberg, Erion and Lee 2018,
//! <https://arxiv.org/abs/1802.03888>, algorithm 2).
//!
//! The contribution of a column to one prediction, averaged over all orders in which columns become known; at a split
//! on an unknown column a row takes both branches, weighted by training rows (`cover`). Values add up: Σφ + the mean
//! prediction = the prediction. Tested against brute force over all subsets of columns, and `shap`'s `TreeExplainer`.

use rayon::prelude::*;

use super::{Importance, Setting};
use crate::design::Design;
use crate::error::Error;
use crate::regression::{Ensemble, Fit, Tree, distinct_rows};

/// Shapley values of the rows of a design.
#[derive(Debug, Clone, PartialEq)]
pub struct Shapley {
    /// Prediction with no column known, in the target's unit.
    pub base: f64,
    /// `(n_rows, n_features)`, in the target's unit.
    pub values: Vec<Vec<f64>>,
}

/// Shapley values of each row; equal rows are computed once.
///
/// # Errors
/// [`Error::ColumnsDiffer`] if the design's columns are not the ensemble's.
pub fn shapley(ensemble: &Ensemble, design: &Design) -> Result<Shapley, Error> {
    let values = rows(ensemble, design, |row| {
        let mut phi = vec![0.0; row.len()];
        for tree in &ensemble.trees {
            Walk::new(tree, row, None).run(&mut phi);
        }
        phi.iter().map(|p| p * ensemble.scale).collect()
    })?;
    Ok(Shapley {
        base: base(ensemble),
        values,
    })
}

/// Shapley interaction values of each row, `(n_rows, n_features, n_features)` with the matrix of each row flattened:
/// off the diagonal half of the interaction of two columns, on it the main effect of a column; each row of the matrix
/// sums to φ.
///
/// # Errors
/// As [`shapley`].
pub fn interactions(ensemble: &Ensemble, design: &Design) -> Result<Vec<Vec<f64>>, Error> {
    rows(ensemble, design, |row| {
        let p = row.len();
        let mut matrix = vec![0.0; p * p];
        let (mut phi, mut known, mut unknown) = (vec![0.0; p], vec![0.0; p], vec![0.0; p]);
        for tree in &ensemble.trees {
            Walk::new(tree, row, None).run(&mut phi);
        }
        for j in 0..p {
            known.fill(0.0);
            unknown.fill(0.0);
            for tree in ensemble.trees.iter().filter(|t| uses(t, j)) {
                Walk::new(tree, row, Some((j as u32, true))).run(&mut known);
                Walk::new(tree, row, Some((j as u32, false))).run(&mut unknown);
            }
            for i in (0..p).filter(|&i| i != j) {
                matrix[i * p + j] = ensemble.scale * (known[i] - unknown[i]) / 2.0;
            }
        }
        for i in 0..p {
            let others: f64 = (0..p).filter(|&j| j != i).map(|j| matrix[i * p + j]).sum();
            matrix[i * p + i] = ensemble.scale * phi[i] - others;
        }
        matrix
    })
}

/// Mean |Shapley value| of each column over each fold's test rows, in the target's unit.
///
/// # Errors
/// [`Error::CannotCompute`] if the method is not made of trees; as [`crate::evaluate::evaluate`].
pub fn mean_shapley(setting: &Setting<'_>) -> Result<Vec<Importance>, Error> {
    let draws = setting.each_fit(|fit, fold, _| {
        let ensemble = ensemble_of(setting, fit)?;
        let found = shapley(ensemble, &setting.design.select(&fold.test))?;
        let n = found.values.len() as f64;
        let mean = |f: usize| found.values.iter().map(|v| v[f].abs()).sum::<f64>() / n;
        Ok((0..setting.design.n_features()).map(mean).collect())
    })?;
    Ok(setting.by_column(&draws))
}

/// Mean |interaction value| of each pair of columns over each fold's test rows, in the target's unit, with both halves
/// of the interaction added.
///
/// # Errors
/// As [`mean_shapley`].
pub fn mean_interactions(setting: &Setting<'_>) -> Result<Vec<Importance>, Error> {
    let p = setting.design.n_features();
    let pairs: Vec<(usize, usize)> = (0..p).flat_map(|i| (i + 1..p).map(move |j| (i, j))).collect();
    let draws = setting.each_fit(|fit, fold, _| {
        let ensemble = ensemble_of(setting, fit)?;
        let found = interactions(ensemble, &setting.design.select(&fold.test))?;
        let mean = |&(i, j): &(usize, usize)| {
            let sum: f64 = found.iter().map(|matrix| 2.0 * matrix[i * p + j].abs()).sum();
            sum / found.len() as f64
        };
        Ok(pairs.iter().map(mean).collect::<Vec<f64>>())
    })?;
    let names = setting.design.names();
    let of = |(k, &(i, j)): (usize, &(usize, usize))| {
        let draws = draws.iter().map(|draw| draw[k]).collect();
        Importance::new(vec![names[i].clone(), names[j].clone()], draws)
    };
    Ok(pairs.iter().enumerate().map(of).collect())
}

fn ensemble_of<'a>(setting: &Setting<'_>, fit: &'a dyn Fit) -> Result<&'a Ensemble, Error> {
    fit.ensemble().ok_or_else(|| Error::CannotCompute {
        method: setting.regression.name(),
        problem: "Shapley values by paths need trees".to_owned(),
    })
}

/// The mean prediction over the training rows, weighted by the trees' covers.
pub fn base(ensemble: &Ensemble) -> f64 {
    let mean = |tree: &Tree| {
        let leaves = tree.nodes.iter().filter(|n| n.is_leaf());
        leaves.map(|n| n.value * n.cover).sum::<f64>() / tree.nodes[0].cover
    };
    ensemble.base + ensemble.scale * ensemble.trees.iter().map(mean).sum::<f64>()
}

fn uses(tree: &Tree, feature: usize) -> bool {
    let splits = tree.nodes.iter().filter(|n| !n.is_leaf());
    splits.into_iter().any(|n| n.feature as usize == feature)
}

fn rows(
    ensemble: &Ensemble,
    design: &Design,
    of_row: impl Fn(&[f64]) -> Vec<f64> + Sync,
) -> Result<Vec<Vec<f64>>, Error> {
    if ensemble.names != design.names() {
        return Err(Error::ColumnsDiffer {
            fitted: ensemble.names.clone(),
            given: design.names().to_vec(),
        });
    }
    let (first, row_of) = distinct_rows(design);
    let found: Vec<Vec<f64>> = first.par_iter().map(|&r| of_row(&design.row(r))).collect();
    Ok(row_of.iter().map(|&g| found[g as usize].clone()).collect())
}

/// One column on the path to a leaf.
#[derive(Debug, Clone, Copy)]
struct Step {
    feature: u32,
    /// Share of rows that take this branch where the column is unknown.
    unknown: f64,
    /// Whether the row takes this branch where the column is known: 1 or 0.
    known: f64,
    /// Weight of the subsets of each size.
    weight: f64,
}

/// Marks the step above the root, which has no column.
const NO_FEATURE: u32 = u32::MAX;

/// One row's walk through one tree.
struct Walk<'a> {
    tree: &'a Tree,
    row: &'a [f64],
    /// A column fixed as known or unknown, for interactions.
    held: Option<(u32, bool)>,
    /// Paths of the nodes being visited, stored consecutively.
    steps: Vec<Step>,
}

impl<'a> Walk<'a> {
    fn new(tree: &'a Tree, row: &'a [f64], held: Option<(u32, bool)>) -> Self {
        Self {
            tree,
            row,
            held,
            steps: Vec::with_capacity(256),
        }
    }

    fn run(&mut self, phi: &mut [f64]) {
        let root = Step {
            feature: NO_FEATURE,
            unknown: 1.0,
            known: 1.0,
            weight: 1.0,
        };
        self.visit(0, 0, 0, root, 1.0, phi);
    }

    /// Visits `node`, reached by `step` from a node whose path is at `steps[start..end]`; `share` is the fraction left
    /// after branches on a fixed column.
    fn visit(&mut self, node: usize, start: usize, end: usize, step: Step, share: f64, phi: &mut [f64]) {
        if share == 0.0 {
            return;
        }
        let own = self.steps.len();
        self.steps.extend_from_within(start..end);
        if self.held.is_none_or(|(f, _)| f != step.feature) {
            extend(&mut self.steps, own, step);
        }
        let at = self.tree.nodes[node];
        if at.is_leaf() {
            let path = &self.steps[own..];
            for k in 1..path.len() {
                let weight = unwound_sum(path, k);
                let step = path[k];
                phi[step.feature as usize] += weight * (step.known - step.unknown) * at.value * share;
            }
            self.steps.truncate(own);
            return;
        }
        let left = at.left as usize;
        let goes_right = self.row[at.feature as usize] > at.threshold;
        let (hot, cold) = if goes_right {
            (left + 1, left)
        } else {
            (left, left + 1)
        };
        let of = |child: usize| self.tree.nodes[child].cover / at.cover;
        let (hot_share, cold_share) = (of(hot), of(cold));
        let (mut unknown, mut known) = (1.0, 1.0);
        let again = self.steps[own..].iter().position(|s| s.feature == at.feature);
        if let Some(k) = again {
            unknown = self.steps[own + k].unknown;
            known = self.steps[own + k].known;
            unwind(&mut self.steps, own, k);
        }
        let (to_hot, to_cold) = match self.held {
            Some((f, true)) if f == at.feature => (share, 0.0),
            Some((f, false)) if f == at.feature => (share * hot_share, share * cold_share),
            _ => (share, share),
        };
        let end = self.steps.len();
        let next = |unknown, known| Step {
            feature: at.feature,
            unknown,
            known,
            weight: 0.0,
        };
        self.visit(hot, own, end, next(hot_share * unknown, known), to_hot, phi);
        self.visit(cold, own, end, next(cold_share * unknown, 0.0), to_cold, phi);
        self.steps.truncate(own);
    }
}

/// Appends a step to the path that starts at `own`.
fn extend(steps: &mut Vec<Step>, own: usize, step: Step) {
    let depth = steps.len() - own;
    let first = if depth == 0 { 1.0 } else { 0.0 };
    steps.push(Step {
        weight: first,
        ..step
    });
    let path = &mut steps[own..];
    let n = depth as f64 + 1.0;
    for i in (0..depth).rev() {
        path[i + 1].weight += step.known * path[i].weight * (i as f64 + 1.0) / n;
        path[i].weight *= step.unknown * (depth - i) as f64 / n;
    }
}

/// Removes step `k` from the path that starts at `own`.
fn unwind(steps: &mut Vec<Step>, own: usize, k: usize) {
    let path = &mut steps[own..];
    let depth = path.len() - 1;
    let Step { unknown, known, .. } = path[k];
    let n = depth as f64 + 1.0;
    let mut next = path[depth].weight;
    for i in (0..depth).rev() {
        if known == 0.0 {
            path[i].weight *= n / (unknown * (depth - i) as f64);
        } else {
            let here = path[i].weight;
            path[i].weight = next * n / ((i as f64 + 1.0) * known);
            next = here - path[i].weight * unknown * (depth - i) as f64 / n;
        }
    }
    for i in k..depth {
        let after = path[i + 1];
        path[i] = Step {
            weight: path[i].weight,
            ..after
        };
    }
    steps.pop();
}

/// Sum of the weights of the path without step `k`.
fn unwound_sum(path: &[Step], k: usize) -> f64 {
    let depth = path.len() - 1;
    let Step { unknown, known, .. } = path[k];
    let n = depth as f64 + 1.0;
    let mut next = path[depth].weight;
    let mut total = 0.0;
    for i in (0..depth).rev() {
        if known == 0.0 {
            total += path[i].weight * n / (unknown * (depth - i) as f64);
        } else {
            let here = next * n / ((i as f64 + 1.0) * known);
            total += here;
            next = path[i].weight - here * unknown * (depth - i) as f64 / n;
        }
    }
    total
}
