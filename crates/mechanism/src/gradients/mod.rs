//! Gradients of the supervised fine-tuning loss, layer by layer, and their spectra.
//!
//! The loss of a sample is the mean cross-entropy of its response tokens given all tokens before them; gradients of
//! samples are summed. The forward pass stores the residual stream before every layer (in memory or on disk). The
//! backward pass loads each layer again, recomputes its intermediate results, reduces its gradients to spectra and
//! drops them. Memory: one layer, its gradients, and the streams. Method: Li et al. 2024,
//! <https://arxiv.org/abs/2410.23743>.

pub(crate) mod loss;
pub(crate) mod report;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::decoder::block::{Block, Trace};
use crate::decoder::block_gradient::BlockGradient;
use crate::decoder::device::on;
use crate::decoder::{Form, Laid, Layer, Machine};
use crate::error::{Error, Result};
use crate::run::{Group, Head, Progress, Residuals, RunSettings, run};
use crate::site::Nobody;
use crate::spectrum::Spectrum;
use loss::loss_backward;
use report::{nuclear_norms, report};

/// A prompt and the response to be learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The given text.
    pub prompt: String,
    /// The text to be learned.
    pub response: String,
}

/// Settings of the gradient computation.
#[derive(Debug, Clone)]
pub struct GradientSettings {
    /// How the network is run.
    pub run: RunSettings,
    /// Whether to compute the nuclear norms of each sample's gradient too.
    pub per_sample: bool,
}

/// Gradient of one matrix of one layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatrixGradient {
    /// Spectrum of the gradient summed over samples.
    #[serde(flatten)]
    pub spectrum: Spectrum,
    /// Nuclear norm of each sample's gradient, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_sample_nuclear: Option<Vec<f64>>,
    /// Mean of the samples' nuclear norms, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_sample_nuclear_mean: Option<f64>,
    /// Singular values of the summed gradient, greatest first; at most as many as its rank. Not serialised.
    #[serde(skip)]
    pub singular_values: Vec<f64>,
}

/// Gradients of the matrices of a feed-forward network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct MlpGradients {
    /// `None` if the family has no gate.
    pub gate: Option<MatrixGradient>,
    pub up: MatrixGradient,
    pub down: MatrixGradient,
}

/// Gradients of the matrices of a mixture of experts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixtureGradients {
    /// The router, which assigns tokens to experts.
    pub router: MatrixGradient,
    /// The experts; an expert without tokens has a zero gradient.
    pub experts: Vec<MlpGradients>,
    /// The shared expert for all tokens, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<MlpGradients>,
    /// The gate that weights the shared expert, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_gate: Option<MatrixGradient>,
}

/// Gradients of the matrices of a feed-forward part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FeedForwardGradients {
    /// A dense network.
    Dense(Box<MlpGradients>),
    /// A mixture of experts.
    Mixture(Box<MixtureGradients>),
}

/// Gradients of the matrices of one layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LayerGradients {
    pub q: MatrixGradient,
    pub k: MatrixGradient,
    pub v: MatrixGradient,
    pub o: MatrixGradient,
    /// `gate`, `up` and `down`; for a mixture `router`, `experts`, `shared` and `shared_gate`.
    #[serde(flatten)]
    pub feed_forward: FeedForwardGradients,
}

