//! What is known of a checkpoint's config, and the counts that must add up.

use serde::{Deserialize, Serialize};

/// Where a checkpoint stands. Exactly one holds for every checkpoint listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Not fetched yet, or its fetch was under way when the run ended.
    InFlight,
    /// Its config is stored and is a JSON object.
    Stored,
    /// Its repository has no `config.json`.
    WithoutConfig,
    /// Access must be asked for.
    Gated,
    /// Its config is stored, but is no JSON object.
    Broken,
    /// It could not be had; the reason says why.
    Failed,
}

/// A checkpoint's state, one row of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Where it stands.
    pub(crate) standing: Standing,
    /// The commit that was listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha: Option<String>,
    /// When it was changed, as listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<String>,
    /// One word for why it has no config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The same in the Hub's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// Hash of the config that is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tag: Option<String>,
    /// The commit that the config is of: the listed one, unless that was gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    /// Whether it was asked for with a token.
    #[serde(default)]
    pub(crate) with_token: bool,
    /// Its place in the queue while in flight.
    #[serde(default)]
    pub(crate) place: u64,
    /// The run that listed it last.
    pub(crate) run: u64,
}

/// Reasons of a failure that lasts as long as the commit does. All others are tried again by the next run.
const LASTING: [&str; 3] = ["disabled", "deleted", "too_large"];

impl State {
    /// Whether nothing can have changed since: same commit (or, without one, same time of change), and an answer that
    /// holds for it and for who asks.
    pub(crate) fn settles(&self, sha: Option<&str>, modified: Option<&str>, with_token: bool) -> bool {
        let same = match (&self.sha, sha) {
            (Some(old), Some(new)) => old == new,
            _ => self.modified.is_some() && self.modified.as_deref() == modified,
        };
        same && match self.standing {
            Standing::InFlight => false,
            Standing::Stored | Standing::WithoutConfig | Standing::Broken => true,
            Standing::Gated => self.with_token == with_token,
            Standing::Failed => {
                self.with_token == with_token
                    && self
                        .reason
                        .as_deref()
                        .is_some_and(|reason| LASTING.contains(&reason))
            }
        }
    }

    /// Whether a failure may pass by itself.
    pub(crate) fn may_pass(&self) -> bool {
        self.standing == Standing::Failed
            && !self
                .reason
                .as_deref()
                .is_some_and(|reason| LASTING.contains(&reason))
    }
}

/// How many checkpoints stand where; `listed` is always the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// All.
    pub(crate) listed: u64,
    /// With a config.
    pub(crate) stored: u64,
    /// Known to have none.
    pub(crate) without_config: u64,
    /// Behind a gate.
    pub(crate) gated: u64,
    /// With a config that is no JSON object.
    pub(crate) broken: u64,
    /// Not to be had.
    pub(crate) failed: u64,
    /// Still to come.
    pub(crate) to_fetch: u64,
}

impl Counts {
    fn of(&mut self, standing: Standing) -> &mut u64 {
        match standing {
            Standing::InFlight => &mut self.to_fetch,
            Standing::Stored => &mut self.stored,
            Standing::WithoutConfig => &mut self.without_config,
            Standing::Gated => &mut self.gated,
            Standing::Broken => &mut self.broken,
            Standing::Failed => &mut self.failed,
        }
    }

    /// One checkpoint went from one standing (or from nowhere) to another.
    pub(crate) fn moved(&mut self, from: Option<Standing>, to: Standing) {
        match from {
            Some(from) => *self.of(from) -= 1,
            None => self.listed += 1,
        }
        *self.of(to) += 1;
    }

    /// The sum that must be `listed`.
    pub(crate) fn sum(&self) -> u64 {
        self.stored + self.without_config + self.gated + self.broken + self.failed + self.to_fetch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(standing: Standing) -> State {
        State {
            standing,
            sha: Some("a".into()),
            modified: Some("2024".into()),
            reason: None,
            message: None,
            tag: None,
            commit: None,
            with_token: false,
            place: 0,
            run: 1,
        }
    }

    #[test]
    fn only_what_changed_is_fetched_again() {
        let stored = state(Standing::Stored);
        assert!(stored.settles(Some("a"), Some("2025"), true));
        assert!(!stored.settles(Some("b"), Some("2024"), false));
        assert!(stored.settles(None, Some("2024"), false));
        assert!(!stored.settles(None, Some("2025"), false));
        assert!(!state(Standing::InFlight).settles(Some("a"), None, false));
    }

    #[test]
    fn a_token_opens_what_was_closed_without_one() {
        assert!(state(Standing::Gated).settles(Some("a"), None, false));
        assert!(!state(Standing::Gated).settles(Some("a"), None, true));
    }

    #[test]
    fn failures_that_may_pass_are_tried_again() {
        let mut failed = state(Standing::Failed);
        failed.reason = Some("stalled".into());
        assert!(!failed.settles(Some("a"), None, false) && failed.may_pass());
        failed.reason = Some("disabled".into());
        assert!(failed.settles(Some("a"), None, false) && !failed.may_pass());
    }

    #[test]
    fn counts_add_up_through_every_move() {
        let all = [
            Standing::InFlight,
            Standing::Stored,
            Standing::WithoutConfig,
            Standing::Gated,
            Standing::Broken,
            Standing::Failed,
        ];
        let mut counts = Counts::default();
        for to in all {
            counts.moved(None, Standing::InFlight);
            counts.moved(Some(Standing::InFlight), to);
            assert_eq!(counts.sum(), counts.listed);
        }
        assert_eq!(counts.listed, 6);
        assert_eq!(counts.stored, 1);
    }
}
