//! Long computations requested by several visitors: run once, regardless of who stops waiting, and then cached.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::problem::Problem;

/// Maximum number of cached answers; the oldest is dropped first.
const ROOM: usize = 48;

/// An answer, or the problem that prevented it.
pub(crate) type OnceOutcome<T> = Result<Arc<T>, Problem>;
/// Receives the answer; `None` until it is there.
type Later<T> = watch::Receiver<Option<OnceOutcome<T>>>;

/// Cached answers by question, the oldest first.
pub(crate) struct Once<T> {
    kept: Mutex<VecDeque<(String, Later<T>)>>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self {
            kept: Mutex::new(VecDeque::new()),
        }
    }
}

impl<T: Send + Sync + 'static> Once<T> {
    /// The answer to `question`, computed by `work` unless it is cached or being computed; `None` if it takes longer
    /// than `patience`, in which case the computation continues and a later call gets it. Server errors are not cached.
    ///
    /// # Errors
    /// Those of `work`.
    pub(crate) async fn get<W>(
        &self,
        question: &str,
        patience: Duration,
        work: impl FnOnce() -> Result<W, Problem>,
    ) -> Result<Option<Arc<T>>, Problem>
    where
        W: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let mut answer = self.place(question, work)?;
        let heard = tokio::time::timeout(patience, answer.wait_for(Option::is_some)).await;
        let outcome = match heard {
            Err(_) => return Ok(None),
            Ok(Err(_)) => Some(Err(Problem::fault("this question met a fault of the program"))),
            Ok(Ok(outcome)) => outcome.clone(),
        };
        if let Some(Err(problem)) = &outcome
            && problem.code().is_server_error()
        {
            self.forget(question);
        }
        outcome.transpose()
    }

    fn place<W>(&self, question: &str, work: impl FnOnce() -> Result<W, Problem>) -> Result<Later<T>, Problem>
    where
        W: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answer)) = kept.iter().find(|(other, _)| other == question) {
            return Ok(answer.clone());
        }
        let work = work()?;
        let (sender, answer) = watch::channel(None);
        tokio::spawn(async move {
            let outcome = work.await.map(Arc::new);
            let _ = sender.send(Some(outcome));
        });
        if kept.len() >= ROOM {
            kept.pop_front();
        }
        kept.push_back((question.to_owned(), answer.clone()));
        Ok(answer)
    }

    fn forget(&self, question: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| other != question);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_question_is_worked_on_once_even_when_nobody_waits() {
        let once: Once<usize> = Once::default();
        let times = Arc::new(AtomicUsize::new(0));
        let ask = |patience: u64| {
            let times = Arc::clone(&times);
            once.get("q", Duration::from_millis(patience), move || {
                Ok(async move {
                    tokio::time::sleep(Duration::from_millis(80)).await;
                    Ok(times.fetch_add(1, Ordering::SeqCst) + 7)
                })
            })
        };
        assert_eq!(ask(1).await.expect("no problem"), None);
        let (one, other) = tokio::join!(ask(60_000), ask(60_000));
        assert_eq!(one.expect("an answer").as_deref(), Some(&7));
        assert_eq!(other.expect("an answer").as_deref(), Some(&7));
        assert_eq!(times.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn refusals_stay_and_faults_go() {
        let once: Once<usize> = Once::default();
        let patience = Duration::from_mins(1);
        let refused = once
            .get("q", patience, || Ok(async { Err(Problem::missing("no such")) }))
            .await;
        assert_eq!(refused.expect_err("refused").status, 404);
        let again = once.get("q", patience, || Ok(async { Ok(1) })).await;
        assert_eq!(again.expect_err("kept").status, 404);
        let fault = once
            .get("f", patience, || Ok(async { Err(Problem::fault("x")) }))
            .await;
        assert_eq!(fault.expect_err("a fault").status, 500);
        let well = once.get("f", patience, || Ok(async { Ok(2) })).await;
        assert_eq!(well.expect("tried again").as_deref(), Some(&2));
    }
}
