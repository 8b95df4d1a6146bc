//! Changes one dimension and scales the others to keep the number of parameters: head width, `d_ffn / d_model` and the
//! ratio of heads to key-value heads stay, and `d_ffn` absorbs the rounding.

use anyhow::{Context, Result, bail};
use catalog::cost::{Arithmetic, Dimensions};

use crate::answers::subject::{AskedStructure, given};

/// The structure with dimension `over` set to `value`, the others scaled to within 5 % of `target` parameters.
pub(super) fn resized(asked: &AskedStructure, over: &str, value: i64, target: i64) -> Result<AskedStructure> {
    let base = &asked.dimensions;
    let need = |name: &str, value: Option<i64>| {
        value
            .filter(|&value| value > 0)
            .with_context(|| format!("a sweep needs `{name}`"))
    };
    let (layers, d_model) = (need("layers", base.layers)?, need("d_model", base.d_model)?);
    let (d_ffn, heads) = (need("d_ffn", base.d_ffn)?, need("heads", base.heads)?);
    let kv_heads = base.kv_heads.unwrap_or(heads).max(1);
    let head = base.head_dim.unwrap_or(d_model / heads.max(1)).max(1);
    let per_head = d_model as f64 / heads as f64;
    let with_heads = |count: i64| {
        let width = ((count as f64 * per_head).round() as i64).max(1);
        Dimensions {
            heads: Some(count),
            d_model: Some(width),
            head_dim: Some(head),
            kv_heads: Some((count * kv_heads / heads).max(1)),
            d_ffn: Some(((width as f64 * d_ffn as f64 / d_model as f64).round() as i64).max(1)),
            ..base.clone()
        }
    };
    let far = |dimensions: &Dimensions| {
        Arithmetic::of_dimensions(dimensions).map_or(i64::MAX, |cost| (cost.parameters_total - target).abs())
    };
    let nearest = |candidates: &mut dyn Iterator<Item = Dimensions>| candidates.min_by_key(|one| far(one));
    let found = match over {
        "layers" => nearest(&mut (1..=1024).map(|count| Dimensions {
            layers: Some(value),
            ..with_heads(count)
        })),
        "d_ffn" => nearest(&mut (1..=1024).map(|count| Dimensions {
            d_ffn: Some(value),
            ..with_heads(count)
        })),
        "d_model" => {
            let count = ((value as f64 / per_head).round() as i64).max(1);
            nearest(&mut (1..=512).map(|layers| Dimensions {
                layers: Some(layers),
                d_model: Some(value),
                ..with_heads(count)
            }))
        }
        _ => {
            if value > heads || heads % value != 0 {
                bail!("{value} key and value heads do not divide {heads} heads");
            }
            Some(Dimensions {
                kv_heads: Some(value),
                layers: Some(layers),
                ..base.clone()
            })
        }
    };
    let found = found.context("no structure of that size")?;
    // The feed-forward width absorbs the remainder from rounding to whole heads.
    let exact = if over == "d_ffn" {
        found
    } else {
        let center = found.d_ffn.unwrap_or(d_ffn);
        let near = (center / 2..=center * 2).filter(|width| width % 16 == 0);
        nearest(&mut near.map(|width| Dimensions {
            d_ffn: Some(width),
            ..found.clone()
        }))
        .context("no structure of that size")?
    };
    let arithmetic = Arithmetic::of_dimensions(&exact)?;
    let off = (arithmetic.parameters_total as f64 / target as f64 - 1.0).abs();
    if off > 0.05 {
        bail!(
            "no structure with {over} {value} has {:.3} billion parameters; the nearest has {:.3}",
            target as f64 / 1e9,
            arithmetic.parameters_total as f64 / 1e9
        );
    }
    let mut structure = given(&exact, &arithmetic);
    // Report the target size: the rounding error is not an effect of the dimension.
    structure.size = Some(target as f64 / 1e9);
    structure.date.clone_from(&asked.structure.date);
    structure.pretrained = asked.structure.pretrained;
    structure.merged = asked.structure.merged;
    Ok(AskedStructure {
        id: None,
        structure,
        dimensions: exact,
        arithmetic: Some(arithmetic),
        date: asked.date,
        notes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_stay_while_a_dimension_moves() {
        let dimensions = Dimensions {
            layers: Some(32),
            d_model: Some(4096),
            d_ffn: Some(14336),
            heads: Some(32),
            kv_heads: Some(8),
            vocab_size: Some(128_256),
            ..Dimensions::default()
        };
        let arithmetic = Arithmetic::of_dimensions(&dimensions).expect("complete");
        let target = arithmetic.parameters_total;
        let asked = AskedStructure {
            id: None,
            structure: given(&dimensions, &arithmetic),
            dimensions,
            arithmetic: Some(arithmetic),
            date: None,
            notes: Vec::new(),
        };
        for (over, value) in [
            ("layers", 16),
            ("layers", 64),
            ("d_model", 3072),
            ("kv_heads", 32),
        ] {
            let other = resized(&asked, over, value, target).expect("there is one");
            let total = other.arithmetic.expect("counted").parameters_total;
            assert!(
                (total as f64 / target as f64 - 1.0).abs() < 0.01,
                "{over} {value}: {total}"
            );
        }
        assert!(resized(&asked, "kv_heads", 5, target).is_err());
    }
}
