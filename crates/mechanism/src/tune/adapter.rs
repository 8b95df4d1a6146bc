//! Low-rank adapters: `W' = W + (α/r)·B·A` (Hu et al. 2021, <https://arxiv.org/abs/2106.09685>), and their gradients.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::DecoderConfig;
use crate::decoder::Layer;
use crate::decoder::block_gradient::{BlockGradient, FeedForwardGradient};
use crate::decoder::gradient::GradientMatrix;
use crate::decoder::layer::FeedForward;
use crate::decoder::linear::Linear;
use crate::decoder::matmul::{View, multiply_parallel};
use crate::error::{Error, Result};

/// The matrices that can be adapted, by their names in a layer of transformers.
pub const TARGETS: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

/// The two low-rank factors of one matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    /// Index in [`TARGETS`].
    pub target: usize,
    /// Width of the output.
    pub n_out: usize,
    /// Width of the input.
    pub n_in: usize,
    /// `A`, `(rank, n_in)`.
    pub a: Vec<f32>,
    /// `B`, `(n_out, rank)`.
    pub b: Vec<f32>,
}

/// A low-rank adapter of a whole decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// Rank `r`.
    pub rank: usize,
    /// Scale `α`; the product `B·A` is multiplied by `α/r`.
    pub alpha: f32,
    /// Factors of each layer's matrices.
    pub layers: Vec<Vec<Factors>>,
}

/// The matrix `target` of a layer; `None` if the layer has none.
fn linear(layer: &mut Layer, target: usize) -> Option<&mut Linear> {
    let mlp = match &mut layer.feed_forward {
        FeedForward::Dense(mlp) => Some(mlp),
        FeedForward::Mixture(_) => None,
    };
    match target {
        0 => Some(&mut layer.q),
        1 => Some(&mut layer.k),
        2 => Some(&mut layer.v),
        3 => Some(&mut layer.o),
        4 => mlp.and_then(|mlp| mlp.gate.as_mut()),
        5 => mlp.map(|mlp| &mut mlp.up),
        _ => mlp.map(|mlp| &mut mlp.down),
    }
}

fn gradient(of: &BlockGradient, target: usize) -> Option<&GradientMatrix> {
    let FeedForwardGradient::Dense(mlp) = &of.feed_forward else {
        return None;
    };
    let linear = match target {
        0 => &of.q,
        1 => &of.k,
        2 => &of.v,
        3 => &of.o,
        4 => mlp.gate.as_ref()?,
        5 => &mlp.up,
        _ => &mlp.down,
    };
    Some(&linear.weight)
}

/// `a·b` as a row-major matrix `(a.rows, b.columns)`.
fn product(a: View<'_>, b: View<'_>) -> Vec<f32> {
    let mut out = vec![0.0; a.rows * b.columns];
    multiply_parallel(&mut out, a, b, 0.0);
    out
}

impl Adapter {
    /// A new adapter, which changes nothing yet: `A` uniform in `±1/√n_in` as in PEFT, `B` zero.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] for mixtures of experts.
    pub fn new(config: &DecoderConfig, layers: &[Layer], rank: usize, alpha: f32, seed: u64) -> Result<Self> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut all = Vec::with_capacity(config.n_layers);
        for layer in layers {
            if matches!(layer.feed_forward, FeedForward::Mixture(_)) {
                return Err(Error::Unavailable {
                    method: "a low-rank adapter",
                    what: "a layer with a mixture of experts",
                });
            }
            let mut layer = layer.clone();
            let mut own = Vec::new();
            for target in 0..TARGETS.len() {
                let Some(linear) = linear(&mut layer, target) else {
                    continue;
                };
                let bound = 1.0 / (linear.n_in as f32).sqrt();
                own.push(Factors {
                    target,
                    n_out: linear.n_out,
                    n_in: linear.n_in,
                    a: (0..rank * linear.n_in)
                        .map(|_| (random.random::<f32>() * 2.0 - 1.0) * bound)
                        .collect(),
                    b: vec![0.0; linear.n_out * rank],
                });
            }
            all.push(own);
        }
        Ok(Self {
            rank,
            alpha,
            layers: all,
        })
    }

    fn scale(&self) -> f32 {
        self.alpha / self.rank as f32
    }

    /// Layer `index` with the scaled products `B·A` added to its matrices.
    pub fn merged(&self, layer: &Layer, index: usize) -> Layer {
        let mut merged = layer.clone();
        for factors in &self.layers[index] {
            if let Some(linear) = linear(&mut merged, factors.target) {
                let b: Vec<f32> = factors.b.iter().map(|v| v * self.scale()).collect();
                // The layer stores `Wᵀ`, `(n_in, n_out)`, so `Aᵀ·Bᵀ` is added.
                multiply_parallel(
                    linear.weight_mut(),
                    View::new(&factors.a, self.rank, factors.n_in, factors.n_in).t(),
                    View::new(&b, factors.n_out, self.rank, self.rank).t(),
                    1.0,
                );
            }
        }
        merged
    }

    /// Gradients of `A` and `B` of layer `index`, in the order of its factors, from those of the merged matrices:
    /// `dB = s·dW·Aᵀ`, `dA = s·Bᵀ·dW`, where `dW = dYᵀ·X` is not formed if its factors are available.
    pub(super) fn gradients(&self, index: usize, of: &BlockGradient) -> Vec<(Vec<f32>, Vec<f32>)> {
        let (rank, scale) = (self.rank, self.scale());
        let scaled = |mut values: Vec<f32>| {
            crate::decoder::elementwise::scale(&mut values, scale);
            values
        };
        let one = |factors: &Factors| {
            let (n_out, n_in) = (factors.n_out, factors.n_in);
            let a = View::new(&factors.a, rank, n_in, n_in);
            let b = View::new(&factors.b, n_out, rank, rank);
            let (d_a, d_b) = match gradient(of, factors.target) {
                None => (vec![0.0; factors.a.len()], vec![0.0; factors.b.len()]),
                Some(GradientMatrix::Dense { values, .. }) => {
                    let d_w = View::new(values, n_out, n_in, n_in);
                    (product(b.t(), d_w), product(d_w, a.t()))
                }
                Some(GradientMatrix::Factors { dy, x, .. }) => {
                    let tokens = x.len() / n_in;
                    let dy = View::new(dy, tokens, n_out, n_out);
                    let x = View::new(x, tokens, n_in, n_in);
                    let (through_b, through_a) = (product(dy, b), product(x, a.t()));
                    (
                        product(View::new(&through_b, tokens, rank, rank).t(), x),
                        product(dy.t(), View::new(&through_a, tokens, rank, rank)),
                    )
                }
            };
            (scaled(d_a), scaled(d_b))
        };
        self.layers[index].iter().map(one).collect()
    }
}
