//! Counts the parameters of dense decoders from their dimensions: one formula, and for each family the tensors it has.
//!
//! Each family's recipe follows its modelling code in Hugging Face transformers; tests compare with published counts.

/// Which tensors a dense decoder has; their sizes follow from its dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether one kind of tensor exists"
)]
pub(crate) struct Recipe {
    /// Three matrices in the feed-forward layer instead of two.
    pub(crate) gated: bool,
    /// Biases of query, key and value.
    pub(crate) qkv_bias: bool,
    /// Bias of the attention's output.
    pub(crate) out_bias: bool,
    /// Biases in the feed-forward layer.
    pub(crate) mlp_bias: bool,
    /// Number of learned scalars of the activation function in each layer.
    pub(crate) scalars: i64,
    /// Number of norms per layer that are as wide as the residual stream.
    pub(crate) norms: i64,
    /// Norms have a bias.
    pub(crate) norm_bias: bool,
    /// Norms have a weight.
    pub(crate) norm_weight: bool,
    /// Norms of queries and keys, as wide as one head.
    pub(crate) head_norms: bool,
    /// The output head shares the embedding's weights.
    pub(crate) tied: bool,
    /// The output head has a bias.
    pub(crate) head_bias: bool,
    /// Number of rows of learned positions beyond `pos`; `None` without learned positions.
    pub(crate) positions: Option<i64>,
    /// A norm after the embedding.
    pub(crate) embedding_norm: bool,
    /// A norm after the last layer.
    pub(crate) final_norm: bool,
    /// Where the config states no key and value heads: one (multi-query) if true, as many as query heads if false.
    pub(crate) multi_query: bool,
    /// Checkpoints may store the causal mask as a tensor, in every layer or in every second one.
    pub(crate) masks: bool,
}

impl Recipe {
    /// Numbers of values that causal masks over `pos` positions may add per layer on average: 0, or, where masks are
    /// stored, also those of a mask in every layer or in every second layer.
    pub(crate) fn masks(self, pos: i64) -> Vec<i128> {
        let mask = i128::from(pos) * i128::from(pos);
        if self.masks {
            vec![0, mask, mask / 2]
        } else {
            vec![0]
        }
    }
}

/// Llama: RMS norms, gated, no biases.
const LLAMA: Recipe = Recipe {
    gated: true,
    qkv_bias: false,
    out_bias: false,
    mlp_bias: false,
    scalars: 0,
    norms: 2,
    norm_bias: false,
    norm_weight: true,
    head_norms: false,
    tied: false,
    head_bias: false,
    positions: None,
    embedding_norm: false,
    final_norm: true,
    multi_query: false,
    masks: false,
};

/// GPT-2: layer norms, two matrices in the feed-forward layer, biases everywhere, learned positions.
const GPT2: Recipe = Recipe {
    gated: false,
    qkv_bias: true,
    out_bias: true,
    mlp_bias: true,
    norm_bias: true,
    tied: true,
    positions: Some(0),
    masks: true,
    ..LLAMA
};

/// Number of positions of a family's checkpoints where the config states none.
pub(crate) fn usual_positions(family: &str) -> i64 {
    if family == "gpt2" { 1_024 } else { 2_048 }
}

/// The recipe of a family with a name as [`crate::config::family`] gives it; `None` where none is known.
pub(crate) fn recipe(family: &str) -> Option<Recipe> {
    Some(match family {
        "llama" | "mistral" | "phi3" | "internlm2" | "yi" | "baichuan" | "decilm" | "solar" | "granite"
        | "ministral" | "ministral3" | "exaone" | "olmo2" | "olmo3" | "nemotronnas" | "xverse"
        | "openelm" | "hunyuan" | "arctic" | "helium" | "mamba2" => LLAMA,
        "lfm2" => Recipe {
            tied: true,
            head_norms: true,
            ..LLAMA
        },
        "qwen" | "qwen2" | "glm" | "chatglm" | "seedoss" => Recipe {
            qkv_bias: true,
            ..LLAMA
        },
        // Two matrices, and an activation (xIELU) with two learned scalars.
        "apertus" => Recipe {
            gated: false,
            head_norms: true,
            scalars: 2,
            ..LLAMA
        },
        "qwen3" | "exaone4" | "hunyuanv1dense" => Recipe {
            head_norms: true,
            ..LLAMA
        },
        "glm4" => Recipe {
            qkv_bias: true,
            norms: 4,
            ..LLAMA
        },
        "gemma" | "smollm3" | "ernie45" | "mamba" | "falconmamba" => Recipe { tied: true, ..LLAMA },
        "gemma2" => Recipe {
            tied: true,
            norms: 4,
            ..LLAMA
        },
        "gemma3" => Recipe {
            tied: true,
            norms: 4,
            head_norms: true,
            ..LLAMA
        },
        "cohere" | "cohere2" => Recipe {
            tied: true,
            norms: 1,
            ..LLAMA
        },
        "olmo" => Recipe {
            norms: 0,
            norm_weight: false,
            final_norm: false,
            ..LLAMA
        },
        "stablelm" => Recipe {
            norm_bias: true,
            ..LLAMA
        },
        "phi3small" => Recipe {
            qkv_bias: true,
            out_bias: true,
            mlp_bias: true,
            norm_bias: true,
            tied: true,
            ..LLAMA
        },
        "phimoe" => Recipe {
            qkv_bias: true,
            out_bias: true,
            norm_bias: true,
            head_bias: true,
            ..LLAMA
        },
        "nemotron" => Recipe {
            gated: false,
            norm_bias: true,
            ..LLAMA
        },
        "arcee" | "nemotronh" => Recipe {
            gated: false,
            ..LLAMA
        },
        "gpt2" => GPT2,
        "opt" => Recipe {
            positions: Some(2),
            masks: false,
            ..GPT2
        },
        "gptneo" => Recipe {
            qkv_bias: false,
            ..GPT2
        },
        "gptbigcode" => Recipe {
            multi_query: true,
            masks: false,
            ..GPT2
        },
        "bloom" => Recipe {
            positions: None,
            embedding_norm: true,
            masks: false,
            ..GPT2
        },
        "gptneox" => Recipe {
            positions: None,
            tied: false,
            ..GPT2
        },
        "gptj" | "codegen" => Recipe {
            qkv_bias: false,
            out_bias: false,
            positions: None,
            tied: false,
            norms: 1,
            head_bias: true,
            ..GPT2
        },
        "phi" => Recipe {
            positions: None,
            tied: false,
            norms: 1,
            head_bias: true,
            masks: false,
            ..GPT2
        },
        "starcoder2" | "xglm" => Recipe {
            positions: None,
            masks: false,
            ..GPT2
        },
        "mpt" => Recipe {
            qkv_bias: false,
            out_bias: false,
            mlp_bias: false,
            norm_bias: false,
            positions: None,
            masks: false,
            ..GPT2
        },
        "falcon" => Recipe {
            qkv_bias: false,
            out_bias: false,
            mlp_bias: false,
            positions: None,
            norms: 1,
            multi_query: true,
            masks: false,
            ..GPT2
        },
        _ => return None,
    })
}

