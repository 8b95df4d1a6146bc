//! Rewrites configs with a layout of their own (the first `OLMo`, `OpenELM`, the first Mamba) under the Hub's usual
//! names.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::config::fields::{self, Fields};

/// `value` with the usual names if it has one of the layouts above; anything else is returned unchanged.
pub(crate) fn usual(value: &Value) -> Cow<'_, Value> {
    let Some(stated) = value.as_object() else {
        return Cow::Borrowed(value);
    };
    let has = |name: &str| stated.get(name).is_some_and(|value| !value.is_null());
    let written = if has("ffn_multipliers") && has("model_dim") {
        openelm(stated)
    } else if has("n_heads")
        && has("d_model")
        && (has("weight_tying") || stated.contains_key("embedding_size"))
    {
        olmo(stated)
    } else if has("ssm_cfg") && has("d_model") && has("n_layer") {
        mamba(stated)
    } else {
        None
    };
    written.map_or(Cow::Borrowed(value), |fields| Cow::Owned(Value::Object(fields)))
}

/// Sets `name` to `value` where it is known, replacing any earlier value.
fn put(out: &mut Fields, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        out.insert(name.to_owned(), value.into());
    }
}

/// `OLMo`'s own layout (`olmo/config.py` of `allenai/OLMo`), with the defaults given there.
fn olmo(stated: &Fields) -> Option<Fields> {
    let int = |names: &[&str]| fields::int(stated, names);
    let flag = |name: &str, default: bool| fields::flag(stated, &[name]).unwrap_or(default);
    let width = int(&["d_model"])?;
    let heads = int(&["n_heads"])?;
    // SwiGLU takes its two halves from one matrix with this width.
    let whole = match int(&["mlp_hidden_size"]) {
        Some(stated) => stated,
        None => scaled(width, fields::float(stated, &["mlp_ratio"]).unwrap_or(4.0)),
    };
    let is_gated = fields::text(stated, &["activation_type"]).is_none_or(|name| name == "swiglu");
    let kv_heads = match int(&["n_kv_heads"]) {
        Some(stated) => stated,
        None if flag("multi_query_attention", false) => 1,
        None => heads,
    };
    let mut out = stated.clone();
    for name in [
        "n_layers",
        "n_heads",
        "n_kv_heads",
        "d_model",
        "mlp_ratio",
        "mlp_hidden_size",
    ] {
        out.remove(name);
    }
    out.insert("model_type".into(), "olmo".into());
    put(&mut out, "num_hidden_layers", int(&["n_layers"]));
    put(&mut out, "hidden_size", Some(width));
    put(&mut out, "num_attention_heads", Some(heads));
    put(&mut out, "num_key_value_heads", Some(kv_heads));
    put(
        &mut out,
        "intermediate_size",
        Some(if is_gated { whole / 2 } else { whole }),
    );
    out.insert("ffn_with_glu".into(), is_gated.into());
    put(&mut out, "vocab_size", int(&["vocab_size"]).or(Some(50_257)));
    if let Some(rows) = int(&["embedding_size"]) {
        out.remove("embedding_size");
        put(&mut out, "padded_vocab_size", Some(rows));
    }
    put(
        &mut out,
        "max_position_embeddings",
        int(&["max_sequence_length"]).or(Some(1024)),
    );
    out.insert("tie_word_embeddings".into(), flag("weight_tying", true).into());
    let bias = flag("include_bias", true);
    out.insert("attention_bias".into(), bias.into());
    out.insert("mlp_bias".into(), bias.into());
    let affine = flag("layer_norm_with_affine", true);
    out.insert("layer_norm_with_affine".into(), affine.into());
    let is_rms = fields::text(stated, &["layer_norm_type"]) == Some("rms");
    let norm_bias = affine && !is_rms && flag("bias_for_layer_norm", bias);
    out.insert("bias_for_layer_norm".into(), norm_bias.into());
    let is_learned = !flag("rope", false) && !flag("alibi", false);
    out.insert("learned_positions".into(), is_learned.into());
    Some(out)
}

/// `OpenELM`'s own layout (`configuration_openelm.py` of `apple/OpenELM`): each layer has a width and a number of heads
/// of its own.
fn openelm(stated: &Fields) -> Option<Fields> {
    let int = |name: &str| fields::int(stated, &[name]);
    let (width, layers) = (int("model_dim")?, int("num_transformer_layers")?);
    let head_dim = int("head_dim").unwrap_or(128);
    let divisor = int("ffn_dim_divisor").unwrap_or(256);
    let widths: Vec<i64> = spread(stated.get("ffn_multipliers")?, layers)?
        .into_iter()
        .map(|share| divisible(share * width as f64, divisor))
        .collect();
    let groups = int("num_gqa_groups").unwrap_or(1);
    let queries = match listed(stated, "num_query_heads", layers) {
        Some(stated) => stated,
        None => spread(stated.get("qkv_multipliers")?, layers)?
            .into_iter()
            .map(|share| divisible(share * width as f64, head_dim * groups.max(2)) / head_dim)
            .collect(),
    };
    let keys = listed(stated, "num_kv_heads", layers)
        .unwrap_or_else(|| queries.iter().map(|heads| heads / groups).collect());
    let mut out = stated.clone();
    for name in [
        "model_dim",
        "num_transformer_layers",
        "num_query_heads",
        "num_kv_heads",
        "ffn_multipliers",
        "qkv_multipliers",
        "num_gqa_groups",
        "ffn_dim_divisor",
        "share_input_output_layers",
    ] {
        out.remove(name);
    }
    out.insert("model_type".into(), "openelm".into());
    put(&mut out, "hidden_size", Some(width));
    put(&mut out, "num_hidden_layers", Some(layers));
    put(&mut out, "head_dim", Some(head_dim));
    put(&mut out, "vocab_size", int("vocab_size").or(Some(32_000)));
    out.insert("intermediate_size".into(), json!(widths));
    out.insert("num_attention_heads".into(), json!(queries));
    out.insert("num_key_value_heads".into(), json!(keys));
    let tied = fields::flag(stated, &["share_input_output_layers"]).unwrap_or(true);
    out.insert("tie_word_embeddings".into(), tied.into());
    Some(out)
}

