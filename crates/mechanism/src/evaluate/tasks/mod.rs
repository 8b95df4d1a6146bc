//! The six benchmarks of Open LLM Leaderboard v1 as in lm-evaluation-harness 0.4.13: turns documents into items.
//!
//! Prompt text, continuation, order and few-shot examples are byte-identical to those of its task files
//! (`arc_challenge`, `hellaswag`, `mmlu_*`, `truthfulqa_mc1`, `truthfulqa_mc2`, `winogrande`, `gsm8k`).

mod prompts;
mod subjects;

use std::fmt;
use std::path::Path;

pub use subjects::{GROUPS, SUBJECTS, group_of};

use super::Request;
use super::data::{Document, documents};
use super::python_random::PythonRandom;
use crate::error::{Error, Result};

/// The version of lm-evaluation-harness whose task files are reproduced.
pub const HARNESS_VERSION: &str = "0.4.13";

/// Default seed of the harness for drawing few-shot examples.
pub const FEW_SHOT_SEED: u64 = 1234;

/// A benchmark task; of MMLU, one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the benchmarks' own")]
pub enum Task {
    ArcChallenge,
    HellaSwag,
    /// Index in [`SUBJECTS`].
    Mmlu(usize),
    TruthfulQaMc1,
    TruthfulQaMc2,
    WinoGrande,
    Gsm8k,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ArcChallenge => "arc_challenge",
            Self::HellaSwag => "hellaswag",
            Self::Mmlu(subject) => return write!(f, "mmlu_{}", SUBJECTS[*subject].0),
            Self::TruthfulQaMc1 => "truthfulqa_mc1",
            Self::TruthfulQaMc2 => "truthfulqa_mc2",
            Self::WinoGrande => "winogrande",
            Self::Gsm8k => "gsm8k",
        })
    }
}

impl Task {
    /// The tasks called `name`: one task, or all of `mmlu`, of a group of MMLU (`mmlu_stem`), or of `truthfulqa`.
    ///
    /// # Errors
    /// [`Error::UnknownTask`] if there is none.
    pub fn named(name: &str) -> Result<Vec<Self>> {
        let subjects = |wanted: &dyn Fn(usize) -> bool| -> Vec<Self> {
            (0..SUBJECTS.len())
                .filter(|s| wanted(*s))
                .map(Self::Mmlu)
                .collect()
        };
        let found = match name {
            "arc_challenge" => vec![Self::ArcChallenge],
            "hellaswag" => vec![Self::HellaSwag],
            "winogrande" => vec![Self::WinoGrande],
            "gsm8k" => vec![Self::Gsm8k],
            "truthfulqa_mc1" => vec![Self::TruthfulQaMc1],
            "truthfulqa_mc2" => vec![Self::TruthfulQaMc2],
            "truthfulqa" => vec![Self::TruthfulQaMc1, Self::TruthfulQaMc2],
            "mmlu" => subjects(&|_| true),
            _ => match name.strip_prefix("mmlu_") {
                Some(rest) => subjects(&|s| SUBJECTS[s].0 == rest || SUBJECTS[s].1 == rest),
                None => Vec::new(),
            },
        };
        if found.is_empty() {
            return Err(Error::UnknownTask {
                name: name.to_owned(),
                known:
                    "arc_challenge, hellaswag, mmlu, mmlu_SUBJECT, mmlu_GROUP, truthfulqa, truthfulqa_mc1, \
                        truthfulqa_mc2, winogrande and gsm8k"
                        .to_owned(),
            });
        }
        Ok(found)
    }

    /// Number of shots on Open LLM Leaderboard v1; the prompt of `TruthfulQA` contains its six examples.
    pub fn leaderboard_shots(self) -> usize {
        match self {
            Self::ArcChallenge => 25,
            Self::HellaSwag => 10,
            Self::Mmlu(_) | Self::WinoGrande | Self::Gsm8k => 5,
            Self::TruthfulQaMc1 | Self::TruthfulQaMc2 => 0,
        }
    }

    /// The version of its task file in the harness.
    pub fn version(self) -> f64 {
        match self {
            Self::TruthfulQaMc1 => 2.0,
            Self::TruthfulQaMc2 | Self::Gsm8k => 3.0,
            _ => 1.0,
        }
    }

