//! Which checkpoint a board means: the rules by which ids of different boards are one, in one place.
//!
//! Boards write one checkpoint in many ways: another case, an owner who has since been renamed, a provider's name before
//! it, a way of thinking behind it, no owner at all. A rule joins a name to a checkpoint only where exactly one fits; where
//! two fit there is no join, and where none fits the name stays apart. `-it`, `-Instruct`, `-Base` and dates tell
//! checkpoints apart and are never dropped.
//!
//! | rule | what it says |
//! | --- | --- |
//! | `same` | the id as it stands |
//! | `case` | the same letters in another case, one kind of dash, and of Meta's with or without its name before |
//! | `owner_renamed` | the same name under an owner's other account ([`publishers`]) |
//! | `name` | a name without an owner, of an organisation whose accounts are known |
//! | `format` | the same, where the publisher's repository ends in `-hf` (the same weights in another file format) |

mod publishers;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub(crate) use publishers::ANY;
use publishers::{accounts, canonical};

/// The Hub's own old checkpoints, whose ids have no owner; other names without one are what boards print of closed models
/// and what projects call their files.
const WITHOUT_OWNER: [&str; 7] = [
    "gpt2",
    "gpt2-medium",
    "gpt2-large",
    "gpt2-xl",
    "distilgpt2",
    "openai-gpt",
    "ctrl",
];

/// What a name was joined to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Joined {
    /// One checkpoint, and the rule.
    To(String, &'static str),
    /// Several fit: none is taken.
    Several(Vec<String>),
    /// None fits.
    Unknown,
}

/// The checkpoints that sources have named, to be found by what other sources call them.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// By folded owner and name.
    by_key: HashMap<String, Vec<Box<str>>>,
}

impl Identities {
    /// Of these ids, those that come first being preferred where one checkpoint stands under two accounts of its owner.
    pub(crate) fn of<'a>(ids: impl Iterator<Item = &'a str>) -> Self {
        let mut by_key: HashMap<String, Vec<Box<str>>> = HashMap::new();
        for id in ids.filter(|id| id.contains('/') || WITHOUT_OWNER.contains(id)) {
            let held = by_key.entry(key_of(id)).or_default();
            if !held.iter().any(|known| **known == *id) {
                held.push(id.into());
            }
        }
        Self { by_key }
    }

    /// The checkpoint of an `owner/name`.
    pub(crate) fn of_id(&self, id: &str) -> Joined {
        let Some(held) = self.by_key.get(&key_of(id)) else {
            return Joined::Unknown;
        };
        if held.iter().any(|known| **known == *id) {
            return Joined::To(id.to_owned(), "same");
        }
        let owner = |id: &str| id.split_once('/').map_or("", |(owner, _)| owner).to_lowercase();
        let own: Vec<&str> = held
            .iter()
            .map(|known| &**known)
            .filter(|known| owner(known) == owner(id))
            .collect();
        match (own.as_slice(), held.as_slice()) {
            ([one], _) => Joined::To((*one).to_owned(), "case"),
            ([], [one]) => Joined::To(one.to_string(), "owner_renamed"),
            _ => Joined::Several(held.iter().map(ToString::to_string).collect()),
        }
    }

    /// The checkpoint that a name without an owner means, of an organisation as people write it (several with commas).
    pub(crate) fn of_name(&self, name: &str, organisation: &str) -> Joined {
        let name = without_provider(name);
        if name.contains('/')
            && let found @ Joined::To(..) = self.of_id(name)
        {
            return found;
        }
        let bare = name.rsplit('/').next().unwrap_or(name);
        let owners: Vec<&str> = organisation
            .split(',')
            .flat_map(|one| accounts(one.trim()))
            .collect();
        // Boards run the format that libraries load: where a publisher has the same weights in two, that one is meant.
        for (tail, rule) in [("-hf", "format"), ("", "name")] {
            let mut found: Vec<&str> = Vec::new();
            for owner in &owners {
                let prefix = if owner.is_empty() {
                    String::new()
                } else {
                    format!("{owner}/")
                };
                let held = self.by_key.get(&key_of(&format!("{prefix}{bare}{tail}")));
                // Of one owner's two accounts the first known stands for both.
                if let Some(first) = held.and_then(|held| held.first())
                    && !found.contains(&&**first)
                {
                    found.push(first);
                }
            }
            match found.as_slice() {
                [] => {}
                [one] => return Joined::To((*one).to_owned(), rule),
                several => return Joined::Several(several.iter().map(ToString::to_string).collect()),
            }
        }
        Joined::Unknown
    }

    /// Groups of ids that differ only in case or in an owner's account: what stays two checkpoints in the catalog.
    pub(crate) fn apart(&self) -> Vec<Vec<String>> {
        let mut groups: Vec<Vec<String>> = self
            .by_key
            .values()
            .filter(|held| held.len() > 1)
            .map(|held| held.iter().map(ToString::to_string).collect())
            .collect();
        groups.sort();
        groups
    }
}

