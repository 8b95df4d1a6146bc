//! Section that puts all boards on one scale, and gives each checkpoint a latent ability with an interval.
//!
//! Boards give different tests to different checkpoints, so means over tests depend on which boards a checkpoint
//! entered. Here each score becomes the log odds of its share between chance and the best, and a factor model predicts
//! every checkpoint on every benchmark: checkpoints on several boards, and attributes known of all (size, share in use,
//! heads, date, tokens, tuning, unit, family), link the boards (`fit`). The ability is the mean prediction over all
//! tests, each counted once; 0 is the mean checkpoint and 1 a standard deviation. The model is evaluated on held-out
//! cells and against Epoch AI's capability index. Checkpoints with the same set of boards have a mean of their own, so
//! that selective entry does not pull together boards that share few checkpoints.
//! together that share few.

mod columns;
mod fit;
mod held;
mod section;
mod small;
#[cfg(test)]
mod tests;
mod units;

use std::collections::{BTreeMap, BTreeSet};

use columns::Columns;
use fit::LatentFit;
use serde::Serialize;
use small::Vector;
use units::LatentUnits;

/// Number of latent factors.
pub(crate) const FACTORS: usize = 3;

/// A benchmark of one board.
#[derive(Debug, Clone, PartialEq)]
pub struct LatentBenchmark {
    /// Name as in the scores: `bbh`, `proteus_bbh`.
    pub name: String,
    /// The test, with one name for all boards.
    pub test: String,
    /// The board it belongs to.
    pub board: String,
    /// Abilities that it measures.
    pub abilities: Vec<String>,
    /// Score by guessing, in points.
    pub chance: f64,
    /// Best possible score, in points.
    pub ceiling: f64,
    /// Epoch AI's difficulty and slope of the benchmark, where it is in their index; scores are modelled as `1 / (1 +
    /// exp(slope (difficulty − index)))` of the range above chance.
    pub epoch: Option<(f64, f64)>,
}

/// A score of a checkpoint on a benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct LatentCell {
    benchmark: usize,
    score: f64,
    log_odds: f64,
    variance: f64,
}

/// Shares above chance and below the best are clamped to at least this.
pub(crate) const EDGE: f64 = 0.01;

impl LatentCell {
    /// A score in points on benchmark number `place`, with its standard error from the number of items, in points.
    pub fn new(place: usize, benchmark: &LatentBenchmark, score: f64, error: f64) -> Self {
        let wide = benchmark.ceiling - benchmark.chance;
        let share = ((score - benchmark.chance) / wide).clamp(EDGE, 1.0 - EDGE);
        let slope = 1.0 / (share * (1.0 - share));
        Self {
            benchmark: place,
            score,
            log_odds: (share / (1.0 - share)).ln(),
            variance: (slope * error / wide).powi(2),
        }
    }
}

/// A checkpoint with its attributes and scores.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LatentRow {
    /// `org/name`.
    pub id: String,
    /// Index of its unit (shape, key and value heads and vocabulary together); `None` where that is not known.
    pub unit: Option<usize>,
    /// Attributes, in the order of [`COLUMNS`]; `None` where unknown.
    pub columns: Vec<Option<f64>>,
    /// Scores, one per benchmark taken.
    pub cells: Vec<LatentCell>,
    /// Epoch AI's capability index; `None` where there is none.
    pub index: Option<f64>,
}

/// Names of a row's attributes.
pub const COLUMNS: [&str; 7] = [
    "ln size",
    "ln total over active",
    "ln heads over kv heads",
    "years",
    "ln tokens",
    "tuned",
    "merged",
];

/// Attributes of a unit: the first five of [`COLUMNS`].
pub type LatentFeatures = [f64; units::FEATURES];

/// Input of the model.
#[derive(Debug, Clone, Default)]
pub struct LatentTable {
    /// Benchmarks of all boards.
    pub benchmarks: Vec<LatentBenchmark>,
    /// Checkpoints, ordered by id.
    pub rows: Vec<LatentRow>,
    /// Attributes of each unit.
    pub features: Vec<LatentFeatures>,
    /// Family of each unit.
    pub families: Vec<String>,
}

/// A checkpoint's ability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatentAbility {
    /// `org/name`.
    pub id: String,
    /// Ability in standard deviations over checkpoints; 0 is the mean.
    pub ability: f64,
    /// Lower 95 % limit.
    pub low: f64,
    /// Upper 95 % limit.
    pub high: f64,
    /// One plus the number of checkpoints that are significantly better (97.5 % each). Checkpoints of equal or similar
    /// rank cannot be told apart.
    pub rank: usize,
    /// Number of scores of the checkpoint.
    pub scores: usize,
    #[serde(skip)]
    error: f64,
}

