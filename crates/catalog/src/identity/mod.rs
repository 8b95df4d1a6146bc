//! Matches the names that boards use to checkpoints: all rules by which different spellings mean one checkpoint.
//!
//! Boards spell one checkpoint in many ways: in another case, with an owner who has since been renamed, with a
//! provider's name in front, with a reasoning mode appended, or without an owner. A rule matches a name to a checkpoint
//! only where exactly one fits; where two fit nothing is matched, and where none fits the name stays separate. `-it`,
//! `-Instruct`, `-Base` and dates distinguish checkpoints and are never dropped.
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

/// The Hub's own old checkpoints, whose ids have no owner. All other names without an owner are closed models or file
/// names of projects.
const WITHOUT_OWNER: [&str; 7] = [
    "gpt2",
    "gpt2-medium",
    "gpt2-large",
    "gpt2-xl",
    "distilgpt2",
    "openai-gpt",
    "ctrl",
];

/// The result of matching a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Joined {
    /// One checkpoint, and the rule by which it was matched.
    To(String, &'static str),
    /// Several checkpoints fit, and none is taken.
    Several(Vec<String>),
    /// No checkpoint fits.
    Unknown,
}

/// The checkpoints that sources have named, indexed so that other spellings find them.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// Ids by normalised owner and name.
    by_key: HashMap<String, Vec<Box<str>>>,
}

impl Identities {
    /// Indexes these ids; where one checkpoint is under two accounts of its owner, the id that comes first is
    /// preferred.
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

    /// The checkpoint that an `owner/name` means.
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

    /// The checkpoint that a name without an owner means; `organisation` is the owner as people write it (several
    /// separated by commas).
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
        // Boards run the format that libraries load: where a publisher has the same weights in two formats, the `-hf`
        // one is meant.
        for (tail, rule) in [("-hf", "format"), ("", "name")] {
            let mut found: Vec<&str> = Vec::new();
            for owner in &owners {
                let prefix = if owner.is_empty() {
                    String::new()
                } else {
                    format!("{owner}/")
                };
                let held = self.by_key.get(&key_of(&format!("{prefix}{bare}{tail}")));
                // Of two accounts of the same owner, the id that came first stands for both.
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

    /// Groups of ids that differ only in case or in an owner's account, and stay separate checkpoints in the catalog.
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

/// Normalised owner and name: owners by their canonical account, names in lower case with one kind of dash.
fn key_of(id: &str) -> String {
    let (owner, name) = id.split_once('/').unwrap_or(("", id));
    let owner = owner.to_lowercase();
    let owner = canonical(&owner);
    let mut name = folded(name);
    // Names in Meta's repositories began with `Meta-` until 2024-12.
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

/// Services that run other publishers' checkpoints and put their own name in front.
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

/// A name without the provider in front of it.
fn without_provider(name: &str) -> &str {
    PROVIDERS
        .iter()
        .find_map(|provider| name.strip_prefix(provider))
        .unwrap_or(name)
}

/// Engines that `OpenCompass` appends to a name.
const ENGINES: [&str; 6] = ["-hf", "-vllm", "-turbomind", "-lmdeploy", "-pytorch", "-sglang"];

/// A name without the engine appended to it; a publisher's own `-hf` is matched again by the rule `format`.
pub(crate) fn without_engine(name: &str) -> &str {
    ENGINES
        .iter()
        .find_map(|engine| name.strip_suffix(engine))
        .unwrap_or(name)
}

/// Suffixes of names that state how the weights were run, with the mode as the catalog writes it.
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

/// A name without the suffix that states how the weights were run, and that mode: `gpt-oss-120b_high`,
/// `Qwen/Qwen3-8B#no-thinking`, `QwQ-32B (16K thinking)`.
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
    // Other words after a `#` are settings of the run too (`#slow-tokenizer`).
    match name.split_once('#') {
        Some((bare, word)) if !word.is_empty() => (bare, Some(word.to_owned())),
        _ => (name, None),
    }
}