/// The dimensions that the count needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) layers: i64,
    pub(crate) d_model: i64,
    pub(crate) d_ffn: i64,
    pub(crate) heads: i64,
    pub(crate) kv_heads: i64,
    pub(crate) head_dim: i64,
    pub(crate) vocab: i64,
    pub(crate) pos: i64,
}

/// All parameters of a dense decoder; `None` where they exceed 2^63.
pub(crate) fn dense(recipe: Recipe, sizes: Sizes) -> Option<i64> {
    let layers = i128::from(sizes.layers).checked_mul(layer(recipe, sizes)?)?;
    i64::try_from(layers.checked_add(outside(recipe, sizes)?)?).ok()
}

/// Parameters of one layer.
pub(crate) fn layer(recipe: Recipe, sizes: Sizes) -> Option<i128> {
    attention(recipe, sizes)?
        .checked_add(feed_forward(recipe, sizes.d_model, sizes.d_ffn)?)?
        .checked_add(i128::from(recipe.norms).checked_mul(norm(recipe, sizes.d_model))?)
}

/// Parameters of one layer's attention.
pub(crate) fn attention(recipe: Recipe, sizes: Sizes) -> Option<i128> {
    let width = i128::from(sizes.d_model);
    let head = i128::from(sizes.head_dim);
    let queries = i128::from(sizes.heads).checked_mul(head)?;
    let keys = i128::from(sizes.kv_heads).checked_mul(head)?.checked_mul(2)?;
    let mut count = width.checked_mul(queries.checked_mul(2)?.checked_add(keys)?)?;
    if recipe.qkv_bias {
        count = count.checked_add(queries.checked_add(keys)?)?;
    }
    if recipe.out_bias {
        count = count.checked_add(width)?;
    }
    if recipe.head_norms {
        count = count.checked_add(2 * head)?;
    }
    Some(count)
}

/// Parameters of one feed-forward layer of width `d_ffn`.
pub(crate) fn feed_forward(recipe: Recipe, d_model: i64, d_ffn: i64) -> Option<i128> {
    let (width, inner) = (i128::from(d_model), i128::from(d_ffn));
    let matrices = if recipe.gated { 3 } else { 2 };
    let mut count = width.checked_mul(inner)?.checked_mul(matrices)?;
    if recipe.mlp_bias {
        count = count
            .checked_add(inner.checked_mul(matrices - 1)?)?
            .checked_add(width)?;
    }
    count.checked_add(i128::from(recipe.scalars))
}

/// Parameters of one norm as wide as the residual stream.
pub(crate) fn norm(recipe: Recipe, d_model: i64) -> i128 {
    i128::from(d_model) * (i128::from(recipe.norm_weight) + i128::from(recipe.norm_bias))
}

/// Parameters outside the layers: embedding, positions, norms, output head.
pub(crate) fn outside(recipe: Recipe, sizes: Sizes) -> Option<i128> {
    let (width, vocab) = (i128::from(sizes.d_model), i128::from(sizes.vocab));
    let table = width.checked_mul(vocab)?;
    let mut count = if recipe.tied { table } else { table.checked_mul(2)? };
    if recipe.head_bias {
        count = count.checked_add(vocab)?;
    }
    if let Some(more) = recipe.positions {
        count = count.checked_add(width.checked_mul(i128::from(sizes.pos) + i128::from(more))?)?;
    }
    let norms = i128::from(recipe.embedding_norm) + i128::from(recipe.final_norm);
    count.checked_add(norms * norm(recipe, sizes.d_model))
}
