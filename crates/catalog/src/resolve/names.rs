//! A base named in a name: the longest run of its words that is the whole name of exactly known checkpoints.
//!
//! `org/Qwen1.5-7B-Dutch-Chat` holds the name of `Qwen/Qwen1.5-7B`. Names are read as runs of letters and of digits, so
//! that `phi-2`, `phi2` and `Phi_2` are one name; what they say of how weights are stored (`GPTQ`, `4bit`, `hf`) does not
//! count. A run tells something only where the checkpoints that are named so share a shape, and four in five of those for
//! which it is the longest such run have that shape too.

use std::collections::{BTreeMap, HashMap};

use crate::gather::Known;
use crate::resolve::pool::{Pool, Shape};

/// Words of how weights are stored or what file they come in, at the end of a name.
const STORAGE: [&str; 22] = [
    "gptq",
    "awq",
    "gguf",
    "ggml",
    "hf",
    "fp",
    "bf",
    "bnb",
    "bit",
    "int",
    "exl",
    "mlx",
    "sharded",
    "quantized",
    "safetensors",
    "g",
    "nf",
    "q",
    "16",
    "8",
    "4",
    "128",
];
/// Per cent of those for which a name is the longest one held that must have its shape.
const AGREE: u32 = 80;
/// Words of the longest run looked up.
const LONGEST: usize = 12;

/// A settled checkpoint of one name.
#[derive(Debug, Clone, Copy)]
struct Named {
    shape: Shape,
    at: u32,
    /// Without an organisation: the Hub's own, of which others are copies.
    canonical: bool,
}

/// Shapes by name.
pub(crate) struct Names {
    equal: HashMap<String, Vec<Named>>,
    holding: HashMap<String, BTreeMap<Shape, u32>>,
}

/// Runs of letters and of digits (with their points), lower case, without the organisation and without words of storage.
pub(crate) fn tokens(id: &str) -> Vec<String> {
    let name = id.rsplit('/').next().unwrap_or(id).to_ascii_lowercase();
    let mut tokens: Vec<String> = Vec::new();
    let mut kind = 0;
    let letters: Vec<char> = name.chars().collect();
    for (at, &letter) in letters.iter().enumerate() {
        let point = letter == '.' && kind == 1 && letters.get(at + 1).is_some_and(char::is_ascii_digit);
        let now = match letter {
            _ if letter.is_ascii_digit() || point => 1,
            _ if letter.is_alphabetic() => 2,
            _ => 0,
        };
        if now != 0 {
            match tokens.last_mut().filter(|_| now == kind) {
                Some(last) => last.push(letter),
                None => tokens.push(letter.to_string()),
            }
        }
        kind = now;
    }
    while tokens.len() > 1 && tokens.last().is_some_and(|last| STORAGE.contains(&last.as_str())) {
        tokens.pop();
    }
    tokens
}

/// Whether no word of storage was taken off a name.
fn tokens_kept(id: &str, words: &[String]) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    letters(id) == words.iter().map(|word| letters(word)).sum::<usize>()
}

