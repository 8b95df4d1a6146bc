//! Finds evaluations that repeat another.
//!
//! There are two rules, applied within one leaderboard. `same_checkpoint`: one name with several precisions or commits;
//! kept is the one in full precision, then the latest, then the first row. `same_scores`: all scores equal to the last
//! bit under different names, at least four of them, since fewer may be equal by chance; kept is the earliest, then the
//! first row.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::known::Known;
use crate::tables::{Days, Duplicate, Evaluation, Score};

/// The features of an evaluation that are needed to find its repeats.
struct Seen {
    scores: u64,
    /// Hash of settings other than the weights' format; different settings make different evaluations of one
    /// checkpoint.
    setting: u64,
    row: u32,
    /// Index of its checkpoint.
    checkpoint: u32,
    /// Index of the evaluation that is kept for this one; its own index where it is not a repeat.
    kept: u32,
    date: Option<Days>,
    leaderboard: u16,
    /// Index of the prefix of its key: the files of one board number their rows separately.
    prefix: u16,
    packed: bool,
    by_checkpoint: bool,
}

fn settings(scores: &[Score]) -> u64 {
    let mut hash = DefaultHasher::new();
    // Where speed and memory are measured, the number format is a setting too.
    let setting = scores
        .first()
        .and_then(|score| Some((score.setting.as_ref()?, score.precision.as_ref())));
    setting.hash(&mut hash);
    // The same weights run in another reasoning mode are another evaluation.
    scores
        .first()
        .and_then(|score| score.mode.as_ref())
        .hash(&mut hash);
    hash.finish()
}

/// All evaluations, recorded while they are read the first time and looked up in the same order the second time.
#[derive(Default)]
pub(crate) struct Duplicates {
    leaderboards: Vec<String>,
    prefixes: Vec<String>,
    seen: Vec<Seen>,
    asked: usize,
}

/// The prefix (board) and the row of an evaluation's key.
fn place(evaluation: &Evaluation) -> Option<(&str, u32)> {
    let (board, row) = evaluation.evaluation.rsplit_once('/')?;
    Some((board, row.parse().ok()?))
}

/// The index of `name` in `names`, where it is added if it is new.
fn number(names: &mut Vec<String>, name: &str) -> u16 {
    let place = names.iter().position(|known| known == name);
    place.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    }) as u16
}

impl Duplicates {
    /// Records one evaluation of the checkpoint with index `checkpoint`.
    pub(crate) fn note(&mut self, evaluation: &Evaluation, scores: &[Score], checkpoint: u32) {
        let Some((board, row)) = place(evaluation) else {
            return;
        };
        // Files of one board form one group; where a key consists of more than board and row, each file is a group of
        // its own.
        let group = if board.contains('/') {
            board
        } else {
            &evaluation.leaderboard
        };
        let leaderboard = number(&mut self.leaderboards, group);
        let prefix = number(&mut self.prefixes, board);
        let mut hash = DefaultHasher::new();
        for score in scores {
            (
                &score.benchmark,
                &score.metric,
                &score.setting,
                score.value.to_bits(),
            )
                .hash(&mut hash);
        }
        self.seen.push(Seen {
            leaderboard,
            prefix,
            row,
            checkpoint,
            setting: settings(scores),
            scores: if scores.len() < 4 { 0 } else { hash.finish() },
            packed: evaluation
                .precision
                .as_deref()
                .is_some_and(|p| matches!(p, "4bit" | "8bit" | "GPTQ")),
            date: evaluation.submitted.or(evaluation.uploaded),
            kept: self.seen.len() as u32,
            by_checkpoint: false,
        });
    }

    /// Applies both rules to the recorded evaluations.
    pub(crate) fn settle(&mut self) {
        self.keep_one(
            true,
            |seen| Some((seen.leaderboard, seen.checkpoint, seen.setting)),
            |seen| (seen.packed, std::cmp::Reverse(seen.date), seen.row),
        );
        self.keep_one(
            false,
            |seen| (seen.scores != 0).then_some((seen.leaderboard, seen.scores)),
            |seen| (seen.date.unwrap_or(i32::MAX), seen.row),
        );
        for at in 0..self.seen.len() {
            let mut kept = self.seen[at].kept;
            while self.seen[kept as usize].kept != kept {
                kept = self.seen[kept as usize].kept;
            }
            self.seen[at].kept = kept;
        }
    }

    fn keep_one<K: Hash + Eq, O: Ord>(
        &mut self,
        by_checkpoint: bool,
        key: impl Fn(&Seen) -> Option<K>,
        order: impl Fn(&Seen) -> O,
    ) {
        let mut best: HashMap<K, u32> = HashMap::new();
        let candidates: Vec<u32> = (0..self.seen.len() as u32)
            .filter(|&at| self.seen[at as usize].kept == at)
            .collect();
        for &at in &candidates {
            let Some(key) = key(&self.seen[at as usize]) else {
                continue;
            };
            best.entry(key)
                .and_modify(|kept| {
                    if order(&self.seen[at as usize]) < order(&self.seen[*kept as usize]) {
                        *kept = at;
                    }
                })
                .or_insert(at);
        }
        for at in candidates {
            let seen = &mut self.seen[at as usize];
            let kept = key(seen).and_then(|key| best.get(&key)).copied();
            if let Some(kept) = kept.filter(|&kept| kept != at) {
                seen.kept = kept;
                seen.by_checkpoint = by_checkpoint;
            }
        }
    }

    /// The duplicate entry for `evaluation`, if another evaluation is kept for it; to be called in the order of
    /// recording.
    pub(crate) fn next(&mut self, evaluation: &Evaluation, known: &[Known]) -> Option<Duplicate> {
        let (_, row) = place(evaluation)?;
        let number = self.asked;
        self.asked += 1;
        let seen = self.seen.get(number)?;
        debug_assert_eq!(seen.row, row, "evaluations are read twice in one order");
        let kept = self
            .seen
            .get(seen.kept as usize)
            .filter(|_| seen.kept as usize != number)?;
        Some(Duplicate {
            evaluation: evaluation.evaluation.clone(),
            id: evaluation.id.clone(),
            kept: format!("{}/{}", self.prefixes.get(usize::from(kept.prefix))?, kept.row),
            kept_id: known.get(kept.checkpoint as usize)?.id.to_string(),
            rule: if seen.by_checkpoint {
                "same_checkpoint"
            } else {
                "same_scores"
            }
            .to_owned(),
        })
    }
}
