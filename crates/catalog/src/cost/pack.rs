//! Quantized formats of the Hub: the matrices of the layers with few bits, everything else with 16.

use crate::config::matrices::Matrices;

/// A quantized format of the Hub.
#[derive(Debug, PartialEq)]
pub(super) struct Pack {
    pub(super) name: &'static str,
    /// Bits per weight, including its share of scales and zero points.
    pub(super) bits: f64,
    /// Whether only the experts are quantized.
    pub(super) experts_only: bool,
}

pub(super) static PACKS: [Pack; 8] = [
    pack("gptq", 4.156_25, false),
    pack("awq", 4.156_25, false),
    pack("fp8", 8.0, false),
    pack("nvfp4", 4.5, false),
    pack("mxfp4", 4.25, true),
    pack("nf4-double", 4.127, false),
    pack("nf4", 4.5, false),
    pack("int8", 8.0, false),
];

const fn pack(name: &'static str, bits: f64, experts_only: bool) -> Pack {
    Pack {
        name,
        bits,
        experts_only,
    }
}

/// Bits that one layer takes.
pub(super) fn packed(layer: &Matrices, pack: &Pack) -> f64 {
    let experts = if layer.experts > 0 {
        layer.experts + layer.down
    } else {
        0
    };
    let all = layer.values + layer.attention_out + layer.down + layer.experts + layer.others;
    let inside = if pack.experts_only { experts } else { all };
    inside as f64 * pack.bits + (all - inside + layer.vectors) as f64 * 16.0
}
