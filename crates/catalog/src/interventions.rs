//! Scores of runs whose structure was changed on purpose, merged from several files: scores and their errors are
//! published apart.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::sources::interventions::published;
use crate::tables::Intervention;

/// Rows with the same key are one: suite, run, checkpoint and benchmark.
type Key = (String, String, String, String);

/// The rows of all sources, merged by key.
#[derive(Default)]
pub(crate) struct Interventions {
    rows: BTreeMap<Key, Intervention>,
}

impl Interventions {
    /// Adds the fields that one source states; those of an earlier source are kept.
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

    /// The rows that have a score, including those compiled into the program, in the order of their keys.
    ///
    /// # Errors
    /// Where the compiled-in rows cannot be read, which the tests rule out.
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
