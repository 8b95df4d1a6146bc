//! Holds the catalog and its fits: one structural regression per benchmark, with intervals calibrated on unseen shapes.
//!
//! Fits are made when first requested and then cached; everything else is read-only, so one value serves many threads.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use catalog::Catalog;
use catalog::plausible::ListedSizes;
use catalog::tables::{Checkpoint, Evaluation};
use rayon::prelude::*;
use study::conformal::{Conformal, calibrate, nested_coverage};
use study::regression::{Posterior, Prediction, Structural};
use study::{Design, Fold, Groups, Protocol, RowInformation, folds};

use super::kept::{Fits, KeptFit, Worth};
use crate::rows::{self, Shapes};

/// Nominal coverage of prediction intervals.
pub(crate) const LEVEL: f64 = 0.8;
/// Lower and upper limit of scores in points.
pub(crate) const BOUNDS: (f64, f64) = (0.0, 100.0);
/// Minimum number of shapes: ten folds need at least two each, and coverage cannot be measured on fewer.
pub(crate) const FEWEST_SHAPES: usize = 20;

/// Leaderboards in the order in which answers list them, the newest general one first.
const BOARDS: [&str; 6] = [
    rows::V2,
    rows::V1,
    "bigcodebench",
    "bigcodebench-hard",
    "evalplus",
    "longbench-v2",
];

/// The catalog with one regression per benchmark; see the module.
pub(crate) struct Predictor {
    pub(crate) catalog: Arc<Catalog>,
    /// Seed of the folds on which coverage is measured.
    pub(crate) seed: u64,
    pub(crate) benchmarks: Vec<Benchmark>,
}

/// Index of a leaderboard in the order of answers; boards not listed in `BOARDS` share the last index.
pub(crate) fn board_place(leaderboard: &str) -> usize {
    let place = BOARDS.iter().position(|board| *board == leaderboard);
    place.unwrap_or(BOARDS.len())
}

impl Predictor {
    /// Benchmarks of the usual boards (those in `BOARDS`), in the order of answers: the default where none is named.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.usual().map(|benchmark| benchmark.name.as_str())
    }

    fn usual(&self) -> impl Iterator<Item = &Benchmark> {
        self.benchmarks.iter().filter(|benchmark| benchmark.is_usual)
    }
}

/// One benchmark: its training rows, and the results computed from them on demand.
pub(crate) struct Benchmark {
    pub(crate) name: String,
    pub(crate) leaderboard: String,
    /// Whether the board is one of `BOARDS`; other benchmarks are only answered when named.
    is_usual: bool,
    pub(crate) unit: String,
    pub(crate) rows: FitRows,
    n_shapes: usize,
    fit: OnceLock<Result<Fitted, study::Error>>,
    worth: OnceLock<Result<Worth, study::Error>>,
    /// Stored results for this catalog and seed (`anatomy catalog keep`).
    kept: Option<KeptFit>,
}

/// Training rows, in which all features and the score are known.
pub(crate) struct FitRows {
    pub(crate) names: Vec<String>,
    /// Feature values, `(n_features, n_rows)`.
    pub(crate) columns: Vec<Vec<f64>>,
    pub(crate) target: Vec<f64>,
    /// Layers, `d_model`, `d_ffn` and heads of each row.
    pub(crate) shapes: Vec<[u64; 4]>,
}

/// A fit on all rows, with the calibration of its intervals.
pub(crate) struct Fitted {
    pub(crate) posterior: Posterior,
    /// Conformal calibration; `None` with too few shapes.
    pub(crate) width: Option<Conformal>,
}

impl FitRows {
    pub(crate) fn n(&self) -> usize {
        self.target.len()
    }

    pub(crate) fn groups(&self) -> Groups {
        Groups::from_labels(&self.shapes)
    }

    /// Latest date among the rows, in days since 1970-01-01; `None` where `date` is not a feature.
    pub(crate) fn last_date(&self) -> Option<f64> {
        let place = self.names.iter().position(|name| name == "date")?;
        self.columns[place].iter().copied().reduce(f64::max)
    }

    pub(crate) fn design(&self) -> Result<Design, study::Error> {
        Design::new(self.names.clone(), self.columns.clone())
    }

