//! Compares a checkpoint's first layer on its device with the CPU, before anything is run.

use super::{Group, embed};
use crate::checkpoint::Checkpoint;
use crate::decoder::block::{Block, Trace};
use crate::decoder::device::on;
use crate::decoder::{Cpu, Form, Laid, Layer, Machine};
use crate::error::{Error, Result};
use crate::site::Nobody;

/// Maximum number of rows that are compared.
const ROWS: usize = 32;

/// Rejects a device whose first layer deviates from the CPU's by more than `allowed`, relative to the root mean square
/// of the CPU's output.
///
/// # Errors
/// [`Error::Card`] with both numbers; errors of reading.
pub fn check_first_layer(checkpoint: &Checkpoint, allowed: f64) -> Result<()> {
    let config = &checkpoint.config;
    let first = ROWS.min(config.max_positions) * 2 / 3;
    let ids = |n: usize| (0..n).map(|i| (i * 7919 % config.vocab_size) as u32).collect();
    let texts: Vec<Vec<u32>> = vec![ids(first.max(1)), ids(first / 2 + 1)];
    let group = Group::pack(&texts, usize::MAX).remove(0);
    let x = embed(checkpoint, &group)?;
    let here = through(&Cpu, checkpoint, &group, &x)?;
    let there = on!(&checkpoint.device, machine => through(machine, checkpoint, &group, &x)?);
    let square = here.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / here.len() as f64;
    let unit = square.sqrt().max(1e-30);
    for (at, (here, there)) in here.iter().zip(&there).enumerate() {
        let error = f64::from((here - there).abs()) / unit;
        if error.is_nan() || error > allowed {
            return Err(Error::Card(format!(
                "layer 0 of this checkpoint gives {there} there and {here} on the processor (row {}, column {}; off by {error:.1e} of the typical number, {allowed:.0e} is allowed): leave out --device cuda, and report this with what `anatomy probe device --check` prints",
                at / config.d_model,
                at % config.d_model
            )));
        }
    }
    Ok(())
}

fn through<M: Machine>(machine: &M, checkpoint: &Checkpoint, group: &Group, x: &[f32]) -> Result<Vec<f32>> {
    let config = &checkpoint.config;
    let layer = Layer::load_on(machine, &checkpoint.weights, config, 0, Form::Wide)?;
    let laid = Laid::new(machine, config, &group.segments)?;
    let block = Block {
        machine,
        config,
        index: 0,
        layer: &layer,
        laid: &laid,
        segments: &group.segments,
        first_text: 0,
    };
    let mut out = M::Rows::default();
    block.forward(
        &machine.rows(x.to_vec())?,
        &mut out,
        &mut Trace::default(),
        &mut Nobody,
    )?;
    machine.taken(out)
}
