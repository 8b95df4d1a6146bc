//! The questions of the forecast: the boards' benchmarks, and Proteus' runs of two of them.

use std::collections::{BTreeMap, BTreeSet};

use catalog::Catalog;
use catalog::plausible::ListedSizes;
use catalog::tables::{Checkpoint, ResolvedBy};
use study::abilities::benchmark;
use study::forecast::{Question, Row};
use study::statistics::least_squares_line;

use super::{Shapes, V1, V2, by_id, root};

/// Benchmarks of Proteus that agree with leaderboard v2's, on whose rows they are forecast: points over chance, and shares of right
/// answers.
const ELSEWHERE: [(&str, &str); 4] = [
    ("bbh", "proteus_bbh"),
    ("bbh", "proteus_bbh_raw"),
    ("mmlu_pro", "proteus_mmlu_pro"),
    ("mmlu_pro", "proteus_mmlu_pro_raw"),
];
/// Fewer checkpoints that ran on both boards tie no scale to another.
const FEWEST_IN_COMMON: usize = 20;

/// Every benchmark of the two leaderboards on its own later rows, and two of v2 on those of Proteus.
pub(crate) fn questions(catalog: &Catalog) -> Vec<Question> {
    let rows = Rows::of(catalog);
    let mut all: Vec<Question> = Vec::new();
    let boards = [
        (V1, study::leaderboard_v1::BENCHMARKS),
        (V2, study::dimensions::BENCHMARKS),
    ];
    for (board, names) in boards {
        for name in names {
            all.extend(question(name, board, rows.of_benchmark(name), None));
        }
    }
    for (own, other) in ELSEWHERE {
        let ran = rows.ran(own);
        let elsewhere = rows.of_benchmark(other).into_iter();
        let (old, later): (Vec<Row>, Vec<Row>) = elsewhere.partition(|row| ran.contains(row.id.as_str()));
        let mut train = rows.of_benchmark(own);
        if equate(&mut train, &old) && !later.is_empty() {
            all.extend(question(other, V2, train, Some(later)));
        }
    }
    all
}

/// Puts scores on another board's scale, by the line through the checkpoints that ran on both; false where these are too few.
fn equate(rows: &mut [Row], other: &[Row]) -> bool {
    let on_other: BTreeMap<&str, f64> = other.iter().map(|row| (row.id.as_str(), row.score)).collect();
    let common = rows
        .iter()
        .filter_map(|row| Some((row.score, *on_other.get(row.id.as_str())?)));
    let (x, y): (Vec<f64>, Vec<f64>) = common.unzip();
    if x.len() < FEWEST_IN_COMMON {
        return false;
    }
    let line = least_squares_line(&x, &y);
    for row in rows {
        row.score = line.intercept + line.slope * row.score;
    }
    true
}

fn question(name: &str, board: &str, rows: Vec<Row>, later: Option<Vec<Row>>) -> Option<Question> {
    let known = benchmark(name)?;
    let on = if later.is_some() { ", on Proteus" } else { "" };
    (!rows.is_empty()).then(|| Question {
        benchmark: name.to_owned(),
        title: format!("{}{on}", known.title),
        abilities: known.abilities.iter().map(ToString::to_string).collect(),
        board: board.to_owned(),
        names: names().map(str::to_owned).collect(),
        rows,
        later,
    })
}

/// The regression's columns: those of its set.
fn names() -> impl Iterator<Item = &'static str> {
    let set = study::features::feature_set("structural").unwrap_or_default();
    set.iter().copied()
}

/// What all questions share.
struct Rows<'a> {
    catalog: &'a Catalog,
    shapes: Shapes<'a>,
    checkpoints: BTreeMap<&'a str, &'a Checkpoint>,
    repeats: BTreeSet<&'a str>,
    /// Checkpoints whose size is not to be believed.
    doubted: BTreeSet<&'a str>,
}

impl<'a> Rows<'a> {
    fn of(catalog: &'a Catalog) -> Self {
        let checkpoints = by_id(catalog);
        let sizes = ListedSizes::of(catalog);
        let doubted = catalog.structures.iter().filter(|row| {
            let checkpoint = checkpoints.get(row.id.as_str()).copied();
            sizes.judge(row, checkpoint, None).disagreement.is_some()
        });
        let doubted = doubted.map(|row| row.id.as_str()).collect();
        Self {
            catalog,
            shapes: Shapes::of(catalog),
            checkpoints,
            doubted,
            repeats: catalog
                .evaluations
                .iter()
                .filter(|row| row.duplicate_of.is_some())
                .map(|row| row.evaluation.as_str())
                .collect(),
        }
    }

