//! Rounds weights, as they are read, to the values that a checkpoint of a given type would hold.

use half::{bf16, f16};
use rayon::prelude::*;

/// The type to which weights are rounded (to nearest, ties to even). Activations and sums stay in `f32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// No rounding.
    #[default]
    F32,
    /// A significand of 8 bits, with the range of `f32`.
    Bf16,
    /// A significand of 11 bits; values beyond 65,504 become infinite.
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
