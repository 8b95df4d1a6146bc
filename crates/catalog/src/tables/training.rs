//! The label for how a checkpoint was made.

use serde::{Deserialize, Serialize};

/// The last training step that produced a checkpoint's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Training {
    /// Trained from scratch; a copy of such a checkpoint counts as pretrained too.
    #[default]
    Pretrained,
    /// Continued pre-training, from other weights.
    Continued,
    /// Fine-tuned for a task or on a collection of examples.
    FineTuned,
    /// Trained to follow instructions or to converse.
    Chat,
    /// Merged from the weights of other checkpoints.
    Merge,
    /// Changed in structure or weights without training: pruned, or with layers added or removed.
    Surgery,
    /// Stored with fewer bits per weight.
    Quantized,
    /// Only an adapter to a base.
    Adapter,
}

impl Training {
    /// All labels.
    pub const ALL: [Self; 8] = [
        Self::Pretrained,
        Self::Continued,
        Self::FineTuned,
        Self::Chat,
        Self::Merge,
        Self::Surgery,
        Self::Quantized,
        Self::Adapter,
    ];

    /// The word that tables and findings use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pretrained => "pretrained",
            Self::Continued => "continued",
            Self::FineTuned => "fine-tuned",
            Self::Chat => "chat",
            Self::Merge => "merge",
            Self::Surgery => "surgery",
            Self::Quantized => "quantized",
            Self::Adapter => "adapter",
        }
    }

    /// The label with that word; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == name)
    }

    /// Whether it was trained from scratch and not changed since.
    pub const fn is_pretrained(self) -> bool {
        matches!(self, Self::Pretrained)
    }

    /// Whether it was fine-tuned, tuned for conversation or merged, for comparisons with pretrained checkpoints. `None`
    /// for what is neither pretrained nor post-trained: continued pre-training, changes without training, or an
    /// incomplete checkpoint.
    pub const fn is_post_trained(self) -> Option<bool> {
        match self {
            Self::Pretrained => Some(false),
            Self::FineTuned | Self::Chat | Self::Merge => Some(true),
            Self::Continued | Self::Surgery | Self::Quantized | Self::Adapter => None,
        }
    }
}
