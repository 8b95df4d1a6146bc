//! The innermost product: 16 rows times 32 columns, step by step along the inner dimension, with four tiles.

use std::arch::asm;

/// Number of rows computed at once: one tile.
pub(super) const HIGH: usize = 16;
/// Number of columns computed at once: two tiles.
pub(super) const WIDE: usize = 32;
/// Length of one step along the inner dimension.
pub(super) const DEPTH: usize = 32;

/// A tile: 16 rows of 16 pairs of bf16.
pub(super) type Tile = [[u32; 16]; 16];

/// The three bf16 terms of 16 rows for one step.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Left(pub(super) [Tile; 3]);

/// The three bf16 terms of 32 columns for one step.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Right(pub(super) [[Tile; 2]; 3]);

/// Sums for 16 rows and 32 columns: first the left 16 columns, then the right.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Sum(pub(super) [[[f32; 16]; 16]; 2]);

impl Left {
    pub(super) const ZERO: Self = Self([[[0; 16]; 16]; 3]);
}

impl Right {
    pub(super) const ZERO: Self = Self([[[[0; 16]; 16]; 2]; 3]);
}

impl Sum {
    pub(super) const ZERO: Self = Self([[[0.0; 16]; 16]; 2]);
}

/// This thread's tile registers, configured until the value is dropped.
pub(super) struct Tiles(());

#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_a_row: [u16; 16],
    rows: [u8; 16],
}

impl Tiles {
    /// # Panics
    /// If the CPU has no tiles.
    #[expect(unsafe_code, reason = "sets the shape of this thread's tiles")]
    pub(super) fn configured() -> Self {
        #[cfg(test)]
        if !super::available() {
            return Self(());
        }
        assert!(super::available(), "no tiles");
        let mut configuration = Configuration {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            bytes_a_row: [0; 16],
            rows: [0; 16],
        };
        configuration.bytes_a_row[..4].fill(64);
        configuration.rows[..4].fill(16);
        // SAFETY: the process has tiles, as asserted; 64 bytes are read.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const configuration, options(nostack, readonly)) };
        Self(())
    }
}

