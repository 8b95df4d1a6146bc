//! Section: all boards on one scale, and a latent ability for each checkpoint with its interval.
//!
//! Boards ask different tests of different checkpoints, so means over them compare checkpoints by which board they entered.
//! Here each score is made log odds of what lies between chance and the best, and a factor model with several outputs says
//! what it expects of every checkpoint on every benchmark: checkpoints that several boards have, and what is known of all
//! (size, share in use, heads, date, tokens, tuning, unit, family), tie the boards together (`fit`). The ability is the
//! mean of what is expected over all tests, each counted once: 0 is the mean checkpoint, 1 a standard deviation. The model
//! is judged on cells that it did not see and beside Epoch AI's capability index, whose scores it is not given.
//! Checkpoints that took the same set of boards have a middle of their own, so that who entered which board does not draw boards
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

/// Factors.
pub(crate) const FACTORS: usize = 3;

/// A benchmark of one board.
#[derive(Debug, Clone, PartialEq)]
pub struct LatentBenchmark {
    /// Name in scores: `bbh`, `proteus_bbh`.
    pub name: String,
    /// What it asks, one name for all boards.
    pub test: String,
    /// The board it belongs to.
    pub board: String,
    /// Abilities it asks for.
    pub abilities: Vec<String>,
    /// Points that guessing gets.
    pub chance: f64,
    /// The best there can be, points.
    pub ceiling: f64,
    /// Epoch AI's own difficulty and slope of it, where that is in their index: scores are `1 / (1 + exp(slope (difficulty −
    /// index)))` of what lies above chance.
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

/// The least share above chance, and below the best, that is told apart from none.
pub(crate) const EDGE: f64 = 0.01;

impl LatentCell {
    /// A score in points on the `place`-th benchmark, with its standard error by items in points.
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

/// A checkpoint.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LatentRow {
    /// `org/name`.
    pub id: String,
    /// Its unit: shape, key and value heads and vocabulary together; none where that is not known.
    pub unit: Option<usize>,
    /// What is known of it, as [`COLUMNS`].
    pub columns: Vec<Option<f64>>,
    /// Its scores, one a benchmark.
    pub cells: Vec<LatentCell>,
    /// Epoch AI's capability index, where they give one.
    pub index: Option<f64>,
}

/// What a row's columns are.
pub const COLUMNS: [&str; 7] = [
    "ln size",
    "ln total over active",
    "ln heads over kv heads",
    "years",
    "ln tokens",
    "tuned",
    "merged",
];

/// What is known of a unit: the first five of [`COLUMNS`].
pub type LatentFeatures = [f64; units::FEATURES];

/// Everything that is asked.
#[derive(Debug, Clone, Default)]
pub struct LatentTable {
    /// Benchmarks of all boards.
    pub benchmarks: Vec<LatentBenchmark>,
    /// Checkpoints, by id.
    pub rows: Vec<LatentRow>,
    /// Of each unit.
    pub features: Vec<LatentFeatures>,
    /// Family of each unit.
    pub families: Vec<String>,
}

/// A checkpoint's ability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatentAbility {
    /// `org/name`.
    pub id: String,
    /// In standard deviations over checkpoints, 0 the mean.
    pub ability: f64,
    /// Lower end at 95 %.
    pub low: f64,
    /// Upper end at 95 %.
    pub high: f64,
    /// One more than the number of checkpoints that are surely better (97.5 % each): checkpoints of one rank, and of ranks
    /// near, are not told apart.
    pub rank: usize,
    /// Scores it rests on.
    pub scores: usize,
    #[serde(skip)]
    error: f64,
}

/// Fewest checkpoints of a test that counts in the mean.
const LEAST: usize = 30;

/// The fitted model of a table.
pub struct Model<'a> {
    table: &'a LatentTable,
    fit: LatentFit,
}

impl<'a> Model<'a> {
    /// Fits every cell; none where there is nothing to fit.
    pub fn of(table: &'a LatentTable) -> Option<Self> {
        let columns = Columns::of(&table.rows);
        let units = LatentUnits::new(&table.features, table.families.clone());
        let fit = fit::fit(table, &columns, &units, &|_, _| true, None)?;
        Some(Self { table, fit })
    }

    /// The abilities that a benchmark of the table asks for, by name.
    pub fn names(&self) -> BTreeSet<&str> {
        let all = self.table.benchmarks.iter();
        all.flat_map(|known| known.abilities.iter().map(String::as_str))
            .collect()
    }

    /// What is expected of a row on a benchmark, points, whether or not it took it.
    pub fn expected(&self, row: usize, benchmark: usize) -> f64 {
        let known = &self.table.benchmarks[benchmark];
        let (log_odds, _) = self.fit.cell(row, benchmark);
        known.chance + (known.ceiling - known.chance) / (1.0 + (-log_odds).exp())
    }

    /// Abilities of all checkpoints, best first: over all tests, or those that ask for one ability. Empty where no test does.
    pub fn abilities(&self, asked: Option<&str>) -> Vec<LatentAbility> {
        abilities(self.table, &self.fit, asked)
    }
}

/// The mean of the loadings over tests, each counted once; and how many tests.
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

/// The section; empty where nothing can be fitted.
pub fn section(table: &LatentTable, seed: u64) -> crate::section::Section {
    section::section(table, seed)
}
