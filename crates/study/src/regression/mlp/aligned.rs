//! Buffers aligned to cache lines, with rows padded to whole vectors.

/// Padding unit in numbers: the widest vector of common processors.
pub(super) const LANES: usize = 16;
const LINE: usize = 64;

/// `width` rounded up to whole vectors.
pub(super) fn padded(width: usize) -> usize {
    width.next_multiple_of(LANES)
}

/// An aligned buffer of fixed length, initially zero.
pub(super) struct Aligned {
    values: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    pub(super) fn zeros(len: usize) -> Self {
        let values = vec![0.0_f32; len + LINE / size_of::<f32>()];
        // `usize::MAX` where alignment is impossible: then any start is used.
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