    /// The rows with an additional column, computed from each row's shape.
    pub(crate) fn with(&self, name: &str, of: impl Fn(&[u64; 4]) -> f64) -> Self {
        let mut names = self.names.clone();
        let mut columns = self.columns.clone();
        names.push(name.to_owned());
        columns.push(self.shapes.iter().map(of).collect());
        Self {
            names,
            columns,
            target: self.target.clone(),
            shapes: self.shapes.clone(),
        }
    }

    /// Posterior of the structural regression (a Gaussian process) on all rows.
    fn posterior(&self) -> Result<Posterior, study::Error> {
        Structural::default().posterior(&self.design()?, &self.target)
    }

    /// Fits on all rows and calibrates the intervals on out-of-shape errors.
    pub(crate) fn fit(&self) -> Result<Fitted, study::Error> {
        let posterior = self.posterior()?;
        let known = posterior.out_of_shape()?;
        let errors: Vec<f64> = self.target.iter().zip(&known).map(|(y, p)| y - p.value).collect();
        let deviations: Vec<f64> = known.iter().map(|p| p.deviation).collect();
        let width = calibrate(&errors, &deviations, &self.groups(), LEVEL)?;
        Ok(Fitted { posterior, width })
    }

    /// Folds for cross-validation in which no shape is in both training and test rows.
    pub(crate) fn folds(&self, seed: u64) -> Result<Vec<Fold>, study::Error> {
        let groups = self.groups();
        let information = RowInformation {
            n_rows: self.n(),
            shape: Some(&groups),
            ..RowInformation::default()
        };
        folds(Protocol::StructureOut, &information, seed)
    }

    /// R² and coverage on unseen shapes, by nested cross-validation.
    pub(crate) fn worth(&self, seed: u64) -> Result<Worth, study::Error> {
        let groups = self.groups();
        let folds = self.folds(seed)?;
        let nested = nested_coverage(
            &Structural::default(),
            &self.design()?,
            &self.target,
            &groups,
            &folds,
            LEVEL,
            BOUNDS,
            seed,
        )?;
        Ok(Worth {
            r2: nested.evaluation.r2_pooled,
            coverage: nested.coverage,
        })
    }
}

impl Benchmark {
    /// Whether there are enough shapes for a prediction.
    pub(crate) fn is_predicted(&self) -> bool {
        self.n_shapes >= FEWEST_SHAPES
    }

    /// The fit on all rows; the calibration is taken from the stored results where there are any.
    pub(crate) fn fit(&self) -> Result<&Fitted> {
        once(&self.fit, || match &self.kept {
            Some(kept) => Ok(Fitted {
                posterior: self.rows.posterior()?,
                width: kept.width.clone(),
            }),
            None => self.rows.fit(),
        })
    }

    /// Coverage and R² by nested cross-validation, from the stored results where there are any.
    pub(crate) fn worth(&self, seed: u64) -> Result<&Worth> {
        once(&self.worth, || match &self.kept {
            Some(kept) => Ok(kept.worth.clone()),
            None => self.rows.worth(seed),
        })
    }

    /// Conformal calibration of the intervals; `None` with too few shapes.
    pub(crate) fn width(&self) -> Result<Option<&Conformal>> {
        match &self.kept {
            Some(kept) => Ok(kept.width.as_ref()),
            None => Ok(self.fit()?.width.as_ref()),
        }
    }

    /// The prediction for the first row of `design`: a stored one where there is one, else computed.
    pub(crate) fn place(&self, design: &Design) -> Result<Prediction> {
        let kept = self.kept.as_ref().and_then(|kept| kept.place(design));
        match kept {
            Some(found) => Ok(found),
            None => self.predicted(design),
        }
    }

    fn predicted(&self, design: &Design) -> Result<Prediction> {
        let found = self.fit()?.posterior.predict(design)?;
        Ok(found.into_iter().next().ok_or(study::Error::NoRows)?)
    }

    /// The results to store for this benchmark, with the predictions for the first row of each design.
    pub(super) fn keep(&self, seed: u64, designs: &[Design]) -> Result<KeptFit> {
        let mut kept = KeptFit {
            width: self.fit()?.width.clone(),
            worth: self.worth(seed)?.clone(),
            places: BTreeMap::new(),
        };
        let found: Vec<Result<Prediction>> =
            designs.par_iter().map(|design| self.predicted(design)).collect();
        for (design, prediction) in designs.iter().zip(found) {
            kept.add(design, prediction?);
        }
        Ok(kept)
    }
}

