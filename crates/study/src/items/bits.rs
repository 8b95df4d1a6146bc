//! Matrix of bits, packed into 64-bit words.

/// Bits of shape `(n_rows, n_columns)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bits {
    words: usize,
    bits: Vec<u64>,
}

impl Bits {
    /// A matrix of zeros.
    pub fn new(rows: usize, columns: usize) -> Self {
        let words = columns.div_ceil(64);
        Self {
            words,
            bits: vec![0; rows * words],
        }
    }

    /// The words of a row.
    pub fn row(&self, row: usize) -> &[u64] {
        &self.bits[row * self.words..(row + 1) * self.words]
    }

    /// One bit.
    pub fn get(&self, row: usize, column: usize) -> bool {
        self.bits[row * self.words + column / 64] >> (column % 64) & 1 == 1
    }

    /// Sets one bit.
    pub fn set(&mut self, row: usize, column: usize, to: bool) {
        let word = &mut self.bits[row * self.words + column / 64];
        let mask = 1 << (column % 64);
        *word = if to { *word | mask } else { *word & !mask };
    }

    /// Number of ones in a row.
    pub fn ones(&self, row: usize) -> usize {
        self.row(row).iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// Column indices of the ones in `words`, ascending.
pub(crate) fn places(words: impl Iterator<Item = u64>) -> Vec<usize> {
    let mut found = Vec::new();
    for (place, mut word) in words.enumerate() {
        while word != 0 {
            found.push(place * 64 + word.trailing_zeros() as usize);
            word &= word - 1;
        }
    }
    found
}
