//! Numbers that start on a cache line, in rows padded to whole vectors.

/// Numbers per padded unit of width: the widest vector of a processor at hand.
pub(super) const LANES: usize = 16;
const LINE: usize = 64;

/// `width` rounded up to whole vectors.
pub(super) fn padded(width: usize) -> usize {
    width.next_multiple_of(LANES)
}

/// A fixed number of zeros to begin with, aligned.
pub(super) struct Aligned {
    values: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    pub(super) fn zeros(len: usize) -> Self {
        let values = vec![0.0_f32; len + LINE / size_of::<f32>()];
        // `usize::MAX` where alignment cannot be had: then any start does.
        let start = values.as_ptr().align_offset(LINE);
        let start = if start + len <= values.len() { start } else { 0 };
        Self { values, start, len }
    }

    pub(super) fn get(&self) -> &[f32] {
        &self.values[self.start..self.start + self.len]
    }

    pub(super) fn get_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..self.start + self.len]
    }
}
