//! Finds a base named within a name: the longest run of words that is the whole name of checkpoints with known
//! structure.
//!
//! `org/Qwen1.5-7B-Dutch-Chat` contains the name of `Qwen/Qwen1.5-7B`. Names are split into runs of letters and of
//! digits, so that `phi-2`, `phi2` and `Phi_2` are equal; words for the storage format (`GPTQ`, `4bit`, `hf`) are
//! ignored. A run counts only where all checkpoints with that name share a shape, and four in five of the known
//! checkpoints for which it is the longest such run have that shape too.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::known::Known;
use crate::resolve::admit::Asked;
use crate::resolve::pool::Pool;
use crate::resolve::template::Shape;

/// Words for the storage or file format, ignored at the end of a name.
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
/// Percentage of the checkpoints for which a name is the longest one contained that must have its shape.
const AGREE: u32 = 80;
/// Greatest number of words in a run that is looked up.
const LONGEST: usize = 12;

/// The checkpoints with known structure that share a name, reduced to what is needed to look it up.
#[derive(Debug)]
struct Group {
    /// The first two.
    first: [u32; 2],
    /// The first two without an organisation: the Hub's own, which others copied.
    canonical: [Option<u32>; 2],
    /// Up to three shapes with their counts: with more than two, leaving one member out cannot make them agree.
    shapes: Vec<(Shape, u32)>,
}

/// The checkpoints with one name; mostly there is only one.
#[derive(Debug)]
enum Members {
    One(u32),
    Several(Box<Group>),
}

/// Shapes by name; names are represented by the hash of their words. `holding` counts, for each name, the shapes of
/// checkpoints whose longest contained name it is.
pub(crate) struct Names {
    equal: HashMap<u64, Members>,
    holding: HashMap<u64, Vec<(Shape, u32)>>,
}

fn key(words: &[String]) -> u64 {
    let mut hash = DefaultHasher::new();
    words.hash(&mut hash);
    hash.finish()
}

fn is_canonical(id: &str, words: &[String]) -> bool {
    !id.contains('/') && tokens_kept(id, words)
}

impl Group {
    fn add(&mut self, at: u32, shape: Shape, canonical: bool) {
        if canonical && let Some(free) = self.canonical.iter_mut().find(|held| held.is_none()) {
            *free = Some(at);
        }
        if let Some(held) = self.shapes.iter_mut().find(|held| held.0 == shape) {
            held.1 += 1;
        } else if self.shapes.len() < 3 {
            self.shapes.push((shape, 1));
        }
    }

    /// The checkpoint that represents all, ignoring the one left out (given with its shape); `None` where shapes
    /// differ.
    fn agreed(&self, left_out: Option<(u32, Shape)>) -> Option<u32> {
        let other = |at: &u32| left_out.is_none_or(|(out, _)| out != *at);
        if let Some(own) = self.canonical.into_iter().flatten().find(other) {
            return Some(own);
        }
        let mut left = self
            .shapes
            .iter()
            .filter(|&&(shape, count)| count > u32::from(left_out.is_some_and(|(_, own)| own == shape)));
        left.next()?;
        if left.next().is_some() {
            return None;
        }
        self.first.into_iter().find(other)
    }
}

/// Runs of letters and of digits (with decimal points) in lower case, without the organisation and without words for
/// storage formats.
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

/// Whether no storage word was removed from a name.
fn tokens_kept(id: &str, words: &[String]) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    letters(id) == words.iter().map(|word| letters(word)).sum::<usize>()
}

/// Whether a run of words can be the name of a particular base: it contains a number as well as letters.
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

/// Runs of `words`, longest first, and from left to right among equally long ones.
fn runs(words: &[String]) -> impl Iterator<Item = &[String]> {
    (1..=words.len().min(LONGEST))
        .rev()
        .flat_map(move |length| words.windows(length))
        .filter(|run| tells(run))
}

