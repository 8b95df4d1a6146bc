//! The state of a checkpoint's config, and counts over all checkpoints.

use serde::{Deserialize, Serialize};

/// The standing of a checkpoint. Every listed checkpoint has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Not fetched yet, or its fetch was under way when the run ended.
    InFlight,
    /// Its config is stored and is a JSON object.
    Stored,
    /// Its repository has no `config.json`.
    WithoutConfig,
    /// Access to the repository must be requested.
    Gated,
    /// Its config is stored, but is no JSON object.
    Broken,
    /// Fetching failed; the reason says why.
    Failed,
}

/// The state of a checkpoint, one row of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Where it stands.
    pub(crate) standing: Standing,
    /// The listed commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha: Option<String>,
    /// The listed time of modification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<String>,
    /// Short identifier of the reason why there is no config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The reason in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// Hash of the stored config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tag: Option<String>,
    /// The commit that the config belongs to: the listed one, unless that no longer exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    /// Whether it was requested with a token.
    #[serde(default)]
    pub(crate) with_token: bool,
    /// Its position in the queue while in flight, else 0.
    #[serde(default)]
    pub(crate) place: u64,
    /// Number of the last run that listed it.
    pub(crate) run: u64,
}

/// Reasons of permanent failures, valid for a given commit. All others are retried by the next run.
const LASTING: [&str; 3] = ["disabled", "deleted", "too_large"];

impl State {
    /// Whether a new fetch would give the same result: the commit (or else the time of modification) is unchanged, and
    /// the earlier result still holds with or without a token as now.
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

    /// Whether the failure is temporary.
    pub(crate) fn may_pass(&self) -> bool {
        self.standing == Standing::Failed
            && !self
                .reason
                .as_deref()
                .is_some_and(|reason| LASTING.contains(&reason))
    }
}

/// Number of checkpoints by standing; `listed` is always the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// All checkpoints.
    pub(crate) listed: u64,
    /// With a stored config.
    pub(crate) stored: u64,
    /// Known to have no config.
    pub(crate) without_config: u64,
    /// Gated.
    pub(crate) gated: u64,
    /// With a config that is not a JSON object.
    pub(crate) broken: u64,
    /// Failed.
    pub(crate) failed: u64,
    /// Not fetched yet.
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

    /// Moves one checkpoint from one standing to another; `from` is `None` for a new one.
    pub(crate) fn moved(&mut self, from: Option<Standing>, to: Standing) {
        match from {
            Some(from) => *self.of(from) -= 1,
            None => self.listed += 1,
        }
        *self.of(to) += 1;
    }

    /// The sum over all standings, which must equal `listed`.
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
