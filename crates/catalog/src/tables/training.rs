//! The label of what made a checkpoint.

use serde::{Deserialize, Serialize};

/// What made a checkpoint: the last step that gave it its weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Training {
    /// Someone trained it from scratch; copies of such a checkpoint count as it does.
    #[default]
    Pretrained,
    /// Trained further as it was pretrained, from other weights.
    Continued,
    /// Trained further for a task or on a collection of examples.
    FineTuned,
    /// Trained to follow instructions or to converse.
    Chat,
    /// Merged from the weights of others.
    Merge,
    /// Changed in structure or in weights without training: pruned, layers added or taken out.
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

    /// The label of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == name)
    }

    /// Trained from scratch, and nothing since.
    pub const fn is_pretrained(self) -> bool {
        matches!(self, Self::Pretrained)
    }

    /// Fine-tuned, tuned to converse, or merged: what stands against pretrained where the two are compared. `None` for
    /// what is neither: trained further, changed without training, or no whole checkpoint.
    pub const fn is_post_trained(self) -> Option<bool> {
        match self {
            Self::Pretrained => Some(false),
            Self::FineTuned | Self::Chat | Self::Merge => Some(true),
            Self::Continued | Self::Surgery | Self::Quantized | Self::Adapter => None,
        }
    }
}
