//! Whether a checkpoint can have the size that is given for it, judged by its name, the leaderboards and its shape (the
//! witnesses).
//!
//! Listings are wrong in ways that no single source reveals: a mixture counted as if it had one expert, packed weights
//! counted by the machine word, a merge of eight billion parameters listed with seven million. A size is used only
//! where no witness differs from it by more than the factor [`APART`].

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::tables::{Checkpoint, ResolvedBy, Structure};
use crate::words::{Stated, sizes};

/// Two sizes that differ by more than this factor cannot be of one checkpoint. Smaller differences are normal: names
/// round, and embeddings may or may not be counted.
pub const APART: f64 = 1.6;
/// A size stated in a name below this many billions is a context length (`1M`) or a number of steps.
const LEAST_STATED: f64 = 0.01;
/// Factor on a mixture's smallest possible size that allows for norms, gates and a layer without experts.
const SLACK: f64 = 0.9;

/// The sizes that leaderboards list, for each checkpoint.
#[derive(Debug, Clone, Default)]
pub struct ListedSizes<'a> {
    listed: BTreeMap<&'a str, Vec<f64>>,
}

/// The verdict on a checkpoint's size.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// Billions of parameters; `None` where no size is known or sizes disagree.
    pub size: Option<f64>,
    /// Which sizes disagree, in words; `None` where none do.
    pub disagreement: Option<String>,
}

impl<'a> ListedSizes<'a> {
    /// Collects the sizes that the leaderboards of a catalog list.
    pub fn of(catalog: &'a Catalog) -> Self {
        let mut listed: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for row in &catalog.evaluations {
            if let Some(size) = row.listed_size.filter(|&size| size > 0.0) {
                let sizes = listed.entry(row.id.as_str()).or_default();
                if !sizes.contains(&size) {
                    sizes.push(size);
                }
            }
        }
        Self { listed }
    }

    /// Judges a checkpoint's size: the `counted` parameters where given, else the size that the catalog has.
    pub fn judge(
        &self,
        structure: &Structure,
        checkpoint: Option<&Checkpoint>,
        counted: Option<i64>,
    ) -> Judgement {
        let billions = |count: i64| count as f64 / 1e9;
        let kept: Vec<f64> = [
            checkpoint.and_then(|row| row.parameters_total).map(billions),
            structure.size,
        ]
        .into_iter()
        .flatten()
        .filter(|&size| size > 0.0)
        .collect();
        let counted = counted.filter(|&count| count > 0).map(billions);
        let Some(size) = counted.or(kept.first().copied()) else {
            return Judgement::default();
        };
        let is = |pick: fn(&Checkpoint) -> Option<bool>| checkpoint.and_then(pick) == Some(true);
        let disagreement = Witnesses {
            size,
            is_mixture: is(|row| row.is_moe),
            packed: is(|row| row.quantized),
            exact: structure.resolved_by == ResolvedBy::Exact,
            active: checkpoint.and_then(|row| row.parameters_active).map(billions),
            shape: Shape::of(structure),
            stated: stated(&structure.id),
            boards: self.listed.get(structure.id.as_str()).map_or(&[], Vec::as_slice),
            kept: &kept,
        }
        .against()
        .map(|witness| {
            format!(
                "sizes disagree: {} B {}, {witness}",
                short(size),
                origin(counted, &kept)
            )
        });
        Judgement {
            size: disagreement.is_none().then_some(size),
            disagreement,
        }
    }
}

/// The phrase for where the size being judged comes from.
fn origin(counted: Option<f64>, kept: &[f64]) -> &'static str {
    match counted {
        Some(size) if !kept.iter().any(|&other| !apart(size, other)) => "by the shape",
        _ => "listed",
    }
}

/// Sizes that a name states, in billions; for a mixture with all experts.
fn stated(id: &str) -> Vec<f64> {
    if counts_experts(id) {
        return Vec::new();
    }
    sizes(id)
        .into_iter()
        .map(|stated| match stated {
            Stated::Dense(size) => size,
            Stated::Mixture(experts, size) => experts as f64 * size,
        })
        .filter(|&size| size >= LEAST_STATED)
        .collect()
}

