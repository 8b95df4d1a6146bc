//! Rounding weights as they are read to what a checkpoint of that type would hold.

use half::{bf16, f16};
use rayon::prelude::*;

/// What weights are rounded to, to nearest and ties to even. Activations and sums stay `f32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// As they are in the file.
    #[default]
    F32,
    /// Eight bits of fraction and sign, the range of `f32`.
    Bf16,
    /// Eleven bits of fraction and sign; beyond 65,504 infinite.
    F16,
}

impl Precision {
    /// Rounds values in place.
    pub(super) fn round(self, values: &mut [f32]) {
        let round: fn(f32) -> f32 = match self {
            Self::F32 => return,
            Self::Bf16 => |value| bf16::from_f32(value).to_f32(),
            Self::F16 => |value| f16::from_f32(value).to_f32(),
        };
        values
            .par_chunks_mut(1 << 16)
            .for_each(|chunk| chunk.iter_mut().for_each(|value| *value = round(*value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_to_what_the_type_holds() {
        let of = |precision: Precision, value: f32| {
            let mut values = [value];
            precision.round(&mut values);
            values[0]
        };
        let third = 1.0_f32 / 3.0;
        assert_eq!(of(Precision::F32, third), third);
        assert_eq!(of(Precision::Bf16, third), 171.0 / 512.0);
        assert_eq!(of(Precision::F16, third), 1365.0 / 4096.0);
        assert_eq!(of(Precision::Bf16, 1e30), bf16::from_f32(1e30).to_f32());
        assert_eq!(of(Precision::F16, 1e30), f32::INFINITY);
    }
}
