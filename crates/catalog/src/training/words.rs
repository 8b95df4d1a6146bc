//! Words of names that say what made a checkpoint, and the types of leaderboards.

use crate::tables::Training;

/// Words of names of networks that were changed without training.
pub(super) const SURGERY: [&str; 17] = [
    "pruned",
    "prune",
    "pruning",
    "sheared",
    "upscale",
    "upscaled",
    "upscaling",
    "dus",
    "idus",
    "expanded",
    "selfmerge",
    "stacked",
    "layerdrop",
    "dropped",
    "shrunk",
    "signtensors",
    "rys",
];
/// Words of names of checkpoints that follow instructions or converse.
pub(super) const CHAT: [&str; 20] = [
    "instruct",
    "instruction",
    "inst",
    "chat",
    "it",
    "rlhf",
    "dpo",
    "ppo",
    "orpo",
    "kto",
    "simpo",
    "ipo",
    "spin",
    "rlaif",
    "assistant",
    "chatml",
    "cpo",
    "grpo",
    "sppo",
    "aligned",
];
/// Words of names of checkpoints that were tuned on examples.
pub(super) const TUNED: [&str; 32] = [
    "sft",
    "finetune",
    "finetuned",
    "finetuning",
    "tuned",
    "tune",
    "ft",
    "fft",
    "lora",
    "qlora",
    "alpaca",
    "vicuna",
    "guanaco",
    "hermes",
    "openhermes",
    "dolphin",
    "orca",
    "slimorca",
    "openorca",
    "platypus",
    "airoboros",
    "samantha",
    "wizardlm",
    "wizard",
    "flan",
    "dolly",
    "uncensored",
    "roleplay",
    "ultrachat",
    "distill",
    "abliterated",
    "abliteration",
];
/// Words of names that say a network was trained from scratch.
pub(super) const SCRATCH: [&str; 14] = [
    "steps",
    "step",
    "scratch",
    "pretrain",
    "pretrained",
    "pretraining",
    "tokens",
    "token",
    "pile",
    "fineweb",
    "slimpajama",
    "ablation",
    "intermediate",
    "redpajama",
];
/// Words that tell one upload of a checkpoint from another, not what it is.
pub(super) const UPLOAD: [&str; 13] = [
    "meta",
    "hf",
    "fp16",
    "bf16",
    "fp32",
    "llamafied",
    "llamaified",
    "sharded",
    "safetensors",
    "copy",
    "converted",
    "clone",
    "reupload",
];

/// What leaderboards call a checkpoint, each a bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Types(u8);

/// Types of leaderboards: how they begin or what they hold, and the label.
const TYPES: [(&str, Training); 5] = [
    ("merge", Training::Merge),
    ("chat", Training::Chat),
    ("fine-tuned", Training::FineTuned),
    ("continuously pretrained", Training::Continued),
    ("pretrained", Training::Pretrained),
];

impl Types {
    pub(super) fn add(&mut self, kind: &str) {
        if let Some(place) = TYPES.iter().position(|(word, _)| kind.contains(word)) {
            self.0 |= 1 << place;
        }
    }

    /// The labels, the one furthest from `pretrained` first.
    pub(super) fn labels(self) -> impl Iterator<Item = Training> {
        TYPES
            .iter()
            .enumerate()
            .filter(move |(place, _)| self.0 & (1 << place) != 0)
            .map(|(_, (_, label))| *label)
    }
}
