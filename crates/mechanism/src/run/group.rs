//! Groups of texts that pass through a layer together, and batches of groups that do so in parallel.

use std::ops::Range;

use crate::decoder::Segment;

/// Texts that pass through a layer together.
#[derive(Debug, Clone)]
pub struct Group {
    /// Index of the first text (or segment) in the run.
    pub first_text: usize,
    /// Token ids of all rows, concatenated.
    pub ids: Vec<u32>,
    /// The rows of each text.
    pub segments: Vec<Segment>,
}

impl Group {
    /// Packs texts in order into groups of at most `group_tokens` tokens; a longer text forms a group by itself.
    pub fn pack(texts: &[Vec<u32>], group_tokens: usize) -> Vec<Self> {
        let mut groups = Vec::new();
        let mut start = 0;
        while start < texts.len() {
            let mut end = start + 1;
            let mut tokens = texts[start].len();
            while end < texts.len() && tokens + texts[end].len() <= group_tokens {
                tokens += texts[end].len();
                end += 1;
            }
            let lengths: Vec<usize> = texts[start..end].iter().map(Vec::len).collect();
            groups.push(Self {
                first_text: start,
                ids: texts[start..end].concat(),
                segments: Segment::texts(&lengths),
            });
            start = end;
        }
        groups
    }
}

/// Maximum number of tokens of all groups in a batch; a single group may exceed it.
const SIDE_BY_SIDE: usize = 8192;

/// Batches of groups that pass through a layer in parallel, one thread each. Unless `together`, each group forms its
/// own batch, which uses all threads.
pub(super) fn batches(groups: &[Group], together: bool) -> Vec<Range<usize>> {
    let mut batches: Vec<Range<usize>> = Vec::new();
    let mut tokens = 0;
    for (i, group) in groups.iter().enumerate() {
        match batches.last_mut() {
            Some(batch) if together && tokens + group.ids.len() <= SIDE_BY_SIDE => {
                batch.end = i + 1;
                tokens += group.ids.len();
            }
            _ => {
                batches.push(i..i + 1);
                tokens = group.ids.len();
            }
        }
    }
    batches
}
