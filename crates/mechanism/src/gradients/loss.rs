//! The supervised fine-tuning loss and its gradient with respect to the last residual stream.

use crate::checkpoint::Checkpoint;
use crate::decoder::elementwise::{exp, log_sum_exp};
use crate::decoder::matmul::{View, multiply_parallel};
use crate::run::{Group, Head};

/// Losses of a group's samples, and the gradient of their sum with respect to the stream after the last layer.
pub(crate) fn loss_backward(
    checkpoint: &Checkpoint,
    head: &Head<'_>,
    group: &Group,
    samples: &[(Vec<u32>, usize)],
    x: &[f32],
    losses: &mut Vec<f64>,
) -> Vec<f32> {
    let config = &checkpoint.config;
    let (d, vocab) = (config.d_model, config.vocab_size);
    let mut dx = vec![0.0; x.len()];
    for (segment, (ids, prompt)) in group.segments.iter().zip(samples) {
        // The token before a response's token is the one that predicts it.
        let first = segment.rows.start + prompt - 1;
        let targets = &ids[*prompt..];
        let n = targets.len();
        let rows = &x[first * d..(first + n) * d];
        let mut d_normed = vec![0.0; n * d];
        let mut loss = 0.0;
        // Blocks of rows, so that logits stay small.
        for (block, targets) in targets.chunks(64).enumerate() {
            let here = block * 64 * d..(block * 64 + targets.len()) * d;
            let mut logits = head.logits(&rows[here.clone()]);
            for (row, target) in logits.chunks_exact_mut(vocab).zip(targets) {
                let (_, total) = log_sum_exp(row);
                loss += (total - f64::from(row[*target as usize])) / n as f64;
                let mean = 1.0 / n as f32;
                let total = total as f32;
                let cap = config.logit_cap;
                for (token, value) in row.iter_mut().enumerate() {
                    let logit = *value;
                    let wanted = if token == *target as usize { 1.0 } else { 0.0 };
                    let through = cap.map_or(1.0, |cap| 1.0 - (logit / cap) * (logit / cap));
                    *value = (exp(logit - total) - wanted) * mean * through;
                }
            }
            let table = head.table();
            multiply_parallel(
                &mut d_normed[here],
                View::new(&logits, targets.len(), vocab, vocab),
                table,
                0.0,
            );
        }
        let mut ignored = head.norm().zero_gradient();
        head.norm().backward(
            rows,
            &d_normed,
            d,
            &mut dx[first * d..(first + n) * d],
            &mut ignored,
        );
        losses.push(loss);
    }
    dx
}
