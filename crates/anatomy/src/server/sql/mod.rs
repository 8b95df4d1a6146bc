//! Runs visitors' SQL in separate processes, so that no statement can bring down the server.
//!
//! The engine rejects statements that do more than read and limits its operators to a memory pool
//! ([`catalog::query::Engine::for_visitors`]). A statement can still allocate in a scalar function, recurse in the
//! planner or loop: so it runs in a child process with a limited address space, which is killed on timeout. A dead
//! child is replaced.

mod child;
pub(crate) mod reads;
pub(crate) mod worker;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::problem::Problem;
use child::{Child, Gone};

/// Maximum time that a statement waits for its turn.
const QUEUE: Duration = Duration::from_secs(3);

/// Limits on visitors' statements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Maximum number of rows of an answer.
    pub(crate) rows: usize,
    /// Maximum size of an answer in bytes.
    pub(crate) bytes: usize,
    /// Maximum memory of all the engine's operators, bytes.
    pub(crate) memory: usize,
    /// Time limit from start to answer.
    pub(crate) time: Duration,
    /// Maximum length of a statement in characters.
    pub(crate) length: usize,
    /// Maximum number of concurrent statements.
    pub(crate) at_once: usize,
}

/// Format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowFormat {
    /// JSON with columns, and rows as arrays.
    Json,
    /// CSV with a header.
    Csv,
}

/// Request to a child, one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SqlRequest {
    pub(crate) sql: String,
    pub(crate) rows: usize,
    pub(crate) form: RowFormat,
}

/// Head of a child's answer, one line of JSON, followed by `bytes` bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) ok: bool,
    pub(crate) bytes: usize,
    pub(crate) rows: usize,
    pub(crate) more: bool,
    pub(crate) suggestions: Vec<String>,
}

/// An answer for the client.
#[derive(Debug)]
pub(crate) struct SqlResponse {
    pub(crate) body: Vec<u8>,
    pub(crate) rows: usize,
    pub(crate) more: bool,
}

/// The pool of child processes, with counts of statements by outcome.
pub(crate) struct Pool {
    pub(crate) limits: Limits,
    arguments: Vec<String>,
    idle: Arc<Mutex<Vec<Child>>>,
    turns: Semaphore,
    waiting: Semaphore,
    /// Number of statements answered; likewise refused and stopped.
    pub(crate) answered: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) stopped: AtomicU64,
}

impl Pool {
    /// `arguments` are those with which the program starts as a child.
    pub(crate) fn new(limits: Limits, arguments: Vec<String>) -> Self {
        Self {
            limits,
            arguments,
            idle: Arc::default(),
            turns: Semaphore::new(limits.at_once.max(1)),
            waiting: Semaphore::new(limits.at_once.max(1) * 8),
            answered: AtomicU64::default(),
            refused: AtomicU64::default(),
            stopped: AtomicU64::default(),
        }
    }

    /// Starts a child before the first statement arrives.
    pub(crate) async fn warm(&self) {
        if catalog::query::needed().is_err() {
            return;
        }
        let (sql, form) = ("select 1".to_owned(), RowFormat::Json);
        // A failure is reported to the first visitor instead.
        let _ = self.run(sql, 1, form).await;
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// 400 for an empty or too long text, 422 for a rejected statement or one over a limit, 501 where SQL is not built
    /// in, 503 where too many statements run at once.
    pub(crate) async fn run(
        &self,
        sql: String,
        rows: usize,
        form: RowFormat,
    ) -> Result<SqlResponse, Problem> {
        if let Err(absent) = catalog::query::needed() {
            return Err(Problem::of_status(
                StatusCode::NOT_IMPLEMENTED,
                absent.to_string(),
            ));
        }
        let length = sql.chars().count();
        if length > self.limits.length {
            return Err(Problem::bad(format!(
                "the statement has {length} characters; {} are the most",
                self.limits.length
            )));
        }
        if length == 0 {
            return Err(Problem::bad("the statement is empty"));
        }
        if let Some(refused) = reads::refused(&sql) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Problem::beyond(refused));
        }
        let _place = self.waiting.try_acquire().map_err(|_| Problem::overloaded())?;
        let turn = tokio::time::timeout(QUEUE, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(Problem::overloaded());
        };
        let ask = SqlRequest {
            sql,
            rows: rows.min(self.limits.rows),
            form,
        };
        let (count, result) = match self.ask(ask).await {
            Ok(Ok(answer)) => (&self.answered, Ok(answer)),
            Ok(Err(refusal)) => (&self.refused, Err(refusal)),
            Err(gone) => {
                self.replace();
                (&self.stopped, Err(self.gone(&gone)))
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        result
    }

    async fn ask(&self, ask: SqlRequest) -> Result<Result<SqlResponse, Problem>, Gone> {
        let child = self.lock().pop();
        let fresh = child.is_none();
        match self.attempt(child, &ask).await {
            // A child that died while idle says nothing about this statement: use a fresh one.
            Err(Gone::Before) if !fresh => self.attempt(None, &ask).await,
            done => done,
        }
    }

    /// Starts a replacement for a dead child, so that the next statement need not wait for it.
    fn replace(&self) {
        let (idle, arguments) = (Arc::clone(&self.idle), self.arguments.clone());
        let Limits { memory, at_once, .. } = self.limits;
        tokio::spawn(async move {
            if let Ok(child) = Child::start(&arguments, memory).await {
                let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
                if idle.len() < at_once {
                    idle.push(child);
                }
            }
        });
    }

    async fn attempt(
        &self,
        child: Option<Child>,
        ask: &SqlRequest,
    ) -> Result<Result<SqlResponse, Problem>, Gone> {
        let mut child = match child {
            Some(child) => child,
            None => Child::start(&self.arguments, self.limits.memory).await?,
        };
        let line = serde_json::to_string(ask).map_err(|_| Gone::Before)?;
        let (said, body) = child.ask(line, self.limits.time, self.limits.bytes).await?;
        self.lock().push(child);
        if said.ok {
            return Ok(Ok(SqlResponse {
                body,
                rows: said.rows,
                more: said.more,
            }));
        }
        let problem = Problem::beyond(String::from_utf8_lossy(&body).into_owned());
        Ok(Err(if said.suggestions.is_empty() {
            problem
        } else {
            problem.with_hint(format!("did you mean {}?", said.suggestions.join(", ")))
        }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Child>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gone(&self, gone: &Gone) -> Problem {
        match gone {
            Gone::Late => Problem::beyond(format!(
                "the statement took longer than {} s and was stopped",
                self.limits.time.as_secs()
            ))
            .with_hint("narrow it, or run it on your own machine with `anatomy query`"),
            Gone::During => Problem::beyond(
                "the statement was stopped: it needs more memory than allowed here, or the engine failed on it",
            )
                .with_hint("narrow it, or run it on your own machine with `anatomy query`"),
            Gone::Large(bytes) => Problem::beyond(format!(
                "the answer has {bytes} bytes; {} are the most",
                self.limits.bytes
            ))
            .with_hint("ask for fewer rows or columns"),
            // A temporary problem: the machine was too busy to start a child in time.
            Gone::Before => Problem {
                detail: "the SQL process could not be started in time".into(),
                ..Problem::overloaded()
            },
        }
    }
}
