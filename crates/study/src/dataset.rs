//! Section on the dataset: how many rows of each source were kept, and descriptive statistics of the structure columns.

mod boards;

pub use boards::{BoardCount, boards};

use crate::finding::{Finding, SourceOf};
use crate::section::{Cell, Section, Table};
use crate::statistics::{Description, describe};

/// Row counts of one source; `rows = kept + rejected`.
#[derive(Debug, Clone, Default)]
pub struct SourceRows {
    /// Name or path.
    pub name: String,
    /// Rows read.
    pub rows: u64,
    /// Rows kept in a table.
    pub kept: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Rows kept but marked as repeats.
    pub duplicates: u64,
}

/// One structure column, to be described; a value is `None` where it is missing.
#[derive(Debug, Clone)]
pub struct DescribedColumn {
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// `(n_checkpoints,)`.
    pub values: Vec<Option<f64>>,
}

/// Checkpoints that the paper shows as examples of its dataset: the name used in finding ids, and the checkpoint's id.
pub const EXAMPLES: [(&str, &str); 5] = [
    ("llama_3_8b", "meta-llama/Meta-Llama-3-8B"),
    ("bloom", "bigscience/bloom"),
    ("mixtral_8x7b", "mistralai/Mixtral-8x7B-v0.1"),
    ("llama_2_7b", "meta-llama/Llama-2-7b-hf"),
    ("mistral_7b", "mistralai/Mistral-7B-v0.1"),
];

/// The columns that the paper shows of the examples, in the paper's order.
pub const EXAMPLE_COLUMNS: [&str; 16] = [
    "size",
    "d_model",
    "d_ffn",
    "heads",
    "layers",
    "kv_heads",
    "vocab_size",
    "pos",
    "likes",
    "downloads",
    "arc",
    "hellaswag",
    "mmlu",
    "truthfulqa",
    "winogrande",
    "gsm8k",
];

/// The values of one of [`EXAMPLES`].
#[derive(Debug, Clone)]
pub struct Example {
    /// Index into [`EXAMPLES`].
    pub which: usize,
    /// The values, in the order of [`EXAMPLE_COLUMNS`]; `None` where missing.
    pub cells: [Option<f64>; 16],
    /// Number of runs of the checkpoint on leaderboard v1; the scores are those of the first run.
    pub runs: usize,
}

impl Example {
    /// One finding per column.
    fn findings(&self) -> impl Iterator<Item = Finding> {
        let (name, id) = EXAMPLES[self.which];
        EXAMPLE_COLUMNS.iter().zip(self.cells).map(move |(column, cell)| {
            let is_score = EXAMPLE_COLUMNS[10..].contains(column);
            let source = SourceOf {
                work: if is_score {
                    "open-llm-leaderboard-v1"
                } else {
                    "the catalog"
                }
                .into(),
                place: id.into(),
            };
            let (n, method) = if is_score && self.runs > 1 {
                (self.runs, "the first of its runs")
            } else {
                (1, "the cell")
            };
            Finding::new(
                format!("dataset.example.{name}.{column}"),
                format!("What is {column} of {id}?"),
                &source,
            )
            .with_value(cell.unwrap_or(f64::NAN), "units of the column", n, method)
        })
    }
}

/// A way of resolving a structure, and the number of rows whose structure was resolved in that way.
pub type ResolutionCount = (String, usize);

/// The dataset section.
pub fn section(
    sources: &[SourceRows],
    columns: &[DescribedColumn],
    resolved: &[(String, Vec<ResolutionCount>)],
    examples: &[Example],
) -> Section {
    let mut section = Section {
        id: "dataset".into(),
        title: "Dataset".into(),
        ..Section::default()
    };
    let rows = Table {
        id: "dataset-sources".into(),
        caption: "Rows of each source: read, kept, left out (each with its reason in `rejects`), and kept rows marked \
                  as repeats of another."
            .into(),
        columns: ["source", "rows read", "kept", "left out", "repeats"].map(String::from).to_vec(),
        rows: sources
            .iter()
            .map(|source| {
                let counts = [source.rows, source.kept, source.rejected, source.duplicates];
                std::iter::once(Cell::from(source.name.as_str()))
                    .chain(counts.map(|count| Cell::from(count as usize)))
                    .collect()
            })
            .collect(),
        shown: true,
    };
    for source in sources {
        let from = SourceOf {
            work: source.name.clone(),
            place: "rows".into(),
        };
        let counts = [
            ("rows", source.rows),
            ("kept", source.kept),
            ("rejected", source.rejected),
            ("duplicates", source.duplicates),
        ];
        for (what, count) in counts {
            section.findings.push(
                Finding::new(
                    format!("dataset.{what}.{}", slug(&source.name)),
                    format!("How many rows of {}: {what}?", source.name),
                    &from,
                )
                .with_value(count as f64, "rows", source.rows as usize, "count"),
            );
        }
    }
    let descriptions: Vec<(&DescribedColumn, Description)> = columns
        .iter()
        .map(|column| (column, describe(&column.values)))
        .collect();
    section.findings.extend(
        descriptions
            .iter()
            .flat_map(|(column, description)| describing(column, description)),
    );
    for (place, counts) in resolved {
        let all: usize = counts.iter().map(|(_, count)| count).sum();
        for (way, count) in counts {
            section.findings.push(
                Finding::new(
                    format!("dataset.resolved.{}.{way}", slug(place)),
                    format!("How many rows of {place} have a structure resolved by `{way}`?"),
                    &SourceOf {
                        work: place.clone(),
                        place: "structures".into(),
                    },
                )
                .with_value(*count as f64, "rows", all, "count"),
            );
        }
    }
    section
        .findings
        .extend(examples.iter().flat_map(Example::findings));
    section.text = vec![format!(
        "{} rows from {} sources; {} kept, {} left out with a reason each.",
        sources.iter().map(|source| source.rows).sum::<u64>(),
        sources.len(),
        sources.iter().map(|source| source.kept).sum::<u64>(),
        sources.iter().map(|source| source.rejected).sum::<u64>(),
    )];
    section.tables = vec![rows, resolution_table(resolved), description_table(&descriptions)];
    section
}

