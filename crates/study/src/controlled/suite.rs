//! The shapes of a suite with their scores, and which parts vary independently.

use std::collections::{BTreeMap, BTreeSet};

use super::{ControlledRun, Fixed};
use crate::statistics::{LinearDesign, dot, mean};

/// Fewest shapes for a design.
const LEAST_SHAPES: usize = 8;
/// A part whose standard deviation given size and the other parts is below this many doublings is not identified.
const LEAST_SPREAD: f64 = 0.15;
/// Nor is one whose variation rests on fewer than this effective number of shapes.
const LEAST_EVEN: f64 = 4.0;
/// Checkpoints after this share of training count as late; a shape's score is the mean of its late checkpoints.
const LATE: f64 = 0.6;
/// A gap in size above this many doublings separates blocks of shapes.
const GAP: f64 = 0.5;

/// Name under which the mean of all benchmarks is included among them.
pub(super) const AVERAGE: &str = "average";

/// A shape of a suite.
#[derive(Debug, Clone)]
pub(super) struct SuiteShape<'a> {
    pub(super) run: &'a ControlledRun,
    /// Mean score of the shape's late checkpoints, by benchmark.
    scores: BTreeMap<&'a str, f64>,
}

/// One suite.
#[derive(Debug, Clone)]
pub(super) struct Suite<'a> {
    pub(super) name: &'a str,
    pub(super) source: &'a str,
    pub(super) shapes: Vec<SuiteShape<'a>>,
    /// Benchmarks that all shapes have, each with its ability.
    pub(super) benchmarks: Vec<(&'a str, &'a str)>,
    /// Largest number of late checkpoints of a shape.
    pub(super) checkpoints: usize,
}

/// A part: its name, and its value in a run.
type Part = (&'static str, fn(&ControlledRun) -> Option<f64>);

/// The parts whose doubling is analysed.
pub(super) const PARTS: [Part; 4] = [
    ("layers", |run| run.parts[0]),
    ("d_ffn", |run| Some(run.parts[2]? / run.parts[1]?)),
    ("heads_per_kv", |run| Some(run.parts[3]? / run.parts[4]?)),
    ("experts", |run| run.parts[5]),
];

/// Name of a part as shown to readers.
pub(super) fn part_words(part: &str) -> &'static str {
    match part {
        "layers" => "layers",
        "d_ffn" => "the feed-forward width over the width",
        "heads_per_kv" => "heads over key and value heads",
        "experts" => "experts",
        _ => "this part",
    }
}

/// Variation of a part given size and the other parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// Standard deviation given the other columns, in doublings.
    pub(super) doublings: f64,
    /// Effective number of shapes behind the variation, (Σr²)² / Σr⁴ of the residuals r.
    pub(super) even: f64,
}

impl Spread {
    fn is_enough(self) -> bool {
        self.doublings >= LEAST_SPREAD && self.even >= LEAST_EVEN
    }

    /// The reason why a part is not identified.
    pub(super) fn in_words(self) -> String {
        format!(
            "given size and the other parts it varies by {:.2} doublings (wanted {LEAST_SPREAD}), over {:.1} shapes evenly \
             counted (wanted {LEAST_EVEN})",
            self.doublings, self.even
        )
    }
}

/// The regression design of a suite for one definition of size.
#[derive(Debug, Clone)]
pub(super) struct SuiteDesign {
    pub(super) fixed: Fixed,
    /// Names of the identified parts, one per column from [`FIRST_PART`] on.
    pub(super) parts: Vec<&'static str>,
    /// The parts that are not identified, each with its variation given size and the other parts.
    pub(super) not_identified: Vec<(&'static str, Spread)>,
    /// Standard deviation of each identified part given all other columns, in doublings.
    pub(super) spreads: Vec<f64>,
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) linear: LinearDesign,
    /// Block of similar size of each shape.
    pub(super) blocks: Vec<usize>,
}

