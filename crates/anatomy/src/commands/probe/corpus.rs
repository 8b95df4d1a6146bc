//! Texts of styles that come with the program, as probes are asked for them.

use anyhow::{Context, Result};
use clap::Args;
use mechanism::corpora::{CORPORA, Corpus, corpus};

#[derive(Debug, Args)]
pub(super) struct CorpusArgs {
    /// Texts that come with the program, of these styles side by side: plain, mathematical, archaic, code, legal, dialogue
    /// (at least 60 kB each, in 110 to 180 texts)
    #[arg(long, value_name = "NAMES")]
    corpus: Option<String>,
    /// Only so many texts of each corpus, at even distances
    #[arg(long, value_name = "NUM", requires = "corpus", value_parser = clap::value_parser!(u32).range(1..))]
    corpus_texts: Option<u32>,
}

impl CorpusArgs {
    /// Whether one was named.
    pub(super) fn is_named(&self) -> bool {
        self.corpus.is_some()
    }

    /// The texts of each corpus named.
    pub(super) fn texts(&self) -> Result<Vec<(String, Vec<String>)>> {
        let names = self.corpus.iter().flat_map(|names| names.split(','));
        names
            .map(|name| {
                let corpus = named_corpus(name.trim())?;
                let texts = match self.corpus_texts {
                    Some(n) => corpus.some(n as usize),
                    None => corpus.texts(),
                };
                Ok((corpus.name.to_owned(), texts))
            })
            .collect()
    }
}

/// One of the corpora that come with the program.
pub(super) fn named_corpus(name: &str) -> Result<Corpus> {
    let all: Vec<&str> = CORPORA.iter().map(|corpus| corpus.name).collect();
    corpus(name).with_context(|| {
        let meant = crate::near::hint(name, all.iter().copied());
        format!("no corpus named `{name}`{meant}; there are {}", all.join(", "))
    })
}
