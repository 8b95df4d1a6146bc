//! The supervised fine-tuning loss and its gradient with respect to the residual stream after the last layer.

use crate::config::DecoderConfig;
use crate::decoder::Machine;
use crate::decoder::norm::NormGradient;
use crate::error::Result;
use crate::run::{Group, Head};

/// Appends the losses of a group's samples to `losses`; returns the gradient of their sum with respect to `x`.
pub(crate) fn loss_backward<M: Machine>(
    head: &Head<'_, M>,
    config: &DecoderConfig,
    group: &Group,
    samples: &[(Vec<u32>, usize)],
    x: &M::Rows,
    losses: &mut Vec<f64>,
) -> Result<M::Rows> {
    let (machine, d) = (head.machine(), config.d_model);
    let mut dx = M::Rows::default();
    machine.zeros(machine.len(x), &mut dx);
    let [mut rows, mut normed, mut logits, mut d_normed, mut d_rows] =
        std::array::from_fn(|_| M::Rows::default());
    let mut ignored = NormGradient {
        weight: vec![0.0; d],
        bias: head.norm().bias.as_ref().map(|_| vec![0.0; d]),
    };
    for (segment, (ids, prompt)) in group.segments.iter().zip(samples) {
        // The row of the token before a response token predicts that token.
        let first = segment.rows.start + prompt - 1;
        let targets = &ids[*prompt..];
        let n = targets.len();
        let mut loss = 0.0;
        // In blocks of rows, so that the logits stay small.
        for (block, targets) in targets.chunks(64).enumerate() {
            let here = first + block * 64..first + block * 64 + targets.len();
            machine.take(x, d, &mut here.clone(), &mut rows);
            head.logits_of(&rows, &mut normed, &mut logits);
            let mean = 1.0 / n as f32;
            let terms = machine.loss_back(&mut logits, config.vocab_size, targets, mean, config.logit_cap)?;
            for term in terms {
                loss += term / n as f64;
            }
            machine.zeros(targets.len() * d, &mut d_normed);
            machine.product_back(&logits, head.table(), &mut d_normed);
            machine.norm_back(head.norm(), &rows, &d_normed, d, &mut d_rows, &mut ignored)?;
            machine.put(&d_rows, here.start * d, &mut dx);
        }
        losses.push(loss);
    }
    Ok(dx)
}