/// Whether a name states a number of experts beside a size, as in `17B-128E`: the size is then that of the parameters
/// active per token.
fn counts_experts(id: &str) -> bool {
    let name = id.rsplit('/').next().unwrap_or(id);
    let mut parts = name.split(|mark: char| !mark.is_ascii_alphanumeric());
    parts.any(|part| {
        let number = part.strip_suffix(['E', 'e']);
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// Whether two sizes differ by more than the factor [`APART`].
pub fn apart(a: f64, b: f64) -> bool {
    a > b * APART || b > a * APART
}

fn short(size: f64) -> String {
    // A size of some thousands must not be shown as zero.
    let digits = if size < 0.01 { 6 } else { 3 };
    let text = format!("{size:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn list(sizes: &[f64]) -> String {
    let mut texts: Vec<String> = sizes.iter().map(|&size| short(size)).collect();
    texts.dedup();
    texts.join(" or ")
}

/// Bounds on the parameters of a shape with one expert, in billions.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Two matrices in the feed-forward layer, the output head tied to the embedding.
    least: f64,
    /// Three matrices, an output head of its own, attention twice as wide as the model.
    most: f64,
    /// Attention, embedding and one expert.
    one_expert: f64,
    /// As `one_expert`, with a second expert.
    two_experts: f64,
}

impl Shape {
    fn of(structure: &Structure) -> Option<Self> {
        let count = |value: Option<i64>| value.filter(|&value| value > 0).map(|value| value as f64);
        let (layers, width) = (count(structure.layers)?, count(structure.d_model)?);
        let (inner, heads) = (count(structure.d_ffn)?, count(structure.heads)?);
        let kv_heads = count(structure.kv_heads).unwrap_or(heads);
        let embedding = count(structure.vocab_size).unwrap_or(0.0) * width;
        let attention = 2.0 * width * width * (1.0 + (kv_heads / heads).min(1.0));
        let matrix = width * inner;
        let billions = |in_layer: f64, tables: f64| (layers * in_layer + tables) / 1e9;
        Some(Self {
            least: billions(attention + 2.0 * matrix, embedding),
            most: billions(2.0 * attention + 3.0 * matrix, 2.0 * embedding),
            one_expert: billions(attention + 2.0 * matrix, embedding),
            two_experts: billions(attention + 4.0 * matrix, embedding),
        })
    }
}

struct Witnesses<'a> {
    size: f64,
    is_mixture: bool,
    packed: bool,
    exact: bool,
    active: Option<f64>,
    shape: Option<Shape>,
    stated: Vec<f64>,
    boards: &'a [f64],
    kept: &'a [f64],
}

impl Witnesses<'_> {
    /// The first witness that contradicts the size, in words; `None` if none does.
    fn against(&self) -> Option<String> {
        let size = self.size;
        let greatest = self.stated.iter().copied().reduce(f64::max);
        // A mixture's name may state the active size beside the total; only the total counts.
        let by_name: Vec<f64> = if self.is_mixture {
            greatest.into_iter().collect()
        } else {
            self.stated.clone()
        };
        // Names round, and some truncate: 1.7 B is called `1b`.
        let named = by_name
            .iter()
            .any(|&stated| !apart(size, stated) || (size.floor() - stated).abs() < 1e-9);
        if !by_name.is_empty() && !named {
            return Some(format!("{} B by its name", list(&by_name)));
        }
        if let Some(shape) = self.shape {
            if self.is_mixture && size < SLACK * shape.two_experts {
                let least = short(shape.two_experts);
                return Some(format!("at least {least} B by two experts of its width"));
            }
            let active = self.active.filter(|_| self.is_mixture);
            if let Some(active) = active.filter(|active| active * APART < shape.one_expert) {
                return Some(format!(
                    "but {} B of them active, less than the {} B of one expert in every layer",
                    short(active),
                    short(shape.one_expert)
                ));
            }
            if !self.is_mixture && (size * APART < shape.least || size > shape.most * APART) {
                return Some(format!("{} B by the shape", short(shape.least)));
            }
        }
        // Packed weights are counted by the machine word, so a smaller listing is no contradiction where another
        // witness supports the size.
        let small_is_no_objection = self.packed || named || self.exact && !self.is_mixture;
        let objects = |sizes: &[f64]| {
            !sizes.is_empty()
                && sizes.iter().all(|&other| apart(size, other))
                && !(small_is_no_objection && sizes.iter().all(|&other| other < size))
        };
        if objects(self.boards) {
            return Some(format!("{} B by a leaderboard", list(self.boards)));
        }
        objects(self.kept).then(|| format!("{} B listed", list(self.kept)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(id: &str, shape: [i64; 5], total: i64, moe: bool, board: Option<f64>) -> Judgement {
        let [layers, d_model, d_ffn, heads, vocab] = shape.map(Some);
        let structure = Structure {
            id: id.into(),
            layers,
            d_model,
            d_ffn,
            heads,
            kv_heads: Some(8),
            vocab_size: vocab,
            resolved_by: ResolvedBy::Exact,
            ..Structure::default()
        };
        let checkpoint = Checkpoint {
            id: id.into(),
            parameters_total: Some(total),
            is_moe: Some(moe),
            ..Checkpoint::default()
        };
        let listed = board.map(|board| (id, vec![board])).into_iter().collect();
        ListedSizes { listed }.judge(&structure, Some(&checkpoint), None)
    }

    const SEVEN: [i64; 5] = [32, 4096, 14_336, 32, 32_000];

    #[test]
    fn a_mixture_counted_with_one_expert_is_not_believed() {
        let one = judged("x/some-moe", SEVEN, 7_242_000_000, true, None);
        assert!(
            one.disagreement
                .is_some_and(|words| words.contains("two experts"))
        );
        let listed = judged("x/some-moe", SEVEN, 14_000_000_000, true, Some(42.0));
        assert_eq!(
            listed.disagreement.as_deref(),
            Some("sizes disagree: 14 B listed, 42 B by a leaderboard")
        );
        let right = judged("x/Mixtral-8x7B", SEVEN, 46_702_792_704, true, Some(46.0));
        assert_eq!((right.size, right.disagreement), (Some(46.702_792_704), None));
    }

    #[test]
    fn a_name_or_a_shape_speaks_against_a_tiny_size() {
        let named = judged("x/Merge-8B", [4, 64, 256, 4, 1000], 7_000_000, false, None);
        assert_eq!(
            named.disagreement.as_deref(),
            Some("sizes disagree: 0.007 B listed, 8 B by its name")
        );
        let shaped = judged("x/Merge", SEVEN, 7_000_000, false, None);
        assert!(
            shaped
                .disagreement
                .is_some_and(|words| words.contains("by the shape"))
        );
    }

    #[test]
    fn a_name_may_cut_its_size_and_state_what_one_token_uses() {
        let small = [24, 2048, 8192, 32, 32_000];
        assert_eq!(
            judged("x/cosmos-1b", small, 1_711_000_000, false, None).disagreement,
            None
        );
        assert!(
            judged("x/cosmos-1b", small, 2_100_000_000, false, None)
                .disagreement
                .is_some()
        );
        let many = judged("x/Name-17B-128E-Instruct", SEVEN, 400_711_848_960, true, None);
        assert_eq!(many.disagreement, None);
    }

    #[test]
    fn words_that_are_no_sizes_do_not_speak_and_packed_listings_do_not_object() {
        let seven = 7_241_732_096;
        for id in ["x/name-4bit", "x/name-16bit-8k", "x/name-7B-1M", "x/name-3.8x"] {
            assert_eq!(judged(id, SEVEN, seven, false, None).disagreement, None, "{id}");
        }
        let packed = judged("x/name-7B-GPTQ", SEVEN, seven, false, Some(1.13));
        assert_eq!(packed.disagreement, None);
    }
}
