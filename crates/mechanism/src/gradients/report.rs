//! Reduces a layer's gradients to their spectra.

use rayon::prelude::*;

use super::{FeedForwardGradients, LayerGradients, MatrixGradient, MixtureGradients, MlpGradients};
use crate::decoder::block_gradient::{BlockGradient, FeedForwardGradient};
use crate::decoder::linear_gradient::{LinearGradient, MlpGradient};
use crate::error::Result;
use crate::spectrum::{Spectrum, singular_values};

/// Nuclear norms of all matrices, in the order of [`BlockGradient::linears`].
pub(super) fn nuclear_norms(gradient: &BlockGradient) -> Result<Vec<f64>> {
    let norm = |linear: &&LinearGradient| Ok(singular_values(&linear.weight)?.iter().sum());
    gradient.linears().par_iter().map(norm).collect()
}

/// Spectra of `total`, together with the nuclear norms of each sample's gradient (`own`; empty if not requested).
pub(crate) fn report(total: &BlockGradient, own: &[Vec<f64>]) -> Result<LayerGradients> {
    let made: Vec<MatrixGradient> = total
        .linears()
        .par_iter()
        .enumerate()
        .map(|(which, linear)| {
            let values = singular_values(&linear.weight)?;
            let norms: Vec<f64> = own.iter().map(|norms| norms[which]).collect();
            let mean = (!norms.is_empty()).then(|| norms.iter().sum::<f64>() / norms.len() as f64);
            Ok(MatrixGradient {
                spectrum: Spectrum::of(&values),
                per_sample_nuclear: (!norms.is_empty()).then_some(norms),
                per_sample_nuclear_mean: mean,
                singular_values: values,
            })
        })
        .collect::<Result<_>>()?;
    let mut made = made.into_iter();
    let mut next = || made.next().expect("one for each matrix of the gradient");
    Ok(LayerGradients {
        q: next(),
        k: next(),
        v: next(),
        o: next(),
        feed_forward: match &total.feed_forward {
            FeedForwardGradient::Dense(mlp) => FeedForwardGradients::Dense(Box::new(of_mlp(mlp, &mut next))),
            FeedForwardGradient::Mixture(mixture) => {
                FeedForwardGradients::Mixture(Box::new(MixtureGradients {
                    router: next(),
                    experts: mixture.experts.iter().map(|mlp| of_mlp(mlp, &mut next)).collect(),
                    shared: mixture.shared.as_ref().map(|(mlp, _)| of_mlp(mlp, &mut next)),
                    shared_gate: mixture.shared.as_ref().map(|_| next()),
                }))
            }
        },
    })
}

fn of_mlp(mlp: &MlpGradient, next: &mut impl FnMut() -> MatrixGradient) -> MlpGradients {
    MlpGradients {
        gate: mlp.gate.as_ref().map(|_| next()),
        up: next(),
        down: next(),
    }
}
