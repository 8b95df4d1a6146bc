//! Scores of all boards on tests in English, as input for the common latent scale.

use std::collections::{BTreeMap, BTreeSet};

use catalog::Catalog;
use catalog::tables::{Checkpoint, ResolvedBy, Structure};
use study::abilities::{self, benchmark};
use study::latent::{LatentBenchmark, LatentCell, LatentFeatures, LatentRow, LatentTable};
use study::noise::{USUAL_ITEMS, items_of};
use study::pooled::family_of_name;

use super::controlled::has_idle_layers;
use super::pooled::Units;
use super::{by_id, root, size};

/// Epoch AI's capability index, which is not a benchmark.
const INDEX: &str = "epoch_capabilities_index";
/// Minimum number of checkpoints per benchmark.
const LEAST: usize = 10;

/// Alternative names of a test, and the name used here.
const SAME: [(&str, &str); 8] = [
    ("arc_ai2", "arc"),
    ("hella_swag", "hellaswag"),
    ("wino_grande", "winogrande"),
    ("gpqa_diamond", "gpqa"),
    ("math_level_5", "math"),
    ("open_book_qa", "openbookqa"),
    ("trivia_qa", "triviaqa"),
    ("ifeval_prompt", "ifeval"),
];

/// Difficulty and slope of each benchmark in Epoch AI's own fit of their index (CC BY 4.0).
const EPOCH: &str = include_str!("epoch.csv");

fn epoch() -> BTreeMap<&'static str, (f64, f64)> {
    let lines = EPOCH.lines().filter(|line| !line.starts_with('#')).skip(1);
    let cells = lines.filter_map(|line| {
        let mut cells = line.split(',');
        let name = cells.next()?;
        Some((name, (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?)))
    });
    cells.collect()
}

/// Selects benchmarks for the scale: a share in points, in English, and the first metric of its run; else `None`.
fn usable(name: &str) -> Option<abilities::Benchmark> {
    let known = benchmark(name)?;
    let is_second = name.starts_with("euroeval_") && !name.ends_with(known.test.as_str())
        || name.starts_with("proteus_") && name.ends_with("_raw")
        || name == "proteus_ifeval_instruction";
    let is_share = known.unit == "points" && (known.ceiling - 100.0).abs() < 1e-9;
    (is_share && !known.is_multilingual && !is_second && name != INDEX).then_some(known)
}

/// Builds the table over all boards.
pub(crate) fn latent(catalog: &Catalog) -> LatentTable {
    let known = by_id(catalog);
    let repeats: BTreeSet<&str> = catalog
        .evaluations
        .iter()
        .filter(|row| row.duplicate_of.is_some())
        .map(|row| row.evaluation.as_str())
        .collect();
    // Sum and number of a checkpoint's scores on a benchmark, for their mean.
    let mut usable_names: BTreeMap<&str, Option<abilities::Benchmark>> = BTreeMap::new();
    let mut sums: BTreeMap<(&str, &str), (f64, f64)> = BTreeMap::new();
    let mut indices: BTreeMap<&str, f64> = BTreeMap::new();
    for score in &catalog.scores {
        let name = score.benchmark.as_str();
        if name == INDEX {
            let best = indices.entry(&score.id).or_insert(score.value);
            *best = best.max(score.value);
        }
        let is_usable = usable_names.entry(name).or_insert_with(|| usable(name)).is_some();
        if is_usable && !repeats.contains(score.evaluation.as_str()) && !has_idle_layers(&score.id) {
            let sum = sums.entry((&score.id, name)).or_insert((0.0, 0.0));
            *sum = (sum.0 + score.value, sum.1 + 1.0);
        }
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, name) in sums.keys() {
        *counts.entry(name).or_default() += 1;
    }
    let own = epoch();
    let benchmarks: Vec<LatentBenchmark> = usable_names
        .iter()
        .filter(|(name, _)| counts.get(*name).is_some_and(|count| *count >= LEAST))
        .filter_map(|(name, known)| {
            let known = known.as_ref()?;
            let same = SAME.iter().find(|(other, _)| *other == known.test);
            Some(LatentBenchmark {
                name: (*name).to_owned(),
                test: same.map_or(known.test.as_str(), |(_, test)| test).to_owned(),
                board: known.board.to_owned(),
                abilities: known.abilities.iter().map(ToString::to_string).collect(),
                chance: known.chance.unwrap_or(0.0),
                ceiling: known.ceiling,
                epoch: own.get(*name).copied(),
            })
        })
        .collect();
    let places: BTreeMap<&str, usize> = benchmarks
        .iter()
        .enumerate()
        .map(|(place, known)| (known.name.as_str(), place))
        .collect();
    let mut cells: BTreeMap<&str, Vec<LatentCell>> = BTreeMap::new();
    for ((id, name), (sum, n)) in &sums {
        if let Some(&place) = places.get(name) {
            let score = sum / n;
            let error = error(&benchmarks[place], score);
            cells
                .entry(id)
                .or_default()
                .push(LatentCell::new(place, &benchmarks[place], score, error));
        }
    }
    let structures: BTreeMap<&str, &Structure> = catalog
        .structures
        .iter()
        .map(|structure| (structure.id.as_str(), structure))
        .collect();
    let mut units = Units::default();
    let mut of_units: Vec<Vec<(LatentFeatures, Option<String>, bool)>> = Vec::new();
    let rows: Vec<LatentRow> = cells
        .into_iter()
        .map(|(id, cells)| {
            let structure = structures.get(id).copied();
            let checkpoint = known.get(id).copied();
            let about = About::of(id, structure, checkpoint, &known);
            let unit = structure.and_then(|structure| units.number(structure, checkpoint));
            if let Some(unit) = unit {
                let unit = unit as usize;
                if of_units.len() <= unit {
                    of_units.resize(unit + 1, Vec::new());
                }
                of_units[unit].push((about.features(), about.family, about.is_sure));
            }
            LatentRow {
                id: id.to_owned(),
                unit: unit.map(|unit| unit as usize),
                columns: about.columns,
                cells,
                index: indices.get(id).copied(),
            }
        })
        .collect();
    let (features, families) = of_units
        .iter()
        .enumerate()
        .map(|(unit, rows)| whole(unit, rows))
        .unzip();
    LatentTable {
        benchmarks,
        rows,
        features,
        families,
    }
}