impl LayerGradients {
    /// Every matrix with its name: `q`, `down`, `router`, `experts.3.up`, `shared.gate` …
    pub fn named(&self) -> Vec<(String, &MatrixGradient)> {
        fn of_mlp<'a>(before: &str, mlp: &'a MlpGradients, all: &mut Vec<(String, &'a MatrixGradient)>) {
            let gate = mlp.gate.as_ref().map(|gate| ("gate", gate));
            let matrices = gate.into_iter().chain([("up", &mlp.up), ("down", &mlp.down)]);
            all.extend(matrices.map(|(name, matrix)| (format!("{before}{name}"), matrix)));
        }
        let mut all = vec![
            ("q".to_owned(), &self.q),
            ("k".to_owned(), &self.k),
            ("v".to_owned(), &self.v),
            ("o".to_owned(), &self.o),
        ];
        match &self.feed_forward {
            FeedForwardGradients::Dense(mlp) => of_mlp("", mlp, &mut all),
            FeedForwardGradients::Mixture(mixture) => {
                all.push(("router".to_owned(), &mixture.router));
                for (e, expert) in mixture.experts.iter().enumerate() {
                    of_mlp(&format!("experts.{e}."), expert, &mut all);
                }
                if let Some(shared) = &mixture.shared {
                    of_mlp("shared.", shared, &mut all);
                }
                let gate = mixture.shared_gate.as_ref();
                all.extend(gate.map(|gate| ("shared_gate".to_owned(), gate)));
            }
        }
        all
    }
}

/// Gradients of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gradients {
    /// Mean of the samples' losses, nats per token.
    pub mean_loss: f64,
    /// Each sample's loss.
    pub losses: Vec<f64>,
    /// Gradients of each layer.
    pub layers: Vec<LayerGradients>,
    /// Number of samples.
    pub samples: usize,
    /// Number of tokens of all prompts.
    pub prompt_tokens: usize,
    /// Number of tokens of all responses.
    pub response_tokens: usize,
}

/// Callback that receives a layer's index and its complete gradient before that is dropped.
pub type EachLayer<'a> = dyn FnMut(usize, &BlockGradient) -> Result<()> + 'a;

/// Computes gradients of the loss on `samples` with respect to every matrix of every layer.
///
/// # Errors
/// [`Error::Empty`] without samples, [`Error::EmptySample`] for an empty prompt or response, and errors of running.
pub fn gradients(
    checkpoint: &Checkpoint,
    samples: &[Sample],
    settings: &GradientSettings,
    progress: &mut dyn FnMut(Progress),
    each_layer: &mut EachLayer<'_>,
) -> Result<Gradients> {
    let encoded = encode(checkpoint, samples)?;
    gradients_of_ids(checkpoint, &encoded, settings, progress, each_layer)
}

/// As [`gradients`], for encoded samples: token ids of prompt and response together, and the number of prompt tokens.
///
/// # Errors
/// Those of [`gradients`].
pub fn gradients_of_ids(
    checkpoint: &Checkpoint,
    encoded: &[(Vec<u32>, usize)],
    settings: &GradientSettings,
    progress: &mut dyn FnMut(Progress),
    each_layer: &mut EachLayer<'_>,
) -> Result<Gradients> {
    on!(&checkpoint.device, machine => {
        gradients_on(machine, checkpoint, encoded, settings, progress, each_layer)
    })
}

