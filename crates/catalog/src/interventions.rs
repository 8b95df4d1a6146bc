//! Scores of runs whose structure was changed on purpose, put together: scores and their errors come from several files.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::sources::interventions::published;
use crate::tables::Intervention;

/// What makes two rows one: suite, run, checkpoint and benchmark.
type Key = (String, String, String, String);

/// All that sources said.
#[derive(Default)]
pub(crate) struct Interventions {
    rows: BTreeMap<Key, Intervention>,
}

impl Interventions {
    /// Adds what one source says; what an earlier one said stays.
    pub(crate) fn note(&mut self, new: Intervention) {
        let key = (
            new.suite.clone(),
            new.pair_or_run.clone(),
            new.id.clone(),
            new.benchmark.clone(),
        );
        let (score, stderr) = (new.score, new.stderr);
        let row = self.rows.entry(key).or_insert(new);
        row.score = row.score.or(score);
        row.stderr = row.stderr.or(stderr);
    }

    /// The rows that have a score, those of published facts among them, in the order of their keys.
    ///
    /// # Errors
    /// None in a program whose tests pass.
    pub(crate) fn rows(mut self) -> Result<Vec<Intervention>, Error> {
        published()?.into_iter().for_each(|row| self.note(row));
        let all = self.rows.into_values();
        Ok(all.filter(|row| row.score.is_some()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_meets_its_error_and_an_error_alone_is_no_row() {
        let row = |id: &str, score, stderr| Intervention {
            suite: "a".into(),
            pair_or_run: "b".into(),
            id: id.into(),
            benchmark: "arc".into(),
            score,
            stderr,
            ..Intervention::default()
        };
        let mut all = Interventions::default();
        all.note(row("x", Some(30.0), None));
        all.note(row("x", None, Some(1.5)));
        all.note(row("y", None, Some(1.0)));
        let rows = all.rows().expect("read");
        let own: Vec<&Intervention> = rows.iter().filter(|row| row.suite == "a").collect();
        assert_eq!(own.len(), 1);
        assert_eq!((own[0].score, own[0].stderr), (Some(30.0), Some(1.5)));
    }
}
