//! Rotary embedding in `config.json`: `rope_parameters` (transformers 5) or `rope_theta` with `rope_scaling` (earlier).

use super::super::fields::Fields;
use super::super::rotary::{Rotary, Scaling};
use crate::error::{Error, Result};

/// Reads `rope_parameters` (transformers 5) or `rope_theta` with `rope_scaling` (earlier); `theta` is the default base.
pub(in crate::config) fn rotary(
    c: Fields<'_>,
    parameters: Option<Fields<'_>>,
    head_dim: usize,
    theta: f64,
) -> Result<Rotary> {
    let scaling = parameters.or(c.object("rope_scaling")?);
    let value = |key: &str| -> Result<Option<f64>> {
        match scaling {
            Some(s) => Ok(s.f64(key)?.or(c.f64(key)?)),
            None => c.f64(key),
        }
    };
    let theta = value("rope_theta")?.unwrap_or(theta);
    let partial = match value("partial_rotary_factor")? {
        Some(factor) => factor,
        None => c.f64("rotary_pct")?.unwrap_or(1.0),
    };
    let dim = (head_dim as f64 * partial) as usize;
    let max_positions = c.usize("max_position_embeddings")?.unwrap_or(2048);
    let kind = match scaling {
        Some(s) => s.text("rope_type")?.or(s.text("type")?).unwrap_or("default"),
        None => "default",
    };
    let factor = || -> Result<f64> {
        value("factor")?.ok_or_else(|| Error::Config {
            field: "rope_scaling.factor".to_owned(),
            what: "is missing".to_owned(),
        })
    };
    let original = value("original_max_position_embeddings")?.unwrap_or(max_positions as f64);
    let scaling = match (kind, scaling) {
        ("default", _) | (_, None) => None,
        ("linear", _) => Some(Scaling::Linear { factor: factor()? }),
        ("dynamic", _) => Some(Scaling::Dynamic { factor: factor()? }),
        ("llama3", _) => Some(Scaling::Llama3 {
            factor: factor()?,
            low: value("low_freq_factor")?.unwrap_or(1.0),
            high: value("high_freq_factor")?.unwrap_or(4.0),
            original,
        }),
        ("yarn", Some(s)) => {
            let factor = if value("original_max_position_embeddings")?.is_some() && value("factor")?.is_none()
            {
                max_positions as f64 / original
            } else {
                factor()?
            };
            Some(Scaling::Yarn {
                factor,
                original,
                beta_fast: value("beta_fast")?.unwrap_or(32.0),
                beta_slow: value("beta_slow")?.unwrap_or(1.0),
                attention_factor: yarn_attention(
                    factor,
                    value("attention_factor")?,
                    value("mscale")?,
                    value("mscale_all_dim")?,
                ),
                truncate: s.flag("truncate", true)?,
            })
        }
        ("longrope" | "su", Some(s)) => {
            let list = |key: &str| -> Result<Vec<f32>> {
                let numbers = s.numbers(key)?.ok_or_else(|| Error::Config {
                    field: key.to_owned(),
                    what: "is missing".to_owned(),
                })?;
                Ok(numbers.into_iter().map(|v| v as f32).collect())
            };
            let stretch = match value("factor")? {
                Some(factor) if c.get("original_max_position_embeddings").is_none() => factor,
                _ => max_positions as f64 / original,
            };
            let given = value("attention_factor")?;
            let attention_factor = given.unwrap_or(if stretch <= 1.0 {
                1.0
            } else {
                (1.0 + stretch.ln() / original.ln()).sqrt()
            });
            Some(Scaling::Factors {
                short: list("short_factor")?,
                long: list("long_factor")?,
                original: original as usize,
                attention_factor,
            })
        }
        (other, _) => {
            return Err(Error::Config {
                field: "rope_type".to_owned(),
                what: format!("`{other}` is not known"),
            });
        }
    };
    Ok(Rotary {
        theta,
        dim,
        scaling,
        max_positions,
    })
}

/// `YaRN`'s factor on cosines and sines: `0.1·ln s + 1` unless the file specifies another.
pub(in crate::config) fn yarn_attention(
    factor: f64,
    given: Option<f64>,
    scale: Option<f64>,
    scale_all: Option<f64>,
) -> f64 {
    let by = |m: f64| {
        if factor <= 1.0 {
            1.0
        } else {
            0.1 * m * factor.ln() + 1.0
        }
    };
    match (given, scale, scale_all) {
        (Some(given), _, _) => given,
        (None, Some(m), Some(all)) if m != 0.0 && all != 0.0 => by(m) / by(all),
        _ => by(1.0),
    }
}
