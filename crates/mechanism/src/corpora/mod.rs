//! Small corpora of four styles that come with the program, sixteen texts each, one a line.
//!
//! Plain, mathematical and code are written for this project; archaic is the King James Bible and Shakespeare, in the
//! public domain. They show how a measure depends on style; they are too small to stand for English.

use crate::gradients::Sample;

/// A corpus: its name and its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corpus {
    /// `plain`, `mathematical`, `archaic` or `code`.
    pub name: &'static str,
    /// One text a line.
    lines: &'static str,
}

impl Corpus {
    /// The texts as samples: the first half of a text's words is given, the rest is the response.
    pub fn samples(&self) -> Vec<Sample> {
        let halves = |text: &str| {
            let spaces: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
            let middle = spaces.get(spaces.len() / 2).copied().unwrap_or(text.len());
            let (prompt, response) = text.split_at(middle);
            Sample {
                prompt: prompt.to_owned(),
                response: response.to_owned(),
            }
        };
        self.lines.lines().map(halves).collect()
    }

    /// The texts.
    pub fn texts(&self) -> Vec<String> {
        self.lines.lines().map(str::to_owned).collect()
    }
}

/// All four.
pub const CORPORA: [Corpus; 4] = [
    Corpus {
        name: "plain",
        lines: include_str!("plain.txt"),
    },
    Corpus {
        name: "mathematical",
        lines: include_str!("mathematical.txt"),
    },
    Corpus {
        name: "archaic",
        lines: include_str!("archaic.txt"),
    },
    Corpus {
        name: "code",
        lines: include_str!("code.txt"),
    },
];

/// The corpus called `name`.
pub fn corpus(name: &str) -> Option<Corpus> {
    CORPORA.into_iter().find(|corpus| corpus.name == name)
}

#[cfg(test)]
mod tests {
    use super::{CORPORA, corpus};

    #[test]
    fn each_corpus_has_sixteen_texts_and_is_found_by_name() {
        for of in CORPORA {
            assert_eq!(corpus(of.name), Some(of));
            let texts = of.texts();
            assert_eq!(texts.len(), 16);
            assert!(texts.iter().all(|text| text.len() > 40));
            for (sample, text) in of.samples().iter().zip(&texts) {
                assert_eq!(&format!("{}{}", sample.prompt, sample.response), text);
                assert!(sample.prompt.len() > 10 && sample.response.len() > 10, "{text}");
            }
        }
        assert_eq!(corpus("verse"), None);
    }
}