/// Standard error of a score from its number of items (`USUAL_ITEMS` where unknown), points.
fn error(known: &LatentBenchmark, score: f64) -> f64 {
    if let Some(items) = items_of(&known.name) {
        let stretched = known.chance == 0.0 && items.benchmark != "gsm8k";
        return items.error_of(score, stretched);
    }
    let share = (score / 100.0).clamp(0.0, 1.0);
    let share = (share * USUAL_ITEMS + 1.0) / (USUAL_ITEMS + 2.0);
    100.0 * (share * (1.0 - share) / USUAL_ITEMS).sqrt()
}

/// Facts about a checkpoint besides its scores.
struct About {
    columns: Vec<Option<f64>>,
    family: Option<String>,
    is_sure: bool,
}

impl About {
    fn of(
        id: &str,
        structure: Option<&Structure>,
        checkpoint: Option<&Checkpoint>,
        known: &BTreeMap<&str, &Checkpoint>,
    ) -> Self {
        let size = structure.and_then(size).filter(|size| *size > 0.0);
        let is_mixture = checkpoint.and_then(|row| row.is_moe) == Some(true);
        let active = || {
            let active = checkpoint?.parameters_active? as f64 / 1e9;
            Some((size? / active).max(1.0).ln())
        };
        let heads = || {
            let structure = structure?;
            let (heads, kv) = (structure.heads?, structure.kv_heads?);
            (heads > 0 && kv > 0).then(|| (heads as f64 / kv as f64).ln())
        };
        let root = root(known, id);
        let base = checkpoint.and_then(|row| row.base.as_deref());
        let names = [root.as_str(), base.unwrap_or_default(), id];
        let tokens = names
            .iter()
            .find_map(|name| known.get(name).and_then(|row| row.training_tokens));
        let date = structure
            .and_then(|row| row.date)
            .map(|day| f64::from(day) / 365.25);
        let training = checkpoint.and_then(|row| row.training);
        let flag = |is: bool| Some(f64::from(u8::from(is)));
        Self {
            columns: vec![
                size.map(f64::ln),
                if is_mixture { active() } else { Some(0.0) },
                heads(),
                date,
                tokens.map(|tokens| (tokens as f64).ln()),
                flag(training.is_none_or(|training| !training.is_pretrained())),
                flag(checkpoint.and_then(|row| row.merged) == Some(true)),
            ],
            family: names
                .iter()
                .find_map(|name| family_of_name(name))
                .map(str::to_owned),
            is_sure: structure
                .is_some_and(|row| matches!(row.resolved_by, ResolvedBy::Exact | ResolvedBy::Lineage)),
        }
    }

    fn features(&self) -> LatentFeatures {
        std::array::from_fn(|k| self.columns[k].unwrap_or(f64::NAN))
    }
}

/// Features of a unit: medians over its rows, but the earliest date. Family: the most frequent one, preferably among
/// rows of certain structure.
fn whole(unit: usize, rows: &[(LatentFeatures, Option<String>, bool)]) -> (LatentFeatures, String) {
    let features = std::array::from_fn(|k| {
        let own: Vec<f64> = rows
            .iter()
            .map(|row| row.0[k])
            .filter(|value| value.is_finite())
            .collect();
        match k {
            _ if own.is_empty() => f64::NAN,
            3 => own.iter().copied().fold(f64::INFINITY, f64::min),
            _ => study::statistics::median(&own),
        }
    });
    let most = |sure: bool| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, family, is_sure) in rows {
            if let Some(family) = family.as_deref().filter(|_| *is_sure || !sure) {
                *counts.entry(family).or_default() += 1;
            }
        }
        let best = counts
            .iter()
            .max_by_key(|(name, count)| (**count, std::cmp::Reverse(**name)));
        best.map(|(name, _)| (*name).to_owned())
    };
    let family = most(true)
        .or_else(|| most(false))
        .unwrap_or_else(|| format!("unit {unit}"));
    (features, family)
}