impl Drop for Tiles {
    #[expect(unsafe_code, reason = "gives this thread's tiles back")]
    fn drop(&mut self) {
        #[cfg(test)]
        if !super::available() {
            return;
        }
        // SAFETY: as for `configured`.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// `sum = left·right`, or `sum += left·right` if `add`; only `terms` terms of the right-hand side are not all zero.
///
/// Tiles 0 and 1 hold the sum, 2 a term of the right-hand side, 3 one of the left. Using more tiles would need fewer
/// loads, but a core that is shared seems to lack the registers for renaming eight tiles: there, twelve products were
/// measured to take 720 cycles instead of 320.
///
/// # Panics
/// If the two sides differ in their number of steps, or have none.
#[expect(unsafe_code, reason = "tiles are reached by instructions alone")]
pub(super) fn multiply(_: &Tiles, left: &[Left], right: &[Right], terms: usize, sum: &mut Sum, add: bool) {
    assert!(
        left.len() == right.len() && !left.is_empty(),
        "steps of both sides"
    );
    #[cfg(test)]
    if !super::available() {
        super::portable::multiply(left, right, terms, sum, add);
        return;
    }
    let steps = match terms {
        0 | 1 => one,
        2 => two,
        _ => three,
    };
    // SAFETY: tiles are configured while `Tiles` lives; both sides have equally many steps.
    unsafe { steps(left.as_ptr(), right.as_ptr(), left.len(), sum, add) };
}

macro_rules! left {
    ($term:literal) => {
        concat!("tileloadd tmm3, [{a} + {row}*1 + 1024*", $term, "]\n")
    };
}

macro_rules! right {
    ($term:literal, $half:literal) => {
        concat!(
            "tileloadd tmm2, [{b} + {row}*1 + 2048*",
            $term,
            " + 1024*",
            $half,
            "]\n"
        )
    };
}

/// A product added to one half of the sum; meanwhile some lines of the next step's left-hand side are prefetched.
macro_rules! onto {
    ($half:literal, $($line:literal)*) => {
        concat!(
            "tdpbf16ps tmm", $half, ", tmm3, tmm2\n",
            $("prefetcht0 [{a} + 3072 + 64*", $line, "]\n",)*
        )
    };
}

/// Defines a function that performs these products for every step, ordered so that most reuse a tile of the one before.
macro_rules! steps {
    ($name:ident, $($product:expr),+) => {
        /// # Safety
        /// This thread's tiles are configured, and `n` steps (at least one) of either side may be read.
        #[expect(unsafe_code, reason = "tiles are reached by instructions alone")]
        unsafe fn $name(left: *const Left, right: *const Right, n: usize, sum: &mut Sum, add: bool) {
            // SAFETY: each of the `n` rounds reads one step of either side; the sum is read and written whole;
            // prefetching beyond the end of the left-hand side has no effect.
            unsafe {
                asm!(
                    "test {add:e}, {add:e}",
                    "jz 2f",
                    "tileloadd tmm0, [{c} + {row}*1]",
                    "tileloadd tmm1, [{c} + {row}*1 + 1024]",
                    "jmp 3f",
                    "2:",
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "3:",
                    $($product,)+
                    "add {a}, 3072",
                    "add {b}, 6144",
                    "dec {n}",
                    "jnz 3b",
                    "tilestored [{c} + {row}*1], tmm0",
                    "tilestored [{c} + {row}*1 + 1024], tmm1",
                    a = inout(reg) left => _,
                    b = inout(reg) right => _,
                    n = inout(reg) n => _,
                    c = in(reg) std::ptr::from_mut(sum),
                    row = in(reg) 64_usize,
                    add = in(reg) u32::from(add),
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    options(nostack),
                );
            }
        }
    };
}

steps!(
    one,
    left!(0),
    right!(0, 0),
    onto!(0, 0 1 2 3 4 5 6 7),
    right!(0, 1),
    onto!(1, 8 9 10 11 12 13 14 15),
    left!(1),
    onto!(1, 16 17 18 19 20 21 22 23),
    right!(0, 0),
    onto!(0, 24 25 26 27 28 29 30 31),
    left!(2),
    onto!(0, 32 33 34 35 36 37 38 39),
    right!(0, 1),
    onto!(1, 40 41 42 43 44 45 46 47)
);

steps!(
    two,
    left!(0),
    right!(0, 0),
    onto!(0, 0 1 2 3 4),
    right!(0, 1),
    onto!(1, 5 6 7 8 9),
    left!(2),
    onto!(1, 10 11 12 13 14),
    right!(0, 0),
    onto!(0, 15 16 17 18 19),
    left!(1),
    onto!(0, 20 21 22 23 24),
    right!(0, 1),
    onto!(1, 25 26 27 28 29),
    right!(1, 1),
    onto!(1, 30 31 32 33 34),
    right!(1, 0),
    onto!(0, 35 36 37 38 39),
    left!(0),
    onto!(0, 40 41 42 43),
    right!(1, 1),
    onto!(1, 44 45 46 47)
);

steps!(
    three,
    left!(0),
    right!(0, 0),
    onto!(0, 0 1 2 3),
    right!(0, 1),
    onto!(1, 4 5 6 7),
    left!(2),
    onto!(1, 8 9 10 11),
    right!(0, 0),
    onto!(0, 12 13 14 15),
    left!(1),
    onto!(0, 16 17 18 19),
    right!(0, 1),
    onto!(1, 20 21 22 23),
    right!(1, 1),
    onto!(1, 24 25 26 27),
    right!(1, 0),
    onto!(0, 28 29 30 31),
    left!(0),
    onto!(0, 32 33 34 35),
    right!(1, 1),
    onto!(1, 36 37 38 39),
    right!(2, 1),
    onto!(1, 40 41 42 43),
    right!(2, 0),
    onto!(0, 44 45 46 47)
);
