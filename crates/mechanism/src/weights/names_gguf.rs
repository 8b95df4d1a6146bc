//! Tensor names and layouts of GGUF checkpoints, as llama.cpp's converter writes them.

use crate::config::{DecoderConfig, NormKind};
use crate::gguf::Gguf;
use crate::layout::{Kind, Part, Source, Take};

pub(super) fn source(file: &Gguf, c: &DecoderConfig, layer: Option<usize>, part: Part, kind: Kind) -> Source {
    let suffix = kind.suffix();
    let at = match layer {
        Some(layer) => format!("blk.{layer}."),
        None => String::new(),
    };
    let (q, kv, f) = (c.q_width(), c.kv_width(), c.d_ffn);
    let rows = |name: &str, rows| Source {
        name: format!("{at}{name}{suffix}"),
        take: Take::Rows(rows),
    };
    let fused = file.tensors.contains_key(&format!("{at}attn_qkv.weight"));
    let fused_up = c.gated && !file.tensors.contains_key(&format!("{at}ffn_gate.weight"));
    // llama.cpp merges the experts of a layer into one tensor; early Mixtral files store them separately.
    let expert = |name: &str, e: usize| {
        let merged = format!("{at}{name}_exps{suffix}");
        match file.tensors.get(&merged).map(|entry| entry.shape.as_slice()) {
            Some([_, n_rows, _]) => Source {
                take: Take::Rows(e * n_rows..(e + 1) * n_rows),
                name: merged,
            },
            _ => Source::all(format!("{at}{name}.{e}{suffix}")),
        }
    };
    let name = match part {
        Part::Q if fused => return rows("attn_qkv", 0..q),
        Part::K if fused => return rows("attn_qkv", q..q + kv),
        Part::V if fused => return rows("attn_qkv", q + kv..q + 2 * kv),
        Part::Gate if fused_up => return rows("ffn_up", 0..f),
        Part::Up if fused_up => return rows("ffn_up", f..2 * f),
        Part::ExpertGate(e) => return expert("ffn_gate", e),
        Part::ExpertUp(e) => return expert("ffn_up", e),
        Part::ExpertDown(e) => return expert("ffn_down", e),
        Part::Embedding => "token_embd",
        Part::Positions => "position_embd",
        Part::FinalNorm => "output_norm",
        Part::Head => "output",
        Part::AttentionNorm => "attn_norm",
        Part::AttentionPostNorm => "post_attention_norm",
        Part::FfnNorm => "ffn_norm",
        Part::FfnPostNorm => "post_ffw_norm",
        Part::Q => "attn_q",
        Part::K => "attn_k",
        Part::V => "attn_v",
        Part::O => "attn_output",
        Part::QNorm => "attn_q_norm",
        Part::KNorm => "attn_k_norm",
        Part::Gate => "ffn_gate",
        Part::Up => "ffn_up",
        Part::Down => "ffn_down",
        Part::Router => "ffn_gate_inp",
        Part::SharedGate => "ffn_gate_shexp",
        Part::SharedUp => "ffn_up_shexp",
        Part::SharedDown => "ffn_down_shexp",
        Part::SharedRouter => "ffn_gate_inp_shexp",
    };
    let norm = matches!(
        part,
        Part::FinalNorm
            | Part::AttentionNorm
            | Part::AttentionPostNorm
            | Part::FfnNorm
            | Part::FfnPostNorm
            | Part::QNorm
            | Part::KNorm
    );
    let take = match part {
        Part::Q | Part::K if c.family.is_permuted() => Take::Permuted { head_dim: c.head_dim },
        _ if norm && c.norm == NormKind::RmsPlusOne => Take::LessOne,
        _ => Take::All,
    };
    Source {
        name: format!("{at}{name}{suffix}"),
        take,
    }
}
