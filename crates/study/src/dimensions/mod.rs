//! The six dimensions (scale, merging, …) of a published leaderboard analysis, on the Open LLM Leaderboard v2.
//!
//! One row is one evaluation, as in the published analysis, so a checkpoint evaluated twice counts twice. Bootstrap
//! intervals resample whole shapes, since fine-tunes of one base are not independent.

mod architecture;
mod chat_template;
mod efficiency;
mod merging;
mod popularity;
mod rows;
mod scale;
#[cfg(test)]
mod tests;

use crate::calendar;
use crate::features::StructureValues;
use crate::finding::{Finding, Interval, SourceOf};
use crate::published::published;
use crate::section::Section;
use crate::statistics::{Contrast, GroupBootstrap, group_bootstrap};

pub use rows::rows_table;

/// The benchmarks of leaderboard v2, in the order of [`LeaderboardRow::scores`].
pub const BENCHMARKS: [&str; 6] = crate::abilities::V2;
/// Titles of the benchmarks, as shown to readers.
pub const BENCHMARK_TITLES: [&str; 6] = ["IFEval", "BBH", "MATH", "GPQA", "MUSR", "MMLU-PRO"];

/// Names in ids and titles of the outcomes returned by [`LeaderboardRow::outcome`].
const OUTCOMES: [(&str, &str); 7] = [
    ("ifeval", "IFEval"),
    ("bbh", "BBH"),
    ("math", "MATH"),
    ("gpqa", "GPQA"),
    ("musr", "MUSR"),
    ("mmlu_pro", "MMLU-PRO"),
    ("average", "Average"),
];

/// One evaluation of leaderboard v2. `None` means unknown, never "no".
#[derive(Debug, Clone, Default)]
pub struct LeaderboardRow {
    /// The checkpoint, `org/name`.
    pub id: String,
    /// Shape identifier; a checkpoint of unknown shape is a group of its own.
    pub shape: u32,
    /// Mean of the six benchmarks, points.
    pub average: f64,
    /// Billions of parameters as the leaderboard prints them; 0 or less where unknown.
    pub listed_size: Option<f64>,
    /// Emissions of the run, kg CO₂.
    pub co2: Option<f64>,
    /// Likes on the Hub.
    pub likes: Option<f64>,
    /// Whether it was made by merging.
    pub merged: Option<bool>,
    /// Whether it was evaluated with its chat template.
    pub chat_template: Option<bool>,
    /// Class name, for example `LlamaForCausalLM`.
    pub architecture: Option<String>,
    /// Structure columns as cleaned by the catalog.
    pub structure: StructureValues,
    /// Whether the row repeats another: the same checkpoint again, or the same scores under another name.
    pub repeat: bool,
    /// Billions of parameters used per token; without experts, all of them.
    pub active: Option<f64>,
    /// Whether it is a mixture of experts.
    pub moe: Option<bool>,
    /// Downloads on the Hub.
    pub downloads: Option<f64>,
    /// Kind of checkpoint as the leaderboard calls it, for example `pretrained`.
    pub kind: Option<String>,
    /// True if fine-tuned, chat-tuned or merged, false if trained from scratch, `None` for any other kind.
    pub post_trained: Option<bool>,
    /// Day of publication, days since 1970-01-01.
    pub date: Option<f64>,
    /// The last declared ancestor; the checkpoint itself where none is declared.
    pub root: String,
    /// Scores in points, in the order of [`BENCHMARKS`].
    pub scores: [Option<f64>; 6],
}

impl LeaderboardRow {
    /// Whether the leaderboard lists a size.
    fn size_known(&self) -> bool {
        self.listed_size.is_some_and(|size| size > 0.0)
    }

    /// The cleaned size, else the listed one; for a mixture the larger of the two, since one may count a single expert.
    /// `None` for a size that is smaller than the row's shape or name implies (packed weights count half, names may
    /// mislead).
    pub(crate) fn best_size(&self) -> Option<f64> {
        let listed = self.listed_size.filter(|&size| size > 0.0);
        let size = match (self.structure.size.filter(|&size| size > 0.0), listed) {
            (Some(cleaned), Some(listed)) if self.moe == Some(true) => Some(cleaned.max(listed)),
            (cleaned, listed) => cleaned.or(listed),
        };
        let least = [self.least_size(), named_size(&self.id).map(|named| named / 1.6)];
        size.filter(|&size| least.iter().flatten().all(|&least| size >= least))
    }

    /// Billions of parameters used per token; `None` where that is less than the dense decoder of this shape has.
    fn best_active(&self) -> Option<f64> {
        self.active
            .filter(|&active| active > 0.0 && self.least_size().is_none_or(|least| active >= least))
    }

    /// Smallest number of parameters of a decoder of this shape, in billions: attention with the fewest keys, a
    /// feed-forward layer without a gate, tied embeddings.
    fn least_size(&self) -> Option<f64> {
        let known = &self.structure;
        let (d_model, d_ffn, layers, vocabulary) =
            (known.d_model?, known.d_ffn?, known.layers?, known.vocab_size?);
        let block = 2.0 * d_model * d_model + 2.0 * d_model * d_ffn;
        // A published size may be rounded down.
        Some(0.95 * (layers * block + vocabulary * d_model) / 1e9)
    }

    /// Month of publication, in months since January 1970.
    fn month(&self) -> Option<i64> {
        self.date.map(calendar::month)
    }

    /// Whether the leaderboard calls its kind a merge.
    fn merge_kind(&self) -> Option<bool> {
        self.kind.as_deref().map(|kind| kind.contains("merge"))
    }

    /// A score by index: the six benchmarks, then Average.
    fn outcome(&self, place: usize) -> Option<f64> {
        if place < BENCHMARKS.len() {
            self.scores[place]
        } else {
            Some(self.average)
        }
    }