/// Owner and name folded: owners by their one account, names in lower case with one kind of dash.
fn key_of(id: &str) -> String {
    let (owner, name) = id.split_once('/').unwrap_or(("", id));
    let owner = owner.to_lowercase();
    let owner = canonical(&owner);
    let mut name = folded(name);
    // Meta's repositories began with the maker's name until 2024-12 and lost it then.
    if owner == "meta-llama"
        && let Some(rest) = name.strip_prefix("meta-")
    {
        name = rest.to_owned();
    }
    format!("{owner}/{name}")
}

/// A name in lower case, with `-` for blanks, dots, underscores and brackets.
fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for letter in name.trim().chars() {
        let letter = match letter {
            ' ' | '_' | '.' | '(' | ')' => '-',
            other => other,
        };
        if letter != '-' || !folded.ends_with('-') {
            folded.extend(letter.to_lowercase());
        }
    }
    folded.trim_matches('-').to_owned()
}

/// Services that run others' checkpoints and put their name before.
const PROVIDERS: [&str; 9] = [
    "chutes/",
    "fireworks/",
    "together/",
    "deepinfra/",
    "openrouter/",
    "groq/",
    "novita/",
    "nebius/",
    "parasail-",
];

/// A name without the provider that ran it.
fn without_provider(name: &str) -> &str {
    PROVIDERS
        .iter()
        .find_map(|provider| name.strip_prefix(provider))
        .unwrap_or(name)
}

/// Engines that `OpenCompass` puts behind a name.
const ENGINES: [&str; 6] = ["-hf", "-vllm", "-turbomind", "-lmdeploy", "-pytorch", "-sglang"];

/// A name without the engine that ran it; publishers' own `-hf` is found again by the rule `format`.
pub(crate) fn without_engine(name: &str) -> &str {
    ENGINES
        .iter()
        .find_map(|engine| name.strip_suffix(engine))
        .unwrap_or(name)
}

/// Words behind a name that say how the same weights were run, with the mode in the catalog's words.
const MODES: [(&str, &str); 15] = [
    ("#thinking", "thinking"),
    ("#no-thinking", "no-thinking"),
    ("#none", "no-thinking"),
    ("#minimal", "effort minimal"),
    ("#low", "effort low"),
    ("#medium", "effort medium"),
    ("#high", "effort high"),
    ("#xhigh", "effort xhigh"),
    ("_thinking", "thinking"),
    ("_minimal", "effort minimal"),
    ("_low", "effort low"),
    ("_medium", "effort medium"),
    ("_high", "effort high"),
    ("_xhigh", "effort xhigh"),
    ("_unknown", "effort not stated"),
];

/// A name without what says how it was run, and that mode: `gpt-oss-120b_high`, `Qwen/Qwen3-8B#no-thinking`,
/// `QwQ-32B (16K thinking)`.
pub(crate) fn mode_of(name: &str) -> (&str, Option<String>) {
    let name = name.trim();
    if let Some((bare, mode)) = MODES
        .iter()
        .find_map(|(mark, mode)| Some((name.strip_suffix(mark)?, *mode)))
    {
        return (bare, Some(mode.to_owned()));
    }
    if let Some((bare, inside)) = name.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("))
        && inside.contains("thinking")
    {
        return (bare, Some(inside.to_owned()));
    }
    // Other words behind a `#` are settings of the run too (`#slow-tokenizer`).
    match name.split_once('#') {
        Some((bare, word)) if !word.is_empty() => (bare, Some(word.to_owned())),
        _ => (name, None),
    }
}
