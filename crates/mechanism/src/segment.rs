//! Runs of tokens that stand together: a text, or a piece of one whose beginning other texts share.

use std::ops::Range;

/// Tokens that follow each other, and what stands before them.
///
/// A text by itself has no `before`. A continuation of a shared beginning names the rows of that beginning, root first;
/// its tokens attend to them and to themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Rows of this segment in the activations.
    pub rows: Range<usize>,
    /// Rows of the shared beginning, in order of position.
    pub before: Vec<Range<usize>>,
    /// Position of the first row.
    pub position: usize,
    /// Length of the longest whole text this segment belongs to, tokens.
    pub length: usize,
}

impl Segment {
    /// Texts of these lengths, one after the other.
    pub fn texts(lengths: &[usize]) -> Vec<Self> {
        let mut start = 0;
        lengths
            .iter()
            .map(|&length| {
                let rows = start..start + length;
                start += length;
                Self {
                    rows,
                    before: Vec::new(),
                    position: 0,
                    length,
                }
            })
            .collect()
    }
}