/// Computes a value once and caches it. No lock is held while computing, since a rayon thread that waits may start on
/// the same value; if two threads compute it, the results are equal and the first is kept.
fn once<T>(
    place: &OnceLock<Result<T, study::Error>>,
    make: impl FnOnce() -> Result<T, study::Error>,
) -> Result<&T> {
    if place.get().is_none() {
        let made = make();
        let _ = place.set(made);
    }
    let made = place.get().map(Result::as_ref);
    made.unwrap_or(Err(&study::Error::NoRows))
        .map_err(|error| anyhow::Error::from(error.clone()))
}

impl Predictor {
    /// Takes a catalog and stored fits, which are ignored if from another catalog or seed. Nothing is fitted yet.
    pub(crate) fn new(catalog: Arc<Catalog>, seed: u64, kept: Option<Fits>) -> Self {
        let mut benchmarks = benchmarks(&catalog);
        if let Some(mut kept) = kept.filter(|kept| kept.are_of(&catalog, seed)) {
            for benchmark in &mut benchmarks {
                benchmark.kept = kept.by_benchmark.remove(&benchmark.name);
            }
        }
        Self {
            catalog,
            seed,
            benchmarks,
        }
    }

    /// The benchmark of that name.
    pub(crate) fn benchmark(&self, name: &str) -> Option<&Benchmark> {
        self.benchmarks.iter().find(|benchmark| benchmark.name == name)
    }

    /// The rows of a benchmark with the features `names` instead, where all are known; `None` for an unknown benchmark.
    pub(crate) fn rows(&self, benchmark: &str, names: &[String]) -> Option<FitRows> {
        let scored = scored(&self.catalog);
        let (_, scored) = scored.iter().find(|((.., name), _)| *name == benchmark)?;
        Some(Tables::of(&self.catalog).rows(scored, names.to_vec()))
    }

    /// Makes the missing fits of the named benchmarks in parallel; with `nested` also measures coverage.
    pub(crate) fn warm(&self, names: &[&str], nested: bool) {
        let wanted: Vec<&Benchmark> = self
            .benchmarks
            .iter()
            .filter(|benchmark| names.contains(&benchmark.name.as_str()) && benchmark.is_predicted())
            .collect();
        wanted.par_iter().for_each(|benchmark| {
            // Errors are cached and reported when the result is requested.
            if benchmark.kept.is_none() || nested {
                let _ = benchmark.fit();
            }
            if nested {
                let _ = benchmark.worth(self.seed);
            }
        });
    }
}

impl Predictor {
    /// Number of fits and coverage measurements made so far, and the total number, over the usual benchmarks.
    pub(crate) fn made(&self) -> (usize, usize) {
        let predicted = self.usual().filter(|one| one.is_predicted());
        predicted.fold((0, 0), |(made, all), one| {
            let here = usize::from(one.fit.get().is_some()) + usize::from(one.worth.get().is_some());
            (made + here, all + 2)
        })
    }
}

/// Evaluations with their scores.
type Scored<'a> = Vec<(&'a Evaluation, f64)>;

/// The catalog's tables, indexed for the assembly of training rows.
struct Tables<'a> {
    shapes: Shapes<'a>,
    checkpoints: HashMap<&'a str, &'a Checkpoint>,
    /// Checkpoints whose size is implausible.
    doubted: HashSet<&'a str>,
}

impl<'a> Tables<'a> {
    fn of(catalog: &'a Catalog) -> Self {
        let checkpoints: HashMap<&str, &Checkpoint> = catalog
            .checkpoints
            .iter()
            .map(|row| (row.id.as_str(), row))
            .collect();
        let sizes = ListedSizes::of(catalog);
        let doubted = catalog
            .structures
            .iter()
            .filter(|row| {
                let checkpoint = checkpoints.get(row.id.as_str()).copied();
                sizes.judge(row, checkpoint, None).disagreement.is_some()
            })
            .map(|row| row.id.as_str())
            .collect();
        Self {
            shapes: Shapes::of(catalog),
            checkpoints,
            doubted,
        }
    }