/// A name as part of a finding id: in lower case, every character but ASCII letters, digits and `_` replaced by `-`.
fn slug(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || letter == '_' {
                letter
            } else {
                '-'
            }
        })
        .collect()
}

fn numbers(description: &Description) -> [(&'static str, f64); 11] {
    [
        ("mean", description.mean),
        ("mode", description.mode),
        ("sd", description.sd),
        ("min", description.min),
        ("q1", description.q1),
        ("median", description.median),
        ("q3", description.q3),
        ("max", description.max),
        ("skewness", description.skewness),
        ("kurtosis", description.kurtosis),
        ("missing", description.missing),
    ]
}

fn describing<'a>(
    column: &'a DescribedColumn,
    description: &'a Description,
) -> impl Iterator<Item = Finding> + 'a {
    let from = SourceOf {
        work: "catalog".into(),
        place: format!("structures.{}", column.name),
    };
    numbers(description).into_iter().map(move |(statistic, value)| {
        let unit = match statistic {
            "skewness" | "kurtosis" => "1",
            "missing" => "fraction",
            _ => &column.unit,
        };
        let n = if statistic == "missing" {
            column.values.len()
        } else {
            description.n
        };
        Finding::new(
            format!("dataset.{statistic}.{}", column.name),
            format!(
                "What is the {statistic} of {} over the catalog's checkpoints?",
                column.name
            ),
            &from,
        )
        .with_value(value, unit, n, statistic)
    })
}

fn description_table(descriptions: &[(&DescribedColumn, Description)]) -> Table {
    Table {
        id: "dataset-structures".into(),
        caption: "The structure columns over all checkpoints of the catalog (pandas' definitions; mode: the smallest of \
                  several; skewness and excess kurtosis corrected for bias)."
            .into(),
        columns: std::iter::once("column".to_string())
            .chain(std::iter::once("n".to_string()))
            .chain(numbers(&describe(&[])).map(|(name, _)| name.to_string()))
            .collect(),
        rows: descriptions
            .iter()
            .map(|(column, description)| {
                let mut cells: Vec<Cell> = vec![column.name.as_str().into(), description.n.into()];
                cells.extend(numbers(description).map(|(_, value)| Cell::from(value)));
                cells
            })
            .collect(),
        shown: true,
    }
}

fn resolution_table(resolved: &[(String, Vec<ResolutionCount>)]) -> Table {
    let mut ways: Vec<&str> = Vec::new();
    for (_, counts) in resolved {
        for (way, _) in counts {
            if !ways.contains(&way.as_str()) {
                ways.push(way);
            }
        }
    }
    let cells = |(place, counts): &(String, Vec<ResolutionCount>)| {
        let count = |way: &&str| {
            counts
                .iter()
                .find(|(name, _)| name == way)
                .map_or(0, |(_, count)| *count)
        };
        std::iter::once(Cell::from(place.as_str()))
            .chain(ways.iter().map(|way| count(way).into()))
            .collect()
    };
    Table {
        id: "dataset-resolution".into(),
        caption: "How the structures of each leaderboard's rows came to be known: from the checkpoint's own config \
                  (exact), its base (lineage), a base named in its name (name), or the one structure its architecture \
                  and size admit (size)."
            .into(),
        columns: std::iter::once("leaderboard").chain(ways.iter().copied()).map(String::from).collect(),
        rows: resolved.iter().map(cells).collect(),
        shown: true,
    }
}
