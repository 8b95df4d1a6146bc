//! Python's `random.Random`: the Mersenne Twister of Matsumoto and Nishimura (1998), and `sample` as in `CPython`.
//!
//! The harness draws few-shot examples with it, so equal examples require bit-identical numbers.

const N: usize = 624;
const M: usize = 397;

/// The generator `MT19937`, seeded as `random.Random(seed)` is.
#[derive(Debug, Clone)]
pub struct PythonRandom {
    state: Vec<u32>,
    next: usize,
}

impl PythonRandom {
    /// `random.Random(seed)` for a non-negative seed.
    pub fn new(seed: u64) -> Self {
        let (low, high) = (seed as u32, (seed >> 32) as u32);
        let both = [low, high];
        Self::from_key(if high == 0 { &both[..1] } else { &both })
    }

    /// `init_by_array` of the reference implementation.
    fn from_key(key: &[u32]) -> Self {
        let mut state = vec![19_650_218_u32];
        let mixed = |before: u32| before ^ (before >> 30);
        for i in 1..N {
            state.push(
                1_812_433_253_u32
                    .wrapping_mul(mixed(state[i - 1]))
                    .wrapping_add(i as u32),
            );
        }
        let (mut i, mut j) = (1, 0);
        let wrap = |state: &mut Vec<u32>, i: &mut usize| {
            *i += 1;
            if *i >= N {
                state[0] = state[N - 1];
                *i = 1;
            }
        };
        for _ in 0..N.max(key.len()) {
            state[i] = (state[i] ^ mixed(state[i - 1]).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            wrap(&mut state, &mut i);
            j = (j + 1) % key.len();
        }
        for _ in 1..N {
            state[i] = (state[i] ^ mixed(state[i - 1]).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            wrap(&mut state, &mut i);
        }
        state[0] = 0x8000_0000;
        Self { state, next: N }
    }

    fn word(&mut self) -> u32 {
        if self.next == N {
            for i in 0..N {
                let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % N] & 0x7fff_ffff);
                let twist = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + M) % N] ^ (y >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// `randrange(n)` for `0 < n < 2³²`: bits are drawn until they form a number below `n`.
    fn below(&mut self, n: usize) -> usize {
        let bits = usize::BITS - n.leading_zeros();
        loop {
            let drawn = (self.word() >> (32 - bits)) as usize;
            if drawn < n {
                return drawn;
            }
        }
    }

    /// `sample(range(n), k)`: `k` distinct numbers below `n`, in the order drawn; `None` if `k > n` or `n ≥ 2³²`.
    pub fn sample(&mut self, n: usize, k: usize) -> Option<Vec<usize>> {
        if k > n || n >= 1 << 32 {
            return None;
        }
        // As in `CPython`: a list is used if it is no longer than a set for `k` elements would be.
        let mut set_size = 21;
        if k > 5 {
            set_size += 4_usize.pow((3.0 * k as f64).log(4.0).ceil() as u32);
        }
        let mut drawn = Vec::with_capacity(k);
        if n <= set_size {
            let mut pool: Vec<usize> = (0..n).collect();
            for i in 0..k {
                let j = self.below(n - i);
                drawn.push(pool[j]);
                pool[j] = pool[n - i - 1];
            }
        } else {
            while drawn.len() < k {
                let j = self.below(n);
                if !drawn.contains(&j) {
                    drawn.push(j);
                }
            }
        }
        Some(drawn)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::PythonRandom;

    /// `python3 -c "import random; r = random.Random(1234); print(r.sample(range(1119), 5), r.sample(range(20), 5), …)"`.
    #[test]
    fn samples_are_those_of_cpython() {
        let mut random = PythonRandom::new(1_234);
        assert_eq!(
            random.sample(1119, 25).unwrap(),
            [
                902, 239, 15, 185, 71, 171, 201, 726, 484, 35, 63, 32, 708, 991, 949, 304, 186, 374, 234, 29,
                1030, 996, 511, 132, 1108
            ]
        );
        assert_eq!(random.sample(20, 5).unwrap(), [14, 2, 18, 16, 1]);
        assert_eq!(
            random.sample(100, 10).unwrap(),
            [34, 71, 8, 82, 38, 61, 45, 31, 83, 25]
        );
        assert_eq!(random.sample(7473, 5).unwrap(), [3714, 7180, 4343, 5451, 158]);
        assert_eq!(random.sample(3, 3).unwrap(), [2, 0, 1]);
        let mut random = PythonRandom::new(0);
        assert_eq!(
            random.sample(1119, 25).unwrap(),
            [
                788, 861, 82, 530, 1047, 995, 829, 621, 976, 733, 447, 1033, 285, 577, 286, 194, 513, 1090,
                300, 635, 202, 151, 676, 966, 206
            ]
        );
        assert_eq!(random.sample(20, 5).unwrap(), [11, 13, 10, 6, 15]);
        assert_eq!(
            random.sample(100, 10).unwrap(),
            [56, 66, 33, 7, 70, 1, 11, 92, 51, 90]
        );
        assert_eq!(random.sample(7473, 5).unwrap(), [6757, 6431, 5473, 5122, 9]);
        assert_eq!(random.sample(3, 3).unwrap(), [2, 1, 0]);
        let mut random = PythonRandom::new(1_099_511_627_781);
        assert_eq!(
            random.sample(1119, 25).unwrap(),
            [
                1032, 1058, 550, 56, 1087, 95, 338, 162, 274, 489, 280, 507, 778, 248, 471, 956, 113, 228,
                873, 90, 675, 899, 584, 267, 194
            ]
        );
        assert_eq!(random.sample(20, 5).unwrap(), [5, 10, 1, 7, 14]);
        assert_eq!(
            random.sample(100, 10).unwrap(),
            [14, 19, 70, 28, 79, 16, 78, 74, 59, 12]
        );
        assert_eq!(random.sample(7473, 5).unwrap(), [4231, 2397, 5477, 1360, 6387]);
        assert_eq!(random.sample(3, 3).unwrap(), [0, 2, 1]);
        assert_eq!(random.sample(3, 4), None);
    }
}
