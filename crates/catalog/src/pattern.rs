//! Names with a placeholder that stand for several checkpoints: `org/name-7B{}` is `org/name-7B`,
//! `org/name-7B-Instruct` …
//!
//! Code bases keep one row for all checkpoints with one structure and fill the placeholder from a list of their own.
//! Here a pattern matches only checkpoints that other sources name, and creates none: the placeholder may be empty or
//! hold words for what was done to the weights, but none that could indicate another structure.

/// The placeholder.
pub(crate) const PLACEHOLDER: &str = "{}";

/// Words that the placeholder may stand for.
const WORDS: [&str; 22] = [
    "base",
    "instruct",
    "chat",
    "it",
    "pt",
    "hf",
    "python",
    "thinking",
    "rw",
    "sft",
    "dpo",
    "rlvr",
    "preview",
    "latest",
    "intermediate",
    "step",
    "tokens",
    "math",
    "coder",
    "code",
    "reasoning",
    "hermes",
];

/// A name with a placeholder, split at it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pattern<'a> {
    before: &'a str,
    after: &'a str,
}

impl<'a> Pattern<'a> {
    /// The pattern of a name with exactly one placeholder, which must not come first; `None` otherwise.
    pub(crate) fn of(name: &'a str) -> Option<Self> {
        let (before, after) = name.split_once(PLACEHOLDER)?;
        (!before.is_empty() && !after.contains(PLACEHOLDER)).then_some(Self { before, after })
    }

    /// Whether the checkpoint `id` matches the pattern.
    pub(crate) fn means(&self, id: &str) -> bool {
        let Some(gap) = id
            .strip_prefix(self.before)
            .and_then(|rest| rest.strip_suffix(self.after))
        else {
            return false;
        };
        // `org/name-{}v1` and `org/name-7B{}`: what fills the placeholder must begin or end at a separator.
        let apart = gap.is_empty()
            || gap.starts_with(['-', '_'])
            || self.before.ends_with(['-', '_']) && (self.after.is_empty() || gap.ends_with(['-', '_']))
            || self.before.ends_with(['-', '_']) && self.after.starts_with(['-', '_']);
        let known = |word: &str| {
            let is_version = word
                .strip_prefix('v')
                .is_some_and(|number| number.starts_with(|digit: char| digit.is_ascii_digit()));
            WORDS.contains(&word) || is_version
        };
        apart
            && gap
                .to_ascii_lowercase()
                .split(['-', '_'])
                .filter(|word| !word.is_empty())
                .all(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_filled_by_words_of_tuning_alone() {
        let means = |pattern, id| Pattern::of(pattern).is_some_and(|pattern| pattern.means(id));
        for (pattern, id) in [
            ("org/Tiger3-3B{}", "org/Tiger3-3B"),
            ("org/Tiger3-3B{}", "org/Tiger3-3B-Base"),
            ("org/Tiger3-3B{}", "org/Tiger3-3B-Instruct"),
            ("org/tiger-7b{}-hf", "org/tiger-7b-hf"),
            ("org/tiger-7b{}-hf", "org/tiger-7b-chat-hf"),
            ("org/Tiger-7B-{}v0.1", "org/Tiger-7B-v0.1"),
            ("org/Tiger-7B-{}v0.1", "org/Tiger-7B-Instruct-v0.1"),
            ("org/Tiger-4B-{}-2507", "org/Tiger-4B-Thinking-2507"),
        ] {
            assert!(means(pattern, id), "{pattern} {id}");
        }
        for (pattern, id) in [
            ("org/Tiger3-3B{}", "other/Tiger3-3B-Base"),
            ("org/Tiger3-3B{}", "org/Tiger3-3B-Depth-Base"),
            ("org/Tiger3-3B{}", "org/Tiger3-3B-Vision"),
            ("org/Tiger3-3B{}", "org/Tiger3-3Base"),
            ("org/Tiger-4B-{}-2507", "org/Tiger-4B-2507"),
            ("org/Tiger", "org/Tiger"),
        ] {
            assert!(!means(pattern, id), "{pattern} {id}");
        }
    }
}