/// Whether a run of words is a name that can mean one base: a number beside some letters.
fn tells(run: &[String]) -> bool {
    let digits = run
        .iter()
        .any(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let letters: usize = run
        .iter()
        .filter(|word| word.starts_with(char::is_alphabetic))
        .map(String::len)
        .sum();
    digits
        && letters >= 3
        && run
            .first()
            .is_some_and(|word| word.starts_with(char::is_alphabetic))
}

/// Runs of `words`, the longest first, and of equally long ones the first.
fn runs(words: &[String]) -> impl Iterator<Item = &[String]> {
    (1..=words.len().min(LONGEST))
        .rev()
        .flat_map(move |length| words.windows(length))
        .filter(|run| tells(run))
}

impl Names {
    /// The names of all that is settled in `known`.
    pub(crate) fn of(pool: &Pool, known: &[Known]) -> Self {
        let mut names = Self {
            equal: HashMap::new(),
            holding: HashMap::new(),
        };
        let settled = || {
            known
                .iter()
                .enumerate()
                .filter_map(|(at, one)| Some((at as u32, one, one.settled()?)))
        };
        for (at, one, shape) in settled() {
            let words = tokens(&one.id);
            names.equal.entry(words.join(" ")).or_default().push(Named {
                shape,
                at,
                canonical: !one.id.contains('/') && tokens_kept(&one.id, &words),
            });
        }
        for (at, one, shape) in settled() {
            let words = tokens(&one.id);
            let told = |key: String| Some((names.agreed(&key, Some(at))?.0, key));
            let found = runs(&words).find_map(|run| told(run.join(" ")));
            if let Some((_, key)) = found.filter(|&(told, _)| pool.says(one, told)) {
                *names.holding.entry(key).or_default().entry(shape).or_insert(0) += 1;
            }
        }
        names
    }

    /// The one structure of all checkpoints of that whole name.
    pub(crate) fn equal(&self, id: &str, left_out: Option<u32>) -> Option<(Shape, u32)> {
        self.agreed(&tokens(id).join(" "), left_out)
    }

    fn agreed(&self, key: &str, left_out: Option<u32>) -> Option<(Shape, u32)> {
        let members = || {
            self.equal
                .get(key)
                .into_iter()
                .flatten()
                .filter(|member| Some(member.at) != left_out)
        };
        if let Some(own) = members().find(|member| member.canonical) {
            return Some((own.shape, own.at));
        }
        let first = members().next()?;
        members()
            .all(|member| member.shape == first.shape)
            .then_some((first.shape, first.at))
    }

    /// What the runs of a name say, the longest first, where `admits` allows it. `own`: the shape of the one left out.
    pub(crate) fn held(
        &self,
        id: &str,
        left_out: Option<u32>,
        own: Option<Shape>,
        mut admits: impl FnMut(Shape, u32) -> bool,
    ) -> Option<(Shape, u32)> {
        let words = tokens(id);
        for run in runs(&words) {
            let key = run.join(" ");
            if !self.equal.contains_key(&key) {
                continue;
            }
            let Some((shape, at)) = self.agreed(&key, left_out) else {
                continue;
            };
            let holding = self.holding.get(&key);
            let less = |of: Shape, count: u32| count.saturating_sub(u32::from(own == Some(of)));
            let all: u32 = holding
                .into_iter()
                .flatten()
                .map(|(&of, &count)| less(of, count))
                .sum();
            let same = less(
                shape,
                holding
                    .and_then(|counts| counts.get(&shape))
                    .copied()
                    .unwrap_or(0),
            );
            if same * 100 >= all * AGREE && admits(shape, at) {
                return Some((shape, at));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: &str, layers: i64) -> Known {
        Known {
            id: id.into(),
            dimensions: [Some(layers), Some(64), Some(256), Some(4), None, None, None],
            ..Known::default()
        }
    }

    #[test]
    fn a_name_is_read_as_runs_of_letters_and_digits() {
        assert_eq!(tokens("x/Phi_2"), tokens("y/phi-2"));
        assert_eq!(tokens("x/Qwen1.5-7B-GPTQ"), ["qwen", "1.5", "7", "b"]);
        assert_eq!(tokens("x/日本-7b"), ["日本", "7", "b"]);
    }

    #[test]
    fn the_longest_name_held_tells() {
        let all = [
            known("gpt2", 12),
            known("gpt2-medium", 24),
            known("z/other-3b", 7),
        ];
        let names = Names::of(&Pool::of(&all), &all);
        let held = |id: &str| names.held(id, None, None, |_, _| true).map(|(shape, _)| shape[0]);
        assert_eq!(held("x/latent_gpt2_medium_alpaca"), Some(24));
        assert_eq!(held("x/unnamed"), None);
    }
}