    /// The rows in which all features `names` and the shape are known.
    fn rows(&self, scored: &Scored<'_>, names: Vec<String>) -> FitRows {
        let mut rows = FitRows {
            columns: vec![Vec::new(); names.len()],
            names,
            target: Vec::new(),
            shapes: Vec::new(),
        };
        for &(row, value) in scored {
            if self.doubted.contains(row.id.as_str()) {
                continue;
            }
            let columns = self.shapes.columns(&row.id);
            let checkpoint = self.checkpoints.get(row.id.as_str()).copied();
            let training = checkpoint.and_then(|checkpoint| checkpoint.training);
            let merged = checkpoint.and_then(|checkpoint| checkpoint.merged);
            let cell = |name: &String| match name.as_str() {
                "pretrained" => training.map(|label| flag(label.is_pretrained())),
                "merged" => merged.map(flag),
                other => columns.named(other),
            };
            let cells: Option<Vec<f64>> = rows.names.iter().map(cell).collect();
            let shape: Option<Vec<f64>> = ["layers", "d_model", "d_ffn", "heads"]
                .iter()
                .map(|name| columns.named(name))
                .collect();
            if let (Some(cells), Some(shape)) = (cells, shape) {
                rows.shapes.push([0, 1, 2, 3].map(|place| shape[place] as u64));
                rows.columns
                    .iter_mut()
                    .zip(cells)
                    .for_each(|(column, cell)| column.push(cell));
                rows.target.push(value);
            }
        }
        rows
    }
}

/// A board's index in the order of answers, its name, and a benchmark.
type Asked<'a> = (usize, &'a str, &'a str);

/// Whether a board is a dated snapshot of another in `all`: `swallow-2025-06-26-en-post` of `swallow-en-post`.
pub(crate) fn is_superseded(board: &str, all: &BTreeSet<&str>) -> bool {
    let Some((name, rest)) = board.split_once('-') else {
        return false;
    };
    let dated = rest.get(..10).and_then(catalog::day_of_text).is_some();
    dated
        && rest
            .get(11..)
            .is_some_and(|suite| all.contains(format!("{name}-{suite}").as_str()))
}

/// Scores in points, without duplicate evaluations, by leaderboard and benchmark. Boards outside `BOARDS` contribute
/// only known benchmarks in English, and of each checkpoint only the first score on a benchmark, since such boards may
/// list several modes or runs.
fn scored(catalog: &Catalog) -> BTreeMap<Asked<'_>, Scored<'_>> {
    let evaluations: HashMap<&str, &Evaluation> = catalog
        .evaluations
        .iter()
        .filter(|row| row.duplicate_of.is_none())
        .map(|row| (row.evaluation.as_str(), row))
        .collect();
    let mut of: BTreeMap<Asked<'_>, Scored<'_>> = BTreeMap::new();
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    let mut known: HashMap<&str, bool> = HashMap::new();
    for score in catalog.scores.iter().filter(|score| score.unit == "points") {
        let place = board_place(&score.leaderboard);
        let benchmark = score.benchmark.as_str();
        let is_known = *known.entry(benchmark).or_insert_with(|| {
            study::abilities::benchmark(benchmark).is_some_and(|found| !found.is_multilingual)
        });
        if place == BOARDS.len() && (!is_known || !seen.insert((benchmark, &score.id))) {
            continue;
        }
        if let Some(row) = evaluations.get(score.evaluation.as_str()) {
            of.entry((place, &score.leaderboard, benchmark))
                .or_default()
                .push((row, score.value));
        }
    }
    of
}

fn benchmarks(catalog: &Catalog) -> Vec<Benchmark> {
    let (tables, scored) = rayon::join(|| Tables::of(catalog), || scored(catalog));
    scored
        .into_par_iter()
        .map(|((place, leaderboard, name), scored)| {
            let told = scored.iter().any(|(row, _)| row.kind.is_some());
            let mut names: Vec<String> = study::features::feature_set("structural")
                .unwrap_or_default()
                .iter()
                .map(ToString::to_string)
                .collect();
            if !told {
                // This leaderboard does not state how checkpoints were trained after pretraining.
                names.retain(|name| name != "pretrained" && name != "merged");
            }
            let rows = tables.rows(&scored, names);
            let n_shapes = rows.shapes.iter().collect::<BTreeSet<_>>().len();
            Benchmark {
                name: name.to_owned(),
                leaderboard: leaderboard.to_owned(),
                is_usual: place < BOARDS.len(),
                unit: "points".into(),
                rows,
                n_shapes,
                fit: OnceLock::new(),
                worth: OnceLock::new(),
                kept: None,
            }
        })
        .collect()
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}