    /// The checkpoints that a benchmark has scores of.
    fn ran(&self, benchmark: &str) -> BTreeSet<&'a str> {
        let scores = self.catalog.scores.iter();
        let own = scores.filter(|score| score.benchmark == benchmark);
        own.map(|score| score.id.as_str()).collect()
    }

    /// One row a checkpoint of a benchmark, those of which a column is not known left out.
    fn of_benchmark(&self, name: &str) -> Vec<Row> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let scores = self.catalog.scores.iter().filter(|score| {
            score.benchmark == name
                && !self.repeats.contains(score.evaluation.as_str())
                && !self.doubted.contains(score.id.as_str())
        });
        scores
            .filter(|score| seen.insert(&score.id))
            .filter_map(|score| self.row(&score.id, score.value))
            .collect()
    }

    /// The last ancestor that is declared; where none is, the one that its structure was taken from.
    fn base(&self, id: &str) -> String {
        let declared = root(&self.checkpoints, id);
        if declared != id {
            return declared;
        }
        let structure = self.shapes.structure(id);
        let taken = structure.filter(|row| matches!(row.resolved_by, ResolvedBy::Lineage | ResolvedBy::Name));
        // `file: org/name; what else came of another file`.
        let of = taken.and_then(|row| row.source.as_deref()?.split_once(": "));
        let of = of.and_then(|(_, rest)| rest.split(';').next());
        of.map_or(declared, |of| root(&self.checkpoints, of.trim()))
    }

    fn row(&self, id: &str, score: f64) -> Option<Row> {
        let columns = self.shapes.columns(id);
        let at = |name: &str| columns.named(name);
        let checkpoint = self.checkpoints.get(id).copied();
        let base = self.base(id);
        // What has no day of its own is no older than its base.
        let day = known(at("date")).or_else(|| known(self.shapes.columns(&base).date))?;
        let flag = |is: bool| f64::from(u8::from(is));
        let training = checkpoint.and_then(|row| row.training);
        let cell = |name: &str| match name {
            "date" => Some(day),
            "pretrained" => Some(flag(
                training.is_some_and(catalog::tables::Training::is_pretrained),
            )),
            "merged" => Some(flag(checkpoint.and_then(|row| row.merged) == Some(true))),
            other => at(other),
        };
        let size = at("size").filter(|&size| size > 0.0)?;
        Some(Row {
            id: id.to_owned(),
            shape: self.shapes.number(id),
            family: family(&base),
            columns: names().map(cell).collect::<Option<_>>()?,
            dimensions: [at("layers")?, at("d_model")?, at("d_ffn")?, at("heads")?],
            size,
            day,
            score,
        })
    }
}

/// A day that is not the Hub's floor.
fn known(day: Option<f64>) -> Option<f64> {
    day.filter(|&day| day > f64::from(common::calendar::HUB_FLOOR))
}

/// The line that a base belongs to: its name up to its size, `qwen/qwen3`.
fn family(base: &str) -> String {
    let base = base.to_lowercase();
    let (owner, name) = base.split_once('/').unwrap_or(("", &base));
    let is_size = |word: &str| {
        let digits = word.trim_end_matches(['b', 'm']);
        digits.len() < word.len() && digits.parse::<f64>().is_ok()
    };
    let words: Vec<&str> = name.split(['-', '_']).take_while(|word| !is_size(word)).collect();
    format!("{owner}/{}", words.join("-"))
}

#[cfg(test)]
mod tests {
    use super::{FEWEST_IN_COMMON, Row, equate, family};

    #[test]
    fn scores_are_put_on_the_scale_of_the_board_that_ran_the_same_checkpoints() {
        let row = |place: usize, score: f64| Row {
            id: format!("a/{place}"),
            shape: 0,
            family: "a".into(),
            columns: Vec::new(),
            dimensions: [1.0; 4],
            size: 1.0,
            day: 0.0,
            score,
        };
        let mut rows: Vec<Row> = (0..FEWEST_IN_COMMON + 5)
            .map(|place| row(place, place as f64))
            .collect();
        let mut other: Vec<Row> = (0..FEWEST_IN_COMMON)
            .map(|place| row(place, 3.0 + 0.5 * place as f64))
            .collect();
        assert!(equate(&mut rows, &other));
        // What did not run there is put on its scale too.
        assert!(
            (rows[FEWEST_IN_COMMON + 4].score - (3.0 + 0.5 * (FEWEST_IN_COMMON + 4) as f64)).abs() < 1e-9
        );
        let before = rows.clone();
        other.pop();
        assert!(!equate(&mut rows, &other));
        assert_eq!(rows, before, "too few in common change nothing");
    }

    #[test]
    fn a_family_is_a_name_up_to_its_size() {
        assert_eq!(family("Qwen/Qwen3-8B-Base"), "qwen/qwen3");
        assert_eq!(family("meta-llama/Llama-2-7b-hf"), "meta-llama/llama-2");
        assert_eq!(family("google/gemma-3-270m"), "google/gemma-3");
        assert_eq!(family("gpt2"), "/gpt2");
    }
}