/// Fewest checkpoints of a benchmark that counts in the mean over tests.
const LEAST: usize = 30;

/// A model fitted to a table.
pub struct Model<'a> {
    table: &'a LatentTable,
    fit: LatentFit,
}

impl<'a> Model<'a> {
    /// Fits the model to all cells; `None` where nothing can be fitted.
    pub fn of(table: &'a LatentTable) -> Option<Self> {
        let columns = Columns::of(&table.rows);
        let units = LatentUnits::new(&table.features, table.families.clone());
        let fit = fit::fit(table, &columns, &units, &|_, _| true, None)?;
        Some(Self { table, fit })
    }

    /// Names of the abilities that the table's benchmarks measure.
    pub fn names(&self) -> BTreeSet<&str> {
        let all = self.table.benchmarks.iter();
        all.flat_map(|known| known.abilities.iter().map(String::as_str))
            .collect()
    }

    /// Predicted score of a row on a benchmark in points, whether or not it took it.
    pub fn expected(&self, row: usize, benchmark: usize) -> f64 {
        let known = &self.table.benchmarks[benchmark];
        let (log_odds, _) = self.fit.cell(row, benchmark);
        known.chance + (known.ceiling - known.chance) / (1.0 + (-log_odds).exp())
    }

    /// Abilities of all checkpoints, best first, over all tests or those of one ability. Empty where there is no such
    /// test.
    pub fn abilities(&self, asked: Option<&str>) -> Vec<LatentAbility> {
        abilities(self.table, &self.fit, asked)
    }
}

/// Mean loadings over tests, each counted once, and the number of tests; `None` where there are none.
fn direction(table: &LatentTable, fit: &LatentFit, asked: Option<&str>) -> Option<(Vector, usize)> {
    let mut counts = vec![0_usize; table.benchmarks.len()];
    for cell in table.rows.iter().flat_map(|row| &row.cells) {
        counts[cell.benchmark] += 1;
    }
    let mut tests: BTreeMap<&str, (Vector, f64)> = BTreeMap::new();
    for (place, known) in table.benchmarks.iter().enumerate() {
        let is_asked = asked.is_none_or(|asked| known.abilities.iter().any(|own| own == asked));
        if is_asked && counts[place] >= LEAST {
            let own = tests.entry(&known.test).or_insert(([0.0; FACTORS], 0.0));
            *own = (small::added(&own.0, &fit.loadings[place]), own.1 + 1.0);
        }
    }
    let n = tests.len();
    (n > 0).then(|| {
        let mut sum = [0.0; FACTORS];
        for (own, sources) in tests.values() {
            sum = small::added(&sum, &own.map(|w| w / sources));
        }
        (sum.map(|w| w / n as f64), n)
    })
}

fn abilities(table: &LatentTable, fit: &LatentFit, asked: Option<&str>) -> Vec<LatentAbility> {
    let Some((direction, _)) = direction(table, fit, asked) else {
        return Vec::new();
    };
    let raw: Vec<f64> = fit
        .means
        .iter()
        .map(|mean| small::inner(mean, &direction))
        .collect();
    let (centre, spread) = (
        crate::statistics::mean(&raw),
        crate::statistics::standard_deviation(&raw),
    );
    let quantile = crate::statistics::normal_quantile(0.95);
    let mut all: Vec<LatentAbility> = table
        .rows
        .iter()
        .enumerate()
        .map(|(row, known)| {
            let ability = (raw[row] - centre) / spread;
            let error = small::form(&fit.covariances[row], &direction).sqrt() / spread;
            LatentAbility {
                id: known.id.clone(),
                ability,
                low: ability - quantile * error,
                high: ability + quantile * error,
                rank: 1,
                scores: known.cells.len(),
                error,
            }
        })
        .collect();
    all.sort_by(|a, b| b.ability.total_cmp(&a.ability).then_with(|| a.id.cmp(&b.id)));
    let ranks: Vec<usize> = all
        .iter()
        .enumerate()
        .map(|(place, own)| {
            let better = all[..place]
                .iter()
                .filter(|other| other.ability - own.ability > quantile * other.error.hypot(own.error));
            1 + better.count()
        })
        .collect();
    for (own, rank) in all.iter_mut().zip(ranks) {
        own.rank = rank;
    }
    all
}

/// Builds the section; empty where nothing can be fitted.
pub fn section(table: &LatentTable, seed: u64) -> crate::section::Section {
    section::section(table, seed)
}