impl Names {
    /// Indexes the names of all checkpoints in `known` with a known structure.
    pub(crate) fn of(pool: &Pool, known: &[Known]) -> Self {
        let mut names = Self {
            equal: HashMap::new(),
            holding: HashMap::new(),
        };
        let settled = || {
            known
                .iter()
                .enumerate()
                .filter_map(|(at, one)| Some((at as u32, one, one.shape()?)))
        };
        for (at, one, shape) in settled() {
            let words = tokens(&one.id);
            let members = match names.equal.entry(key(&words)) {
                Entry::Vacant(free) => {
                    free.insert(Members::One(at));
                    continue;
                }
                Entry::Occupied(held) => held.into_mut(),
            };
            if let Members::One(first) = *members {
                let one = &known[first as usize];
                let mut group = Group {
                    first: [first, at],
                    canonical: [None; 2],
                    shapes: Vec::new(),
                };
                let canonical = is_canonical(&one.id, &tokens(&one.id));
                group.add(first, one.shape().unwrap_or_default(), canonical);
                *members = Members::Several(Box::new(group));
            }
            if let Members::Several(group) = members {
                group.add(at, shape, is_canonical(&one.id, &words));
            }
        }
        for (at, one, shape) in settled() {
            let words = tokens(&one.id);
            let found = runs(&words).find_map(|run| {
                let key = key(run);
                Some((names.agreed(known, key, Some(at))?.0, key))
            });
            if let Some((_, key)) = found.filter(|&(told, _)| Asked::of(one).says(pool, told)) {
                let holding = names.holding.entry(key).or_default();
                match holding.iter_mut().find(|held| held.0 == shape) {
                    Some(held) => held.1 += 1,
                    None => holding.push((shape, 1)),
                }
            }
        }
        names
    }

    /// The structure shared by all checkpoints with exactly this name.
    pub(crate) fn equal(&self, known: &[Known], id: &str, left_out: Option<u32>) -> Option<(Shape, u32)> {
        self.agreed(known, key(&tokens(id)), left_out)
    }

    fn agreed(&self, known: &[Known], key: u64, left_out: Option<u32>) -> Option<(Shape, u32)> {
        let settled = |at: u32| known.get(at as usize).and_then(Known::shape);
        let at = match self.equal.get(&key)? {
            Members::One(at) => Some(*at).filter(|&at| Some(at) != left_out)?,
            Members::Several(group) => {
                group.agreed(left_out.and_then(|out| Some((out, member(known, out, key)?))))?
            }
        };
        Some((settled(at)?, at))
    }

    /// The structure indicated by the longest run of a name that `admits` accepts. `own`: the shape of the left-out
    /// checkpoint.
    pub(crate) fn held(
        &self,
        known: &[Known],
        at: u32,
        (left_out, own): (Option<u32>, Option<Shape>),
        mut admits: impl FnMut(Shape, u32) -> bool,
    ) -> Option<(Shape, u32)> {
        let words = tokens(&known.get(at as usize)?.id);
        for run in runs(&words) {
            let key = key(run);
            let Some((shape, at)) = self.agreed(known, key, left_out) else {
                continue;
            };
            let holding = self.holding.get(&key).map_or(&[][..], Vec::as_slice);
            let less = |&(of, count): &(Shape, u32)| count.saturating_sub(u32::from(own == Some(of)));
            let all: u32 = holding.iter().map(less).sum();
            let same = holding.iter().find(|held| held.0 == shape).map_or(0, less);
            if same * 100 >= all * AGREE && admits(shape, at) {
                return Some((shape, at));
            }
        }
        None
    }
}

/// The shape of checkpoint `at`, provided that it has this name.
fn member(known: &[Known], at: u32, name: u64) -> Option<Shape> {
    let one = known.get(at as usize)?;
    one.shape().filter(|_| key(&tokens(&one.id)) == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::Detail;

    fn known(id: &str, layers: i64) -> Known {
        Known {
            id: id.into(),
            details: Detail {
                dimensions: [Some(layers), Some(64), Some(256), Some(4), None, None, None],
                ..Detail::default()
            }
            .into(),
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
            Known {
                id: "x/latent_gpt2_medium_alpaca".into(),
                ..Known::default()
            },
            Known {
                id: "x/unnamed".into(),
                ..Known::default()
            },
        ];
        let names = Names::of(&Pool::of(&all), &all);
        let held = |at| {
            let told = names.held(&all, at, (None, None), |_, _| true);
            told.map(|(shape, _)| shape[0])
        };
        assert_eq!(held(3), Some(24));
        assert_eq!(held(4), None);
    }

    #[test]
    fn a_name_tells_what_all_but_the_one_left_out_agree_on() {
        let all = [
            known("a/one-7b", 12),
            known("b/one-7b", 12),
            known("c/one-7b", 24),
            known("d/one-7b", 12),
        ];
        let names = Names::of(&Pool::of(&all), &all);
        let told = |left_out| names.equal(&all, "e/One-7B", left_out).map(|(_, at)| at);
        assert_eq!(told(None), None);
        assert_eq!(told(Some(0)), None);
        assert_eq!(told(Some(2)), Some(0));
        let own = [known("a/one-7b", 12), known("one-7b", 24), known("b/one-7b", 12)];
        let names = Names::of(&Pool::of(&own), &own);
        let told = |left_out| names.equal(&own, "one-7b", left_out).map(|(_, at)| at);
        assert_eq!(
            (told(None), told(Some(0)), told(Some(1))),
            (Some(1), Some(1), Some(0))
        );
    }
}
