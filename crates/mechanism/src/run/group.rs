//! Texts that go through a block together, and groups that do so side by side.

use std::ops::Range;

use crate::decoder::Segment;

/// Texts that go through a block together.
#[derive(Debug, Clone)]
pub struct Group {
    /// Number of the first text (or segment) in the run.
    pub first_text: usize,
    /// Token ids of all rows.
    pub ids: Vec<u32>,
    /// The texts' rows.
    pub segments: Vec<Segment>,
}

impl Group {
    /// Packs texts in their order into groups of about `group_tokens`.
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

/// Tokens of all groups that go side by side at most; one longer group still goes alone.
const SIDE_BY_SIDE: usize = 8192;

/// Groups that go through a layer side by side, one to a thread; each alone, with all threads, unless `together`.
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