    /// Name of the benchmark's folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::ArcChallenge => "arc_challenge",
            Self::HellaSwag => "hellaswag",
            Self::Mmlu(_) => "mmlu",
            Self::TruthfulQaMc1 | Self::TruthfulQaMc2 => "truthfulqa",
            Self::WinoGrande => "winogrande",
            Self::Gsm8k => "gsm8k",
        }
    }

    /// Possible names of the split that is evaluated.
    fn split(self) -> &'static [&'static str] {
        match self {
            Self::ArcChallenge | Self::Mmlu(_) | Self::Gsm8k => &["test"],
            Self::HellaSwag | Self::TruthfulQaMc1 | Self::TruthfulQaMc2 => &["validation", "val"],
            Self::WinoGrande => &["validation", "dev"],
        }
    }

    /// Possible names of the split from which few-shot examples are drawn.
    fn examples_split(self) -> &'static [&'static str] {
        match self {
            Self::Mmlu(_) => &["dev"],
            Self::TruthfulQaMc1 | Self::TruthfulQaMc2 => self.split(),
            _ => &["train"],
        }
    }

    /// Whether the harness draws one more example and drops the document itself. It does so if a task names neither a
    /// few-shot split nor a test split, even if the examples come from another split.
    fn drops_itself(self) -> bool {
        matches!(
            self,
            Self::HellaSwag | Self::WinoGrande | Self::TruthfulQaMc1 | Self::TruthfulQaMc2
        )
    }
}

/// The right answer of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gold {
    /// Index of the only right choice.
    Choice(usize),
    /// The choices marked true (`TruthfulQA` mc2).
    Labels(Vec<bool>),
    /// A text whose last number is the right answer (GSM8K).
    Answer(String),
}

/// One document in the form in which it is presented to a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Task.
    pub task: Task,
    /// Index of the document in its split (for MMLU, in its subject), from 0.
    pub doc_id: usize,
    /// Context and continuation of each choice; a single request with an empty continuation if text is to be generated.
    pub requests: Vec<Request>,
    /// Number of characters of each choice, by which `acc_norm` divides.
    pub choice_chars: Vec<usize>,
    /// The right answer.
    pub gold: Gold,
}

impl Item {
    /// Context and right choice (the first of several) as one text; only the context if text is generated.
    pub fn text(&self) -> String {
        let right = match &self.gold {
            Gold::Choice(right) => *right,
            Gold::Labels(labels) => labels.iter().position(|label| *label).unwrap_or(0),
            Gold::Answer(_) => 0,
        };
        let request = &self.requests[right];
        format!("{}{}", request.context, request.continuation)
    }
}

/// The items of one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskItems {
    /// Task.
    pub task: Task,
    /// Number of few-shot examples before each item.
    pub shots: usize,
    /// Number of documents in the split, whether used or not.
    pub documents: usize,
    /// Items in the order of their documents.
    pub items: Vec<Item>,
}

/// The items of a task in order, with `shots` few-shot examples each, for at most `limit` documents.
///
/// Few-shot examples depend on the preceding documents, because the harness draws them one document after the other.
///
/// # Errors
/// Errors of reading; [`Error::BenchmarkLine`] for a document that lacks what the task needs; [`Error::Shots`] if there
/// are too few examples.
pub fn items(task: Task, data: &Path, shots: usize, limit: Option<usize>, seed: u64) -> Result<TaskItems> {
    let folder = data.join(task.folder());
    let of_task = |splits| -> Result<Vec<Document>> {
        let mut found = documents(&folder, &task.to_string(), splits)?;
        if let Task::Mmlu(subject) = task {
            let name = SUBJECTS[subject].0;
            found.retain(|document| document.fields.get("subject").and_then(|s| s.as_str()) == Some(name));
        }
        Ok(found)
    };
    let evaluated = of_task(task.split())?;
    let examples = if shots == 0 {
        Vec::new()
    } else {
        of_task(task.examples_split())?
    };
    let few = || Error::Shots {
        task: task.to_string(),
        shots,
        examples: examples.len(),
    };
    let mut random = PythonRandom::new(seed);
    let mut all = Vec::new();
    for (doc_id, document) in evaluated.iter().enumerate().take(limit.unwrap_or(usize::MAX)) {
        let chosen: Vec<&Document> = if shots == 0 {
            Vec::new()
        } else if matches!(task, Task::Mmlu(_)) {
            examples.get(..shots).ok_or_else(few)?.iter().collect()
        } else if task.drops_itself() {
            let drawn = random.sample(examples.len(), shots + 1).ok_or_else(few)?;
            let mut others: Vec<&Document> = drawn.into_iter().map(|i| &examples[i]).collect();
            others.retain(|example| *example != document);
            others.truncate(shots);
            if others.len() < shots {
                let pool: Vec<&Document> = examples.iter().filter(|example| *example != document).collect();
                let drawn = random.sample(pool.len(), shots).ok_or_else(few)?;
                others = drawn.into_iter().map(|i| pool[i]).collect();
            }
            others
        } else {
            let drawn = random.sample(examples.len(), shots).ok_or_else(few)?;
            drawn.into_iter().map(|i| &examples[i]).collect()
        };
        let mut before = prompts::description(task);
        for example in chosen {
            before.push_str(&prompts::solved(task, example)?);
        }
        all.push(prompts::item(task, doc_id, document, &before)?);
    }
    Ok(TaskItems {
        task,
        shots,
        documents: evaluated.len(),
        items: all,
    })
}
