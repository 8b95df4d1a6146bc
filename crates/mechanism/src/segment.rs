//! Segments: runs of consecutive tokens that form a text, or a piece of one whose prefix is shared with other texts.

use std::ops::Range;

/// Consecutive tokens of a text, with the rows of the tokens that precede them.
///
/// For a text by itself `before` is empty. After a shared prefix, it holds the rows of the prefix from the root of the
/// tree on; the segment's tokens attend to these rows and to each other (causally).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Rows of this segment in the activations.
    pub rows: Range<usize>,
    /// Rows of the shared prefix, in order of position.
    pub before: Vec<Range<usize>>,
    /// Position of the segment's first token in its text.
    pub position: usize,
    /// Length of the longest text to which this segment belongs, tokens.
    pub length: usize,
}

impl Segment {
    /// Segments for whole texts of these lengths, one after the other.
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
