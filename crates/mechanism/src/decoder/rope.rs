//! Rotary position embedding (Su et al. 2021, <https://arxiv.org/abs/2104.09864>), with halves as pairs (see below).
//!
//! `(a, b) → (a·cos − b·sin, b·cos + a·sin)` with `a` from the first half of the rotated dimensions and `b` from the second.

use rayon::prelude::*;

use crate::config::Rotary;
use crate::segment::Segment;
use crate::wide::wide;

/// Cosines and sines of the rotation angles of every row, times the attention factor.
#[derive(Debug, Clone)]
pub struct Angles {
    /// Half the number of rotated dimensions.
    pub(super) half: usize,
    /// `(rows, half)`.
    pub(super) cos: Vec<f32>,
    /// `(rows, half)`.
    pub(super) sin: Vec<f32>,
}

impl Angles {
    /// Angles of the rows of `segments`.
    pub fn new(rotary: &Rotary, segments: &[Segment]) -> Self {
        let half = rotary.dim / 2;
        let rows = segments.iter().map(|s| s.rows.end).max().unwrap_or(0);
        let (mut cos, mut sin) = (vec![0.0; rows * half], vec![0.0; rows * half]);
        let by_length = rotary.depends_on_length();
        let mut frequencies = rotary.frequencies(0);
        for segment in segments {
            if by_length {
                frequencies = rotary.frequencies(segment.length);
            }
            let (inverse, factor) = &frequencies;
            for (i, row) in segment.rows.clone().enumerate() {
                let position = (segment.position + i) as f32;
                for j in 0..half {
                    let angle = position * inverse[j];
                    cos[row * half + j] = angle.cos() * factor;
                    sin[row * half + j] = angle.sin() * factor;
                }
            }
        }
        Self { half, cos, sin }
    }

    /// For rows of `half` given angles each.
    pub(super) fn of(half: usize, turns: &[f32]) -> Self {
        Self {
            half,
            cos: turns.iter().map(|turn| turn.cos()).collect(),
            sin: turns.iter().map(|turn| turn.sin()).collect(),
        }
    }

    /// Rotates every head of every row in place; `backwards` applies the transposed rotation, for gradients.
    pub fn rotate(&self, x: &mut [f32], heads: usize, head_dim: usize, backwards: bool) {
        let half = self.half;
        let width = heads * head_dim;
        let chunk = 64;
        let sign = if backwards { -1.0 } else { 1.0 };
        x.par_chunks_mut(chunk * width).enumerate().for_each(|(c, x)| {
            wide(
                #[inline(always)]
                || {
                    for (i, row) in x.chunks_exact_mut(width).enumerate() {
                        let at = (c * chunk + i) * half;
                        let (cos, sin) = (&self.cos[at..at + half], &self.sin[at..at + half]);
                        for head in row.chunks_exact_mut(head_dim) {
                            let (first, second) = head.split_at_mut(half);
                            let second = &mut second[..half];
                            for j in 0..half {
                                let (a, b, s) = (first[j], second[j], sign * sin[j]);
                                first[j] = a * cos[j] - b * s;
                                second[j] = b * cos[j] + a * s;
                            }
                        }
                    }
                },
            );
        });
    }
}
