//! Which evaluations repeat another.
//!
//! Two rules, within one leaderboard: `same_checkpoint` (one name at several precisions or commits; kept is the one in
//! full precision, then the latest, then the first row) and `same_scores` (all scores equal to the last bit under
//! different names, at least four of them, as fewer are equal by chance; kept is the earliest, then the first row).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::tables::{Days, Duplicate, Evaluation, Score};

/// What must be remembered of an evaluation to find its repeats.
struct Seen {
    leaderboard: u16,
    row: u32,
    id: Box<str>,
    scores: u64,
    /// Settings other than the weights' format make evaluations of one checkpoint differ.
    setting: u64,
    packed: bool,
    date: Option<Days>,
    /// The evaluation that stands for this one, by number.
    kept: u32,
    by_checkpoint: bool,
}

fn settings(scores: &[Score]) -> u64 {
    let mut hash = DefaultHasher::new();
    // Where speed and memory are measured, the number format is a setting too.
    let setting = scores
        .first()
        .and_then(|score| Some((score.setting.as_ref()?, score.precision.as_ref())));
    setting.hash(&mut hash);
    hash.finish()
}

/// All evaluations, noted as they are read.
#[derive(Default)]
pub(crate) struct Duplicates {
    leaderboards: Vec<String>,
    seen: Vec<Seen>,
    index: HashMap<(u16, u32), u32>,
}

impl Duplicates {
    /// Remembers one evaluation.
    pub(crate) fn note(&mut self, evaluation: &Evaluation, scores: &[Score]) {
        let Some((board, row)) = evaluation.evaluation.rsplit_once('/') else {
            return;
        };
        let Ok(row) = row.parse() else { return };
        let leaderboard = self
            .leaderboards
            .iter()
            .position(|known| known == board)
            .unwrap_or_else(|| {
                self.leaderboards.push(board.to_owned());
                self.leaderboards.len() - 1
            }) as u16;
        let mut hash = DefaultHasher::new();
        for score in scores {
            (&score.benchmark, &score.setting, score.value.to_bits()).hash(&mut hash);
        }
        let number = self.seen.len() as u32;
        self.index.insert((leaderboard, row), number);
        self.seen.push(Seen {
            leaderboard,
            row,
            id: evaluation.id.as_str().into(),
            setting: settings(scores),
            scores: if scores.len() < 4 { 0 } else { hash.finish() },
            packed: evaluation
                .precision
                .as_deref()
                .is_some_and(|p| matches!(p, "4bit" | "8bit" | "GPTQ")),
            date: evaluation.submitted.or(evaluation.uploaded),
            kept: number,
            by_checkpoint: false,
        });
    }

    /// Applies both rules.
    pub(crate) fn settle(&mut self) {
        self.keep_one(
            true,
            |seen| Some((seen.leaderboard, seen.id.to_string(), seen.setting)),
            |seen| (seen.packed, std::cmp::Reverse(seen.date), seen.row),
        );
        self.keep_one(
            false,
            |seen| (seen.scores != 0).then(|| (seen.leaderboard, seen.scores.to_string())),
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
        let mut best: HashMap<K, usize> = HashMap::new();
        let candidates: Vec<usize> = (0..self.seen.len())
            .filter(|&at| self.seen[at].kept as usize == at)
            .collect();
        for &at in &candidates {
            let Some(key) = key(&self.seen[at]) else { continue };
            best.entry(key)
                .and_modify(|kept| {
                    if order(&self.seen[at]) < order(&self.seen[*kept]) {
                        *kept = at;
                    }
                })
                .or_insert(at);
        }
        for at in candidates {
            let kept = key(&self.seen[at]).and_then(|key| best.get(&key)).copied();
            if let Some(kept) = kept.filter(|&kept| kept != at) {
                self.seen[at].kept = kept as u32;
                self.seen[at].by_checkpoint = by_checkpoint;
            }
        }
    }

    /// The evaluation that stands for `evaluation`, if that is another.
    pub(crate) fn of(&self, evaluation: &Evaluation) -> Option<Duplicate> {
        let (board, row) = evaluation.evaluation.rsplit_once('/')?;
        let leaderboard = self.leaderboards.iter().position(|known| known == board)? as u16;
        let &number = self.index.get(&(leaderboard, row.parse().ok()?))?;
        let seen = self.seen.get(number as usize)?;
        let kept = self
            .seen
            .get(seen.kept as usize)
            .filter(|_| seen.kept != number)?;
        Some(Duplicate {
            evaluation: evaluation.evaluation.clone(),
            id: evaluation.id.clone(),
            kept: format!("{board}/{}", kept.row),
            kept_id: kept.id.to_string(),
            rule: if seen.by_checkpoint {
                "same_checkpoint"
            } else {
                "same_scores"
            }
            .to_owned(),
        })
    }
}
