//! Answers `predict`, `recommend` and `compare` on blocking threads, two at a time and each question only once. The
//! fits they need are made in the background from the start, and cached.

use std::sync::Arc;
use std::time::Duration;

use ::study::section::Section;
use tokio::sync::Semaphore;

use super::asked::Comparison;
use super::narrowed::{self, NarrowedRows};
use super::once::Once;
use super::problem::Problem;
use super::study::Plan;
use crate::answers::Predictor;
use crate::answers::compare::{CompareAnswer, compare};
use crate::answers::known::UnknownId;
use crate::answers::predict::{PredictAnswer, predict};
use crate::answers::question::Question;
use crate::answers::recommend::{Budget, RecommendAnswer, recommend};

/// Maximum wait for an answer; the computation continues afterwards.
const PATIENCE: Duration = Duration::from_secs(8);
/// Number of questions computed at a time.
const AT_ONCE: usize = 2;
/// Maximum number of questions being computed or queued.
const WAITING: usize = 32;

/// The predictor with the limits on its use, and cached answers.
pub(crate) struct Answers {
    pub(crate) predictor: Arc<Predictor>,
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    predictions: Once<PredictAnswer>,
    recommendations: Once<RecommendAnswer>,
    comparisons: Once<CompareAnswer>,
    sections: Once<Vec<Section>>,
}

/// An answer, or the information that it is still being computed.
pub(crate) enum Now<T> {
    Answer(Arc<T>),
    Later,
}

impl Answers {
    pub(crate) fn new(predictor: Predictor) -> Self {
        Self {
            predictor: Arc::new(predictor),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING)),
            predictions: Once::default(),
            recommendations: Once::default(),
            comparisons: Once::default(),
            sections: Once::default(),
        }
    }

    async fn run<T: Send + Sync + 'static>(
        &self,
        kept: &Once<T>,
        question: &str,
        work: impl FnOnce(&Predictor) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<Now<T>, Problem> {
        let answer = kept.get(question, PATIENCE, || {
            let place = Arc::clone(&self.waiting)
                .try_acquire_owned()
                .map_err(|_| Problem::overloaded())?;
            let (predictor, turns) = (Arc::clone(&self.predictor), Arc::clone(&self.turns));
            Ok(async move {
                let turn = turns.acquire_owned().await.map_err(|_| Problem::overloaded())?;
                let worked = tokio::task::spawn_blocking(move || work(&predictor)).await;
                drop((turn, place));
                match worked {
                    Err(_) => Err(Problem::fault("this question met a fault of the program")),
                    Ok(Err(error)) => Err(worded(&error)),
                    Ok(Ok(answer)) => Ok(answer),
                }
            })
        });
        Ok(answer.await?.map_or(Now::Later, Now::Answer))
    }

    /// Makes all fits in advance, so that visitors need not wait: first the fits, then their accuracy and coverage.
    pub(crate) fn warm(&self) {
        let names: Vec<&str> = self.predictor.names().collect();
        self.predictor.warm(&names, false);
        self.predictor.warm(&names, true);
    }

    /// Status `ready` or `computing`, with the progress in words.
    pub(crate) fn words(&self) -> (&'static str, String) {
        let (made, all) = self.predictor.made();
        if made == all {
            ("ready", "made".into())
        } else {
            ("computing", format!("{made} of {all} made"))
        }
    }

    pub(crate) async fn predict(&self, question: Question) -> Result<Now<PredictAnswer>, Problem> {
        let asked = format!("{question:?}");
        self.run(&self.predictions, &asked, move |predictor| {
            predict(predictor, &question)
        })
        .await
    }

    pub(crate) async fn recommend(&self, budget: Budget) -> Result<Now<RecommendAnswer>, Problem> {
        let asked = format!("{budget:?}");
        self.run(&self.recommendations, &asked, move |predictor| {
            recommend(predictor, &budget)
        })
        .await
    }

    pub(crate) async fn compare(&self, asked: Comparison) -> Result<Now<CompareAnswer>, Problem> {
        let question = format!("{asked:?}");
        self.run(&self.comparisons, &question, move |predictor| {
            compare(predictor, &asked.ids, &asked.contexts, &asked.devices)
        })
        .await
    }
}

impl Answers {
    /// The sections of the part that contains `section`, computed on selected rows.
    pub(crate) async fn sections(
        &self,
        section: &str,
        rows: NarrowedRows,
        plan: &Plan,
    ) -> Result<Now<Vec<Section>>, Problem> {
        let Some(part) = narrowed::part(section) else {
            return Err(Problem::beyond(format!(
                "section `{section}` takes too long to be computed here on chosen rows"
            ))
            .with_hint(format!(
                "run `anatomy report --only {section} --where \"{}\"`",
                rows.condition()
            )));
        };
        let (asked, plan) = (format!("{part} {rows:?}"), plan.clone());
        self.run(&self.sections, &asked, move |predictor| {
            narrowed::compute(&predictor.catalog, &plan, part, &rows)
        })
        .await
    }
}

/// Converts an error into a problem with the hint that the command line would give.
fn worded(error: &anyhow::Error) -> Problem {
    let (detail, hint) = crate::explain::parts(error);
    let is_unknown = error.chain().any(<dyn std::error::Error>::is::<UnknownId>);
    let problem = if is_unknown {
        Problem::missing(&detail)
    } else {
        Problem::beyond(&detail)
    };
    match hint {
        Some(hint) => problem.with_hint(hint),
        None => problem,
    }
}
