//! Emulates the tile instructions, for tests on CPUs without them.

use super::kernel::{Left, Right, Sum, Tile};

/// `sum = left·right`, or `sum += left·right` if `add`: the same products of terms as in the kernel, in another order.
pub(super) fn multiply(left: &[Left], right: &[Right], terms: usize, sum: &mut Sum, add: bool) {
    if !add {
        *sum = Sum::ZERO;
    }
    for (Left(left), Right(right)) in left.iter().zip(right) {
        for (of_left, left) in left.iter().enumerate() {
            for (of_right, right) in right.iter().enumerate().take(terms.max(1)) {
                if of_left + of_right < 3 {
                    for (sum, right) in sum.0.iter_mut().zip(right) {
                        product(left, right, sum);
                    }
                }
            }
        }
    }
}

/// Emulates `tdpbf16ps`: multiplies both numbers of each pair of a left-hand line with those of a right-hand column.
/// Rounds once per line, whereas the instruction rounds more often.
fn product(left: &Tile, right: &Tile, sum: &mut [[f32; 16]; 16]) {
    let halves = |pair: u32| [pair << 16, pair & 0xffff_0000].map(|bits| f64::from(f32::from_bits(bits)));
    for (left, sum) in left.iter().zip(sum) {
        let mut line = sum.map(f64::from);
        for (pair, right) in left.iter().zip(right) {
            let [lower, upper] = halves(*pair);
            for (other, sum) in right.iter().zip(&mut line) {
                let [below, above] = halves(*other);
                *sum += lower * below + upper * above;
            }
        }
        *sum = line.map(|sum| sum as f32);
    }
}