impl SuiteDesign {
    /// Names of the identified parts, for the protocol of a finding.
    pub(super) fn part_names(&self) -> Vec<String> {
        self.parts.iter().map(ToString::to_string).collect()
    }
}

/// Index of the column of size.
pub(super) const SIZE: usize = 1;
/// Number of columns before the parts: constant, size, its square.
pub(super) const FIRST_PART: usize = 3;

impl<'a> Suite<'a> {
    /// All suites with enough shapes, in the order of their names.
    pub(super) fn all(runs: &'a [ControlledRun]) -> Vec<Self> {
        let names: BTreeSet<&str> = runs.iter().map(|run| run.suite.as_str()).collect();
        names
            .into_iter()
            .filter_map(|name| Self::of(name, runs))
            .collect()
    }

    fn of(name: &'a str, runs: &'a [ControlledRun]) -> Option<Self> {
        let own: Vec<&ControlledRun> = runs
            .iter()
            .filter(|run| run.suite == name && run.held_fixed == "tokens")
            .collect();
        let last = own.iter().filter_map(|run| run.step).fold(f64::NAN, f64::max);
        let is_late = |run: &ControlledRun| run.step.map_or(last.is_nan(), |step| step >= LATE * last);
        let mut by_run: BTreeMap<&str, Vec<&'a ControlledRun>> = BTreeMap::new();
        for run in own.into_iter().filter(|run| is_late(run)) {
            by_run.entry(&run.pair_or_run).or_default().push(run);
        }
        let mut checkpoints = 0;
        let mut shapes = Vec::new();
        for runs in by_run.values() {
            let mut scores: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
            for run in runs {
                scores.entry(&run.benchmark).or_default().push(run.score);
            }
            checkpoints = checkpoints.max(scores.values().map(Vec::len).max().unwrap_or(0));
            shapes.push(SuiteShape {
                run: runs[0],
                scores: scores.into_iter().map(|(name, all)| (name, mean(&all))).collect(),
            });
        }
        if shapes.len() < LEAST_SHAPES {
            return None;
        }
        let abilities: BTreeMap<&str, &str> = by_run
            .values()
            .flatten()
            .map(|run| (run.benchmark.as_str(), run.ability.as_str()))
            .collect();
        let mut benchmarks: Vec<(&str, &str)> = abilities
            .into_iter()
            .filter(|(name, _)| shapes.iter().all(|shape| shape.scores.contains_key(name)))
            .collect();
        for shape in &mut shapes {
            let all: Vec<f64> = benchmarks.iter().map(|(name, _)| shape.scores[name]).collect();
            shape.scores.insert(AVERAGE, mean(&all));
        }
        benchmarks.push((AVERAGE, AVERAGE));
        Some(Self {
            name,
            source: &shapes[0].run.source,
            shapes,
            benchmarks,
            checkpoints,
        })
    }

    /// Scores of all shapes on a benchmark; NaN where missing.
    pub(super) fn scores(&self, benchmark: &str) -> Vec<f64> {
        self.shapes
            .iter()
            .map(|shape| shape.scores.get(benchmark).copied().unwrap_or(f64::NAN))
            .collect()
    }

    /// The design on all shapes; `None` where a size is unknown or no part is identified.
    pub(super) fn design(&self, fixed: Fixed) -> Option<SuiteDesign> {
        let all: Vec<usize> = (0..self.shapes.len()).collect();
        let candidates: Vec<usize> = (0..PARTS.len()).collect();
        self.design_of(fixed, &all, &candidates)
    }

    /// The same design without one shape; `None` unless the same parts are identified.
    pub(super) fn design_without(&self, whole: &SuiteDesign, left_out: usize) -> Option<SuiteDesign> {
        let rest: Vec<usize> = (0..self.shapes.len())
            .filter(|&shape| shape != left_out)
            .collect();
        let wanted: Vec<usize> = (0..PARTS.len())
            .filter(|&part| whole.parts.contains(&PARTS[part].0))
            .collect();
        let design = self.design_of(whole.fixed, &rest, &wanted)?;
        (design.parts == whole.parts).then_some(design)
    }

