//! Rotary position embedding and its context extensions: inverse frequencies, and the factor on cosines and sines.
//!
//! `θ_j = base^(−2j/dim)`, in `f32` as in the reference implementation (transformers `modeling_rope_utils.py`), so that
//! rotations agree to the last bits.

use std::f64::consts::PI;

use serde::Serialize;

use crate::error::{Error, Result};

/// How frequencies are scaled for longer texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// `θ / factor` (Chen et al. 2023).
    Linear {
        /// Factor by which positions are compressed.
        factor: f64,
    },
    /// A larger base for texts beyond the original length ("NTK-aware").
    Dynamic {
        /// Factor by which the length is extended.
        factor: f64,
    },
    /// Llama 3.1: low frequencies are divided by `factor`, high ones kept, those between interpolated.
    Llama3 {
        /// Divisor of low frequencies.
        factor: f64,
        /// Wavelengths beyond `original / low` are low frequencies.
        low: f64,
        /// Wavelengths below `original / high` are high frequencies.
        high: f64,
        /// Original length, tokens.
        original: f64,
    },
    /// `YaRN` (Peng et al. 2023, <https://arxiv.org/abs/2309.00071>).
    Yarn {
        /// Divisor of low frequencies.
        factor: f64,
        /// Original length, tokens.
        original: f64,
        /// Dimensions with more rotations than this over the original length are kept.
        beta_fast: f64,
        /// Dimensions with fewer rotations than this are divided by `factor`; those between are interpolated.
        beta_slow: f64,
        /// Factor on cosines and sines.
        attention_factor: f64,
        /// Whether the limits of the ramp are rounded to whole dimensions.
        truncate: bool,
    },
    /// A divisor for each frequency: one set for texts up to the original length, one for longer ones (Phi-3; Llama 3.x
    /// as llama.cpp stores it, where both sets are the same).
    Factors {
        /// Divisors for short texts, `(dim / 2,)`.
        short: Vec<f32>,
        /// Divisors for long texts, `(dim / 2,)`.
        long: Vec<f32>,
        /// Original length, tokens.
        original: usize,
        /// Factor on cosines and sines.
        attention_factor: f64,
    },
}

/// Rotary embedding of queries and keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rotary {
    /// Base of the frequencies.
    pub theta: f64,
    /// Dimensions of each head that are rotated; the others are left unchanged.
    pub dim: usize,
    /// Context extension, if any.
    pub scaling: Option<Scaling>,
    /// Maximum text length of the checkpoint, tokens; dynamic scaling depends on it.
    pub max_positions: usize,
}

impl Rotary {
    /// Whether frequencies depend on the length of a text.
    pub fn depends_on_length(&self) -> bool {
        match &self.scaling {
            Some(Scaling::Dynamic { .. }) => true,
            Some(Scaling::Factors { short, long, .. }) => short != long,
            _ => false,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let bad = |what: String| {
            Err(Error::Config {
                field: "rope_parameters".to_owned(),
                what,
            })
        };
        if !(self.theta.is_finite() && self.theta > 0.0) {
            return bad(format!("base {}", self.theta));
        }
        if let Some(Scaling::Factors { short, long, .. }) = &self.scaling
            && (short.len() != self.dim / 2 || long.len() != self.dim / 2)
        {
            return bad(format!(
                "{} and {} factors for {} frequencies",
                short.len(),
                long.len(),
                self.dim / 2
            ));
        }
        Ok(())
    }

    /// Inverse frequencies `(dim / 2,)` and the factor on cosines and sines, for a text of `length` tokens.
    pub fn frequencies(&self, length: usize) -> (Vec<f32>, f32) {
        let dim = self.dim as f64;
        let plain = |base: f64| -> Vec<f32> {
            let base = base as f32;
            (0..self.dim / 2)
                .map(|j| 1.0 / base.powf((2 * j) as f32 / self.dim as f32))
                .collect()
        };
        let frequencies = plain(self.theta);
        match &self.scaling {
            None => (frequencies, 1.0),
            Some(Scaling::Linear { factor }) => {
                (frequencies.iter().map(|f| f / *factor as f32).collect(), 1.0)
            }
            Some(Scaling::Dynamic { factor }) => {
                let most = self.max_positions as f64;
                let length = (length as f64).max(most);
                let base = self.theta * ((factor * length / most) - (factor - 1.0)).powf(dim / (dim - 2.0));
                (plain(base), 1.0)
            }
            Some(Scaling::Llama3 {
                factor,
                low,
                high,
                original,
            }) => {
                let stretch = |f: f32| -> f32 {
                    let wavelength = 2.0 * PI / f64::from(f);
                    if wavelength > original / low {
                        (f64::from(f) / factor) as f32
                    } else if wavelength < original / high {
                        f
                    } else {
                        let smooth = (original / wavelength - low) / (high - low);
                        ((1.0 - smooth) * f64::from(f) / factor + smooth * f64::from(f)) as f32
                    }
                };
                (frequencies.into_iter().map(stretch).collect(), 1.0)
            }
            Some(Scaling::Yarn {
                factor,
                original,
                beta_fast,
                beta_slow,
                attention_factor,
                truncate,
            }) => {
                let at =
                    |rotations: f64| dim * (original / (rotations * 2.0 * PI)).ln() / (2.0 * self.theta.ln());
                let (mut low, mut high) = (at(*beta_fast), at(*beta_slow));
                if *truncate {
                    (low, high) = (low.floor(), high.ceil());
                }
                let (low, mut high) = (low.max(0.0), high.min(dim - 1.0));
                if low == high {
                    high += 0.001;
                }
                let stretched = frequencies.iter().enumerate().map(|(j, &f)| {
                    let ramp = (((j as f64) - low) / (high - low)).clamp(0.0, 1.0) as f32;
                    f / *factor as f32 * ramp + f * (1.0 - ramp)
                });
                (stretched.collect(), *attention_factor as f32)
            }
            Some(Scaling::Factors {
                short,
                long,
                original,
                attention_factor,
            }) => {
                let factors = if length > *original { long } else { short };
                let divided = frequencies.iter().zip(factors).map(|(f, factor)| f / factor);
                (divided.collect(), *attention_factor as f32)
            }
        }
    }
}
