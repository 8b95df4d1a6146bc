//! Stated rules on values that no checkpoint can have.
//!
//! | rule | what it says |
//! | --- | --- |
//! | `out_of_range` | no decoder has a dimension outside [`RANGES`] |
//! | `kv_heads_do_not_divide_heads` | every query head belongs to one key head |
//! | `more_heads_than_width` | a head has at least one dimension |
//! | `not_a_decoder` | encoders and encoder-decoders have no `layers` in our sense |

use std::ops::RangeInclusive;

use crate::error::Error;
use crate::observed::{DIMENSIONS, Observed, Out};

/// What each dimension can be, in the order of the dimensions. The largest published values at the time of writing:
/// 126 layers, width 53,248 (feed-forward), 256 heads, a vocabulary of 262,208 (1,000,000 for some multilingual ones),
/// 10,485,760 positions; the bounds leave room above.
pub const RANGES: [RangeInclusive<i64>; 7] = [
    1..=512,
    1..=131_072,
    1..=1_048_576,
    1..=1_024,
    1..=1_024,
    1..=2_097_152,
    1..=20_971_520,
];

/// Sets to null what breaks a rule, with a reject each.
pub(crate) fn dimensions(observed: &mut Observed, row: u64, out: &mut Out<'_>) -> Result<(), Error> {
    for (index, range) in RANGES.iter().enumerate() {
        if let Some(value) = observed.dimensions[index].filter(|value| !range.contains(value)) {
            out.reject_field(row, DIMENSIONS[index], &value.to_string(), "out_of_range")?;
            observed.dimensions[index] = None;
        }
    }
    let [_, d_model, _, heads, kv_heads, ..] = observed.dimensions;
    if let (Some(width), Some(count)) = (d_model, heads)
        && count > width
    {
        out.reject_field(row, "heads", &count.to_string(), "more_heads_than_width")?;
        observed.dimensions[3] = None;
    }
    if let (Some(all), Some(kv)) = (heads, kv_heads)
        && (kv > all || all % kv != 0)
    {
        out.reject_field(row, "kv_heads", &kv.to_string(), "kv_heads_do_not_divide_heads")?;
        observed.dimensions[4] = None;
    }
    Ok(())
}

/// Starts of class names, and model types, of encoders, encoder-decoders and others that generate no text.
const CLASSES: [&str; 34] = [
    "T5",
    "MT5",
    "UMT5",
    "LongT5",
    "EncT5",
    "HF_VT5",
    "Bart",
    "MBart",
    "Bert",
    "Roberta",
    "XLMRoberta",
    "Deberta",
    "DistilBert",
    "Electra",
    "Albert",
    "MPNet",
    "Pegasus",
    "Marian",
    "Blenderbot",
    "M2M100",
    "Whisper",
    "Wav2Vec2",
    "CLIP",
    "ViT",
    "Siglip",
    "ModernBert",
    "NomicBert",
    "SwitchTransformers",
    "LED",
    "Longformer",
    "BigBird",
    "Camembert",
    "ProphetNet",
    "SqueezeBert",
];
const TYPES: [&str; 46] = [
    "t5",
    "mt5",
    "umt5",
    "longt5",
    "bart",
    "mbart",
    "bert",
    "roberta",
    "xlm-roberta",
    "deberta",
    "deberta-v2",
    "distilbert",
    "electra",
    "albert",
    "mpnet",
    "pegasus",
    "marian",
    "blenderbot",
    "m2m_100",
    "whisper",
    "wav2vec2",
    "clip",
    "vit",
    "siglip",
    "modernbert",
    "nomic_bert",
    "switch_transformers",
    "led",
    "longformer",
    "big_bird",
    "camembert",
    "prophetnet",
    "squeezebert",
    "florence2",
    "nllb-moe",
    "bge-m3",
    "new",
    "gte",
    "jina_bert",
    "hubert",
    "wavlm",
    "blip",
    "blip-2",
    "convbert",
    "funnel",
    "mobilebert",
];

/// The word that tells a kind of network without a decoder of its own, if it is one.
pub(crate) fn not_a_decoder<'a>(
    architecture: Option<&'a str>,
    model_type: Option<&'a str>,
) -> Option<&'a str> {
    let by_class = architecture.filter(|class| {
        CLASSES.iter().any(|start| {
            class.strip_prefix(start).is_some_and(|rest| {
                rest.is_empty()
                    || ["For", "Model", "With", "Encoder", "LMHead"]
                        .iter()
                        .any(|next| rest.starts_with(next))
            })
        })
    });
    by_class.or_else(|| model_type.filter(|kind| TYPES.contains(kind)))
}