    fn design_of(&self, fixed: Fixed, rows: &[usize], candidates: &[usize]) -> Option<SuiteDesign> {
        let runs: Vec<&ControlledRun> = rows.iter().map(|&row| self.shapes[row].run).collect();
        let sizes: Vec<f64> = runs
            .iter()
            .map(|run| fixed.of(run).map(f64::log2))
            .collect::<Option<_>>()?;
        let size = centred(&sizes);
        let base = vec![
            vec![1.0; rows.len()],
            size.clone(),
            size.iter().map(|s| s * s).collect(),
        ];
        let mut kept: Vec<(&'static str, Vec<f64>)> = Vec::new();
        let mut not_identified = Vec::new();
        for (name, value) in candidates.iter().map(|&part| PARTS[part]) {
            let values: Option<Vec<f64>> = runs
                .iter()
                .map(|run| value(run).filter(|value| *value > 0.0).map(f64::log2))
                .collect();
            // Parts with a missing value in some run cannot be analysed.
            if let Some(values) = values {
                kept.push((name, centred(&values)));
            }
        }
        loop {
            let spreads: Vec<Spread> = (0..kept.len()).map(|part| spread(&base, &kept, part)).collect();
            let least = (0..kept.len())
                .filter(|&part| !spreads[part].is_enough())
                .min_by(|&a, &b| spreads[a].doublings.total_cmp(&spreads[b].doublings));
            if let Some(part) = least {
                not_identified.push((kept.remove(part).0, spreads[part]));
                continue;
            }
            let columns: Vec<Vec<f64>> = base
                .iter()
                .cloned()
                .chain(kept.iter().map(|(_, column)| column.clone()))
                .collect();
            let linear = LinearDesign::new(&columns).ok().filter(|_| !kept.is_empty())?;
            return Some(SuiteDesign {
                fixed,
                parts: kept.iter().map(|(name, _)| *name).collect(),
                not_identified,
                spreads: spreads.iter().map(|spread| spread.doublings).collect(),
                columns,
                linear,
                blocks: blocks(&sizes),
            });
        }
    }
}

fn centred(values: &[f64]) -> Vec<f64> {
    let centre = mean(values);
    values.iter().map(|value| value - centre).collect()
}

/// Variation of a part given size and the other parts; collinear columns are counted once.
fn spread(base: &[Vec<f64>], parts: &[(&str, Vec<f64>)], part: usize) -> Spread {
    let others = parts.iter().enumerate().filter(|(other, _)| *other != part);
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for column in base.iter().chain(others.map(|(_, (_, column))| column)) {
        let rest = beside(&basis, column);
        let (length, whole) = (dot(&rest, &rest).sqrt(), dot(column, column).sqrt());
        if length > 1e-9 * whole {
            basis.push(rest.iter().map(|x| x / length).collect());
        }
    }
    let rest = beside(&basis, &parts[part].1);
    let squares: Vec<f64> = rest.iter().map(|x| x * x).collect();
    let total: f64 = squares.iter().sum();
    Spread {
        doublings: (total / rest.len().max(1) as f64).sqrt(),
        even: if total > 0.0 {
            total * total / dot(&squares, &squares)
        } else {
            0.0
        },
    }
}

/// Residual of a column given orthonormal columns; projected twice to remove rounding errors.
fn beside(basis: &[Vec<f64>], column: &[f64]) -> Vec<f64> {
    let mut rest = column.to_vec();
    for direction in basis.iter().chain(basis) {
        let along = dot(direction, &rest);
        for (x, d) in rest.iter_mut().zip(direction) {
            *x -= along * d;
        }
    }
    rest
}

/// Blocks of similar size: a new block starts where the next size is far from the last.
fn blocks(sizes: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
    let mut blocks = vec![0; sizes.len()];
    let mut block = 0;
    for pair in order.windows(2) {
        if sizes[pair[1]] - sizes[pair[0]] > GAP {
            block += 1;
        }
        blocks[pair[1]] = block;
    }
    blocks
}
