//! Corpora of six styles included in the program, at least 60 kB each; `SOURCES.md` lists their origins and licences.
//!
//! They show how a measure depends on style. Each is from few authors, so a difference between two corpora may be
//! specific to these texts.

use crate::gradients::Sample;

/// A corpus: its name and its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corpus {
    /// `plain`, `mathematical`, `archaic`, `code`, `legal` or `dialogue`.
    pub name: &'static str,
    /// Texts of one or more lines, each followed by a line `%`.
    file: &'static str,
}

impl Corpus {
    /// The texts as samples, each split by [`halves`].
    pub fn samples(&self) -> Vec<Sample> {
        self.texts().iter().map(|text| halves(text)).collect()
    }

    /// The texts.
    pub fn texts(&self) -> Vec<String> {
        let all = self.file.split_terminator("\n%\n");
        all.map(str::to_owned).collect()
    }

    /// `n` evenly spaced texts, beginning with the first; all texts if there are no more than `n`.
    pub fn some(&self, n: usize) -> Vec<String> {
        let all = self.texts();
        let n = n.min(all.len());
        (0..n).map(|at| all[at * all.len() / n].clone()).collect()
    }
}

/// Splits a text at its middle space: the first half is the prompt, the rest the response.
pub fn halves(text: &str) -> Sample {
    let spaces: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    let middle = spaces.get(spaces.len() / 2).copied().unwrap_or(text.len());
    let (prompt, response) = text.split_at(middle);
    Sample {
        prompt: prompt.to_owned(),
        response: response.to_owned(),
    }
}

/// All six corpora.
pub static CORPORA: [Corpus; 6] = [
    Corpus {
        name: "plain",
        file: include_str!("plain.txt"),
    },
    Corpus {
        name: "mathematical",
        file: include_str!("mathematical.txt"),
    },
    Corpus {
        name: "archaic",
        file: include_str!("archaic.txt"),
    },
    Corpus {
        name: "code",
        file: include_str!("code.txt"),
    },
    Corpus {
        name: "legal",
        file: include_str!("legal.txt"),
    },
    Corpus {
        name: "dialogue",
        file: include_str!("dialogue.txt"),
    },
];

/// Number of texts taken from each corpus for calibration if none are named.
pub const CALIBRATION_TEXTS: usize = 12;

/// The corpus called `name`.
pub fn corpus(name: &str) -> Option<Corpus> {
    CORPORA.into_iter().find(|corpus| corpus.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{CORPORA, corpus, halves};

    #[test]
    fn each_corpus_has_sixty_kilobytes_and_is_found_by_name() {
        for of in CORPORA {
            assert_eq!(corpus(of.name), Some(of));
            let texts = of.texts();
            assert!(
                texts.iter().map(String::len).sum::<usize>() >= 60_000,
                "{}",
                of.name
            );
            let distinct: BTreeSet<&String> = texts.iter().collect();
            assert_eq!(distinct.len(), texts.len(), "{}", of.name);
            for (sample, text) in of.samples().iter().zip(&texts) {
                assert_eq!(&format!("{}{}", sample.prompt, sample.response), text);
                assert!((300..=2000).contains(&text.len()), "{}: {text}", of.name);
                assert!(sample.prompt.len() > 10 && sample.response.len() > 10, "{text}");
                assert!(
                    !text.contains(['\r', '\t', '\u{fffd}']) && !text.contains("Gutenberg"),
                    "{text}"
                );
            }
        }
        assert_eq!(corpus("verse"), None);
    }

    #[test]
    fn some_texts_lie_at_even_distances() {
        let plain = CORPORA[0];
        let all = plain.texts();
        assert_eq!(plain.some(2), [all[0].clone(), all[all.len() / 2].clone()]);
        assert_eq!(plain.some(10_000), all);
        assert!(plain.some(0).is_empty());
        assert_eq!(halves("a b c").response, " c");
    }
}