    /// The bucket by listed size; unknown sizes are put into small, as in the published analysis.
    fn bucket(&self) -> Bucket {
        match self.listed_size {
            Some(size) if size >= 50.0 => Bucket::Large,
            Some(size) if size >= 10.0 => Bucket::Medium,
            _ => Bucket::Small,
        }
    }
}

/// Billions of parameters stated in a name: the last word like `7B` or `1.5b`; `8x7B`, which is ambiguous, is not used.
fn named_size(id: &str) -> Option<f64> {
    let name = id.rsplit('/').next().unwrap_or(id).to_lowercase();
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
    let sizes = words.filter_map(|word| word.strip_suffix('b')?.parse().ok());
    sizes.rev().find(|size: &f64| *size > 0.0 && *size < 1000.0)
}

/// Size buckets in billions of parameters: small < 10, medium 10 to 50, large from 50.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bucket {
    Small,
    Medium,
    Large,
}

impl Bucket {
    const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

/// The rows, and the settings of their intervals.
#[derive(Debug, Clone, Copy)]
pub struct Dimensions<'a> {
    /// All evaluations.
    pub rows: &'a [LeaderboardRow],
    /// Number of bootstrap resamples of the intervals.
    pub resamples: usize,
    /// Seed of the intervals.
    pub seed: u64,
}

/// All six sections, in the order of the published analysis.
pub fn six_dimensions(dimensions: &Dimensions<'_>) -> Vec<Section> {
    vec![
        scale::section(dimensions),
        efficiency::section(dimensions),
        merging::section(dimensions),
        popularity::section(dimensions),
        architecture::section(dimensions),
        chat_template::section(dimensions),
    ]
}

/// Selected rows with the value of interest of each: `(row, value)`.
type Sample<'a> = Vec<(&'a LeaderboardRow, f64)>;

impl<'a> Dimensions<'a> {
    /// Rows for which `pick` returns a value.
    fn sample(&self, pick: impl Fn(&LeaderboardRow) -> Option<f64>) -> Sample<'a> {
        self.rows
            .iter()
            .filter_map(|row| pick(row).map(|value| (row, value)))
            .collect()
    }

    /// Interval of a statistic of one sample, resampling shapes.
    fn interval(&self, sample: &[(&LeaderboardRow, f64)], statistic: fn(&[f64]) -> f64) -> Option<Interval> {
        let groups: Vec<u32> = sample.iter().map(|(row, _)| row.shape).collect();
        self.grouped(&groups, |rows| {
            let values: Vec<f64> = rows.iter().map(|&row| sample[row].1).collect();
            statistic(&values)
        })
    }

    /// Interval of a statistic of two samples resampled jointly, so that a shape in both is drawn for both.
    fn interval_of_two(
        &self,
        first: &[(&LeaderboardRow, f64)],
        second: &[(&LeaderboardRow, f64)],
        statistic: fn(&[f64], &[f64]) -> f64,
    ) -> Option<Interval> {
        let both: Vec<_> = first.iter().chain(second).collect();
        let groups: Vec<u32> = both.iter().map(|(row, _)| row.shape).collect();
        self.grouped(&groups, |rows| {
            let (in_first, in_second): (Vec<usize>, Vec<usize>) =
                rows.iter().partition(|&&row| row < first.len());
            let values = |rows: Vec<usize>| rows.into_iter().map(|row| both[row].1).collect::<Vec<_>>();
            statistic(&values(in_first), &values(in_second))
        })
    }

    fn grouped(&self, groups: &[u32], statistic: impl Fn(&[usize]) -> f64 + Sync) -> Option<Interval> {
        group_bootstrap(groups, self.settings(), 0.95, statistic)
    }

    /// A finding about one sample: the statistic with its interval, and the value published for this id.
    fn finding(
        &self,
        id: String,
        question: String,
        sample: &[(&LeaderboardRow, f64)],
        (method, statistic): (&str, fn(&[f64]) -> f64),
        unit: &str,
    ) -> Finding {
        let values = values(sample);
        let published = published(&id);
        Finding::new(id, question, &source())
            .with_value(statistic(&values), unit, values.len(), method)
            .with_interval(self.interval(sample, statistic))
            .with_seed(self.seed)
            .with_published(published)
    }

    /// Number of resamples and seed.
    fn settings(&self) -> GroupBootstrap {
        GroupBootstrap {
            resamples: self.resamples,
            seed: self.seed,
        }
    }

    /// A finding about a coefficient or difference with an analytical standard error.
    fn estimated(
        id: String,
        question: String,
        contrast: Option<&Contrast>,
        unit: &str,
        n: usize,
        method: &str,
    ) -> Finding {
        Finding::new(id, question, &source())
            .with_value(contrast.map_or(f64::NAN, |found| found.value), unit, n, method)
            .with_interval(contrast.and_then(|found| found.interval.clone()))
    }

    /// A finding on a count.
    fn count(id: String, question: String, n: usize) -> Finding {
        let published = published(&id);
        Finding::new(id, question, &source())
            .with_value(n as f64, "rows", n, "count")
            .with_published(published)
    }
}

fn values(sample: &[(&LeaderboardRow, f64)]) -> Vec<f64> {
    sample.iter().map(|&(_, value)| value).collect()
}

fn source() -> SourceOf {
    SourceOf {
        work: "open-llm-leaderboard-v2".into(),
        place: "all evaluations".into(),
    }
}

/// Note on the number of rows that lack a column.
fn without(column: &str, n_with: usize, n_all: usize) -> String {
    format!(
        "{} of {n_all} evaluations have no {column} in our copy of the table and are left out",
        n_all - n_with
    )
}