/// The layout of `state-spaces/mamba` (`mamba_ssm/models/config_mamba.py`), Mamba 1 and 2, with its defaults.
fn mamba(stated: &Fields) -> Option<Fields> {
    let cell = fields::object(stated, &["ssm_cfg"])?;
    let of = |name: &str, default: i64| fields::int(cell, &[name]).unwrap_or(default);
    let width = fields::int(stated, &["d_model"])?;
    let is_second = fields::text(cell, &["layer"]) == Some("Mamba2");
    let inside = width.checked_mul(of("expand", 2))?;
    let mut out = stated.clone();
    for name in ["d_model", "n_layer", "ssm_cfg"] {
        out.remove(name);
    }
    // Any other setting in `ssm_cfg` means a layout that is not known here.
    let known = [
        "layer", "expand", "d_state", "d_conv", "dt_rank", "headdim", "ngroups",
    ];
    let other: Fields = cell
        .iter()
        .filter(|(name, _)| !known.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !other.is_empty() {
        out.insert("ssm_cfg".into(), Value::Object(other));
    }
    out.insert(
        "model_type".into(),
        if is_second { "mamba2" } else { "mamba" }.into(),
    );
    put(&mut out, "hidden_size", Some(width));
    put(&mut out, "num_hidden_layers", fields::int(stated, &["n_layer"]));
    put(&mut out, "conv_kernel", Some(of("d_conv", 4)));
    put(&mut out, "expand", Some(of("expand", 2)));
    put(
        &mut out,
        "state_size",
        Some(of("d_state", if is_second { 128 } else { 16 })),
    );
    if is_second {
        put(&mut out, "head_dim", Some(of("headdim", 64)));
        put(&mut out, "num_heads", inside.checked_div(of("headdim", 64)));
        put(&mut out, "n_groups", Some(of("ngroups", 1)));
    } else {
        put(&mut out, "intermediate_size", Some(inside));
        put(
            &mut out,
            "time_step_rank",
            Some(of("dt_rank", width.checked_add(15)? / 16)),
        );
    }
    let multiple = fields::int(stated, &["pad_vocab_size_multiple"]).unwrap_or(8);
    let rows = fields::int(stated, &["vocab_size"]).map(|vocab| multiple_of(vocab, multiple));
    out.remove("pad_vocab_size_multiple");
    put(&mut out, "padded_vocab_size", rows);
    let tied = fields::flag(stated, &["tie_embeddings"]).unwrap_or(true);
    out.insert("tie_word_embeddings".into(), tied.into());
    Some(out)
}

/// `value` rounded up to a multiple of `step`.
pub(crate) fn multiple_of(value: i64, step: i64) -> i64 {
    let step = step.max(1);
    value
        .saturating_add(step - 1)
        .div_euclid(step)
        .saturating_mul(step)
}

fn scaled(width: i64, ratio: f64) -> i64 {
    (width as f64 * ratio) as i64
}

/// The nearest multiple of `divisor`, or the next larger one where rounding down loses more than a tenth.
fn divisible(value: f64, divisor: i64) -> i64 {
    let step = divisor.max(1);
    let near = ((value + step as f64 / 2.0) as i64 / step * step).max(step);
    if (near as f64) < 0.9 * value {
        near + step
    } else {
        near
    }
}

/// One value per layer: as listed, or interpolated linearly between the first and last value if only two are given
/// (rounded to two decimals), or the same for all.
fn spread(value: &Value, layers: i64) -> Option<Vec<f64>> {
    let count = usize::try_from(layers)
        .ok()
        .filter(|count| (1..=4_096).contains(count))?;
    let Some(list) = value.as_array() else {
        return Some(vec![value.as_f64()?; count]);
    };
    let values: Vec<f64> = list.iter().filter_map(Value::as_f64).collect();
    match values.as_slice() {
        &[first, last] if count != 2 => Some(
            (0..count)
                .map(|at| {
                    let share = at as f64 / (count.max(2) - 1) as f64;
                    ((first + (last - first) * share) * 100.0).round() / 100.0
                })
                .collect(),
        ),
        all if all.len() == count => Some(values),
        _ => None,
    }
}

/// Integers, one per layer.
fn listed(stated: &Fields, name: &str, layers: i64) -> Option<Vec<i64>> {
    let list = stated.get(name)?;
    match list.as_array() {
        Some(values) => {
            let numbers: Vec<i64> = values.iter().filter_map(fields::number).collect();
            (i64::try_from(numbers.len()).ok() == Some(layers)).then_some(numbers)
        }
        None => Some(vec![
            fields::number(list)?;
            usize::try_from(layers).ok().filter(|&count| count <= 4_096)?
        ]),
    }
}
