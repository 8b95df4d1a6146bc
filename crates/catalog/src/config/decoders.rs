//! Class names and model types of networks that are not stand-alone decoders.

/// Prefixes of class names, and model types, of encoders, encoder-decoders and others that do not generate text.
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

/// The class name or model type that identifies a network as not a stand-alone decoder; `None` if neither does.
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
