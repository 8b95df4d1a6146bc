//! From a layer's gradients to their spectra.

use rayon::prelude::*;

use super::{LayerGradients, MatrixGradient};
use crate::decoder::block_gradient::BlockGradient;
use crate::decoder::gradient::GradientMatrix;
use crate::error::Result;
use crate::spectrum::{Spectrum, singular_values};

/// The seven matrices, in the order of [`LayerGradients`].
fn matrices(gradient: &BlockGradient) -> [Option<&GradientMatrix>; 7] {
    let g = gradient;
    [
        Some(&g.q),
        Some(&g.k),
        Some(&g.v),
        Some(&g.o),
        g.gate.as_ref(),
        Some(&g.up),
        Some(&g.down),
    ]
    .map(|linear| linear.map(|linear| &linear.weight))
}

pub(super) fn nuclear_norms(gradient: &BlockGradient) -> Result<[Option<f64>; 7]> {
    let mut norms = [None; 7];
    let found: Vec<Option<f64>> = matrices(gradient)
        .par_iter()
        .map(|matrix| {
            matrix
                .map(|matrix| Ok(singular_values(matrix)?.iter().sum()))
                .transpose()
        })
        .collect::<Result<_>>()?;
    norms.copy_from_slice(&found);
    Ok(norms)
}

pub(super) fn report(total: &BlockGradient, own: &[[Option<f64>; 7]]) -> Result<LayerGradients> {
    let made: Vec<Option<MatrixGradient>> = matrices(total)
        .par_iter()
        .enumerate()
        .map(|(which, matrix)| {
            let Some(matrix) = matrix else { return Ok(None) };
            let values = singular_values(matrix)?;
            let norms: Vec<f64> = own.iter().filter_map(|norms| norms[which]).collect();
            let mean = (!norms.is_empty()).then(|| norms.iter().sum::<f64>() / norms.len() as f64);
            Ok(Some(MatrixGradient {
                spectrum: Spectrum::of(&values),
                per_sample_nuclear: (!norms.is_empty()).then_some(norms),
                per_sample_nuclear_mean: mean,
                singular_values: values,
            }))
        })
        .collect::<Result<_>>()?;
    let mut made = made.into_iter();
    let mut next = || made.next().flatten();
    let always = "every block has this matrix";
    Ok(LayerGradients {
        q: next().expect(always),
        k: next().expect(always),
        v: next().expect(always),
        o: next().expect(always),
        gate: next(),
        up: next().expect(always),
        down: next().expect(always),
    })
}
