//! Pseudo-random numbers from a seed: xoshiro256++ (Blackman and Vigna 2021, <https://doi.org/10.1145/3460772>).
//!
//! Implemented here so that folds and bootstraps of a seed do not change with versions of other crates, and so that the
//! many draws of the forests are inlined.

/// A stream of random numbers, determined by seed and stream number.
#[derive(Debug, Clone)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// Stream `stream` of `seed`. Use one stream per tree, resample or repeat, so that results do not depend on
    /// threads.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut mixed = split_mix(seed).wrapping_add(split_mix(stream ^ 0x5851_F42D_4C95_7F2D));
        let state = [(); 4].map(|()| {
            mixed = mixed.wrapping_add(0x9E37_79B9_7F4A_7C15);
            split_mix(mixed)
        });
        Self { state }
    }

    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform over `0..n`; 0 where `n` is 0. Unbiased (Lemire 2019, <https://doi.org/10.1145/3230636>).
    #[inline]
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        let mut wide = u128::from(self.bits()) * u128::from(n);
        if (wide as u64) < n {
            let least = n.wrapping_neg() % n.max(1);
            while (wide as u64) < least {
                wide = u128::from(self.bits()) * u128::from(n);
            }
        }
        (wide >> 64) as usize
    }

    /// Uniform over [0, 1), 53 bits.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * 2_f64.powi(-53)
    }

    /// Shuffles a slice (Fisher and Yates).
    pub fn shuffle<T>(&mut self, slice: &mut [T]) {
        for i in (1..slice.len()).rev() {
            slice.swap(i, self.below(i + 1));
        }
    }
}

/// A standard normal random number by Box and Muller 1958 (<https://doi.org/10.1214/aoms/1177706645>).
pub(crate) fn gauss(random: &mut Random) -> f64 {
    let radius = (-2.0 * (1.0 - random.uniform()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.uniform()).cos()
}

fn split_mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_generator() {
        // First outputs of xoshiro256++ from state (1, 2, 3, 4), as the rand_xoshiro crate tests them.
        let mut random = Random { state: [1, 2, 3, 4] };
        let expected = [41_943_041, 58_720_359, 3_588_806_011_781_223];
        assert_eq!([(); 3].map(|()| random.bits()), expected);
    }

    #[test]
    fn is_uniform_below_n() {
        let mut random = Random::new(1, 0);
        let mut counts = [0_u32; 7];
        (0..70_000).for_each(|_| counts[random.below(7)] += 1);
        // The 99.9 % quantile of chi-squared with 6 degrees of freedom is 22.5.
        let chi: f64 = counts.iter().map(|&c| (f64::from(c) - 1e4).powi(2) / 1e4).sum();
        assert!(chi < 22.5, "{counts:?}");
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn streams_differ_and_shuffles_keep_all() {
        assert_ne!(Random::new(0, 0).bits(), Random::new(0, 1).bits());
        assert_ne!(Random::new(0, 1).bits(), Random::new(1, 0).bits());
        let mut order: Vec<usize> = (0..100).collect();
        Random::new(3, 3).shuffle(&mut order);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
