//! Decides which failures are worth a retry, and how long to wait before it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::hub::error::{Permanent, RequestFailure, Transient};

/// The first wait; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait, unless the Hub requests a longer one.
const LONGEST: Duration = Duration::from_secs(20);

/// Classifies a response with a status other than 2xx and 3xx. `code` and `message` are the headers `X-Error-Code` and
/// `X-Error-Message` (or the body), by which `huggingface_hub` distinguishes errors (`utils/_http.py`,
/// `hf_raise_for_status`).
pub(crate) fn classify(
    status: u16,
    code: Option<&str>,
    message: &str,
    wait: Option<Duration>,
) -> RequestFailure {
    let said = || message.trim().chars().take(300).collect::<String>();
    let has = |words: &str| message.contains(words);
    let permanent = match (status, code) {
        (408 | 425 | 500..=599, _) => return Transient::Status { status, wait }.into(),
        (401 | 403, Some("GatedRepo")) => Permanent::Gated {
            status,
            message: said(),
        },
        (401 | 403 | 404, Some("RepoNotFound")) | (410, _) => Permanent::Deleted { status },
        (404, Some("EntryNotFound")) => Permanent::NoFile,
        (404, Some("RevisionNotFound")) => Permanent::NoRevision,
        (401, _) if has("Invalid credentials") => Permanent::BadToken { message: said() },
        (401 | 403, _) if has("restricted") => Permanent::Gated {
            status,
            message: said(),
        },
        (403, _) if has("disabled") => Permanent::Disabled { message: said() },
        (404, _) if has("Entry not found") => Permanent::NoFile,
        (404, _) if has("Invalid rev id") => Permanent::NoRevision,
        // To hide private repositories, the Hub answers 401 without a token for missing ones too.
        (401, _) if has("Invalid username or password") => Permanent::Deleted { status },
        (404, _) if has("Repository not found") => Permanent::Deleted { status },
        _ => {
            return RequestFailure::Ours {
                status,
                message: said(),
            };
        }
    };
    permanent.into()
}

/// The wait before retry number `again` (1 is the second try): exponential and capped, with the upper half random so
/// that clients do not retry in step ("equal jitter", Brooker 2015); never shorter than the Hub requested.
pub(crate) fn wait(again: u32, failure: &Transient, random: f64) -> Duration {
    let doubled = FIRST
        .saturating_mul(1 << again.saturating_sub(1).min(10))
        .min(LONGEST);
    let own = doubled.mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0));
    match failure {
        // The limiter already waits as long as the Hub requested.
        Transient::Limited { .. } => Duration::ZERO,
        Transient::Status { wait: Some(wait), .. } => own.max(*wait),
        _ => own,
    }
}

/// A random number in `[0, 1)` that differs between runs: it only affects timing, never results.
pub(crate) fn jitter() -> f64 {
    (RandomState::new().build_hasher().finish() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_by_kind() {
        let kind = |status, code, message| classify(status, code, message, None).kind();
        assert_eq!(kind(503, None, "Service Unavailable"), "server_error");
        assert_eq!(kind(404, Some("EntryNotFound"), "Entry not found"), "no_file");
        assert_eq!(
            kind(404, Some("RevisionNotFound"), "Invalid rev id: x"),
            "no_revision"
        );
        assert_eq!(kind(404, Some("RepoNotFound"), "Repository not found"), "deleted");
        assert_eq!(kind(401, None, "Invalid username or password."), "deleted");
        assert_eq!(
            kind(401, Some("GatedRepo"), "Access to model x is restricted"),
            "gated"
        );
        assert_eq!(
            kind(403, Some("GatedRepo"), "not in the authorized list"),
            "gated"
        );
        assert_eq!(
            kind(403, None, "Access to this resource is disabled."),
            "disabled"
        );
        assert_eq!(
            kind(401, None, "Invalid credentials in Authorization header"),
            "bad_token"
        );
        assert_eq!(kind(400, None, "Invalid option at expand[1]"), "ours");
        assert_eq!(kind(403, None, "<html>blocked by the proxy</html>"), "ours");
        assert_eq!(kind(404, None, "<html>nginx</html>"), "ours");
    }

    #[test]
    fn waits_grow_to_a_cap_and_heed_the_hub() {
        let stalled = Transient::Stalled;
        let waits: Vec<u128> = (1..12)
            .map(|again| wait(again, &stalled, 1.0).as_millis())
            .collect();
        assert_eq!(&waits[..4], &[250, 500, 1000, 2000]);
        assert_eq!(waits[10], 20_000);
        assert_eq!(wait(1, &stalled, 0.0).as_millis(), 125);
        let asked = Transient::Status {
            status: 503,
            wait: Some(Duration::from_secs(7)),
        };
        assert_eq!(wait(1, &asked, 0.5), Duration::from_secs(7));
    }

    #[test]
    fn jitter_is_a_fraction_and_varies() {
        let drawn: Vec<f64> = (0..100).map(|_| jitter()).collect();
        assert!(drawn.iter().all(|x| (0.0..1.0).contains(x)));
        assert!(drawn.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