fn gradients_on<M: Machine>(
    machine: &M,
    checkpoint: &Checkpoint,
    encoded: &[(Vec<u32>, usize)],
    settings: &GradientSettings,
    progress: &mut dyn FnMut(Progress),
    each_layer: &mut EachLayer<'_>,
) -> Result<Gradients> {
    let config = &checkpoint.config;
    let texts: Vec<Vec<u32>> = encoded.iter().map(|(ids, _)| ids.clone()).collect();
    // One sample per group if each sample's own spectrum is requested.
    let groups = Group::pack(
        &texts,
        if settings.per_sample {
            1
        } else {
            settings.run.tokens_a_large_group(checkpoint)
        },
    );
    let layers: Vec<usize> = (0..config.n_layers).collect();
    let lengths: Vec<usize> = groups.iter().map(|g| g.ids.len() * config.d_model).collect();
    let all = layers
        .iter()
        .flat_map(|_| lengths.iter().copied())
        .collect::<Vec<_>>();
    let mut inputs = Residuals::new(settings.run.spill.as_deref(), all.into_iter())?;
    let mut last = run(
        checkpoint,
        &groups,
        &layers,
        &settings.run,
        &mut Nobody,
        progress,
        &mut |steps| {
            let mut kept = steps.iter();
            kept.try_for_each(|s| inputs.store(s.layer * groups.len() + s.group, s.stream.before()?))
        },
    )?;
    let mut losses = Vec::with_capacity(encoded.len());
    let mut streams = Vec::with_capacity(groups.len());
    {
        let head = Head::load_on(machine, checkpoint, Form::Wide)?;
        for (i, group) in groups.iter().enumerate() {
            let x = last.take(i)?;
            let samples = &encoded[group.first_text..];
            let dx = loss_backward(
                &head,
                &checkpoint.config,
                group,
                samples,
                &machine.rows(x)?,
                &mut losses,
            )?;
            streams.push(machine.taken(dx)?);
        }
    }
    let mut reports = Vec::with_capacity(config.n_layers);
    let laid: Vec<Laid<M>> = groups
        .iter()
        .map(|g| Laid::new(machine, config, &g.segments))
        .collect::<Result<_>>()?;
    let mut trace = Trace::default();
    let mut out = M::Rows::default();
    for &index in layers.iter().rev() {
        progress(Progress {
            stage: "gradients",
            done: reports.len(),
            total: config.n_layers,
            tokens: 0,
        });
        let layer = Layer::load_on(machine, &checkpoint.weights, config, index, Form::Wide)?;
        let mut total = BlockGradient::new(&layer);
        let mut own: Vec<Vec<f64>> = Vec::new();
        for (i, group) in groups.iter().enumerate() {
            let x = machine.rows(inputs.take(index * groups.len() + i)?)?;
            let block = Block {
                machine,
                config,
                index,
                layer: &layer,
                laid: &laid[i],
                segments: &group.segments,
                first_text: group.first_text,
            };
            block.forward(&x, &mut out, &mut trace, &mut Nobody)?;
            let dy = machine.rows(std::mem::take(&mut streams[i]))?;
            let dx = if settings.per_sample {
                let mut gradient = BlockGradient::new(&layer);
                let dx = block.backward(&x, &trace, &dy, &mut gradient)?;
                own.push(nuclear_norms(&gradient)?);
                total.absorb(&gradient);
                dx
            } else {
                block.backward(&x, &trace, &dy, &mut total)?
            };
            streams[i] = machine.taken(dx)?;
        }
        each_layer(index, &total)?;
        reports.push(report(&total, &own)?);
    }
    reports.reverse();
    progress(Progress {
        stage: "gradients",
        done: config.n_layers,
        total: config.n_layers,
        tokens: 0,
    });
    let response_tokens = encoded.iter().map(|(ids, prompt)| ids.len() - prompt).sum();
    Ok(Gradients {
        mean_loss: losses.iter().sum::<f64>() / losses.len() as f64,
        losses,
        layers: reports,
        samples: encoded.len(),
        prompt_tokens: encoded.iter().map(|(_, prompt)| prompt).sum(),
        response_tokens,
    })
}

/// Token ids of prompt and response together, and the number of prompt tokens.
pub(crate) fn encode(checkpoint: &Checkpoint, samples: &[Sample]) -> Result<Vec<(Vec<u32>, usize)>> {
    if samples.is_empty() {
        return Err(Error::Empty {
            what: "sample",
            reason: "the data set has no line".to_owned(),
        });
    }
    let one = |(i, sample): (usize, &Sample)| {
        let mut ids = checkpoint.encode(&sample.prompt)?;
        let response = checkpoint.tokenizer()?.encode(&sample.response, false)?;
        checkpoint.check_ids(&response)?;
        let prompt_tokens = ids.len();
        if prompt_tokens == 0 || response.is_empty() {
            return Err(Error::EmptySample {
                sample: i,
                prompt_tokens,
                response_tokens: response.len(),
            });
        }
        ids.extend(response);
        Ok((ids, prompt_tokens))
    };
    samples.par_iter().enumerate().map(one).collect()
}
