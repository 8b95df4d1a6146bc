//! The six benchmarks of Open LLM Leaderboard v1 as lm-evaluation-harness 0.4.13 states them: documents to items.
//!
//! Prompt text, continuation, order and few-shot examples are those of its task files (`arc_challenge`, `hellaswag`,
//! `mmlu_*`, `truthfulqa_mc1`, `truthfulqa_mc2`, `winogrande`, `gsm8k`), to the byte.

mod prompts;
mod subjects;

use std::fmt;
use std::path::Path;

pub use subjects::{GROUPS, SUBJECTS, group_of};

use super::Request;
use super::data::{Document, documents};
use super::python_random::PythonRandom;
use crate::error::{Error, Result};

/// The version of lm-evaluation-harness whose task files these are.
pub const HARNESS_VERSION: &str = "0.4.13";

/// Seed from which the harness draws few-shot examples unless told otherwise.
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
    /// The tasks called `name`: one, or all of `mmlu`, of a group of it (`mmlu_stem`), or of `truthfulqa`.
    ///
    /// # Errors
    /// [`Error::UnknownTask`].
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

    /// Shots of Open LLM Leaderboard v1; `TruthfulQA` has its six examples in the prompt.
    pub fn leaderboard_shots(self) -> usize {
        match self {
            Self::ArcChallenge => 25,
            Self::HellaSwag => 10,
            Self::Mmlu(_) | Self::WinoGrande | Self::Gsm8k => 5,
            Self::TruthfulQaMc1 | Self::TruthfulQaMc2 => 0,
        }
    }

    /// The version the harness gives its task file.
    pub fn version(self) -> f64 {
        match self {
            Self::TruthfulQaMc1 => 2.0,
            Self::TruthfulQaMc2 | Self::Gsm8k => 3.0,
            _ => 1.0,
        }
    }

    /// Folder of the benchmark.
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

    /// Names of the split that is evaluated.
    fn split(self) -> &'static [&'static str] {
        match self {
            Self::ArcChallenge | Self::Mmlu(_) | Self::Gsm8k => &["test"],
            Self::HellaSwag | Self::TruthfulQaMc1 | Self::TruthfulQaMc2 => &["validation", "val"],
            Self::WinoGrande => &["validation", "dev"],
        }
    }

    /// Where few-shot examples come from.
    fn examples_split(self) -> &'static [&'static str] {
        match self {
            Self::Mmlu(_) => &["dev"],
            Self::TruthfulQaMc1 | Self::TruthfulQaMc2 => self.split(),
            _ => &["train"],
        }
    }

    /// Whether the harness draws one example more and drops the document itself: it does where a task names neither a
    /// few-shot split nor a test split, whether or not the examples come from another split.
    fn drops_itself(self) -> bool {
        matches!(
            self,
            Self::HellaSwag | Self::WinoGrande | Self::TruthfulQaMc1 | Self::TruthfulQaMc2
        )
    }
}

/// What is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gold {
    /// One choice.
    Choice(usize),
    /// The choices marked true (`TruthfulQA` mc2).
    Labels(Vec<bool>),
    /// A text whose last number is the answer (GSM8K).
    Answer(String),
}

/// One document, ready to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Task.
    pub task: Task,
    /// Number of the document in its split (of MMLU: in its subject), from 0.
    pub doc_id: usize,
    /// Context and continuation of each choice; one, without a continuation, where text is to be generated.
    pub requests: Vec<Request>,
    /// Characters of each choice, by which `acc_norm` divides.
    pub choice_chars: Vec<usize>,
    /// What is right.
    pub gold: Gold,
}

impl Item {
    /// The item as a text: its context and the right choice, the first of several; the context alone where text is generated.
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

/// A task's items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskItems {
    /// Task.
    pub task: Task,
    /// Examples before each.
    pub shots: usize,
    /// Documents the split has, asked or not.
    pub documents: usize,
    /// Items in the order of documents.
    pub items: Vec<Item>,
}

/// The items of a task in order, with `shots` examples each; of at most `limit` documents.
///
/// Few-shot examples depend on the documents before: the harness draws them one document after the other.
///
/// # Errors
/// What reading fails with; [`Error::BenchmarkLine`] for a document that lacks what the task needs; [`Error::Shots`].
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
