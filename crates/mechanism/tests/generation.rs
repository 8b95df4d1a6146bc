//! Texts continued with weights as they are stored: the tokens and logits of whole runs with weights widened to `f32`.

use mechanism::ablate::{Dimension, How, PlanSettings, cut_checkpoints, importance, plan};
use mechanism::checkpoint::Checkpoint;
use mechanism::decoder::block::{Block, Trace};
use mechanism::decoder::{Cpu, Form, Laid, Layer};
use mechanism::evaluate::continue_ids;
use mechanism::run::{Group, Head, RunSettings, embed};
use mechanism::site::Nobody;

use crate::common;
use crate::families::{fixtures, logits, texts};
use crate::gguf_families::{convert, is_written};

/// Logits of all rows of `texts`, all layers in the form given.
fn logits_by(checkpoint: &Checkpoint, texts: &[Vec<u32>], form: Form) -> Vec<f32> {
    let config = &checkpoint.config;
    let group = Group::pack(texts, 1000).remove(0);
    let mut x = embed(checkpoint, &group).unwrap();
    let laid = Laid::new(&Cpu, config, &group.segments).unwrap();
    let (mut trace, mut out) = (Trace::default(), Vec::new());
    for index in 0..config.n_layers {
        let layer = Layer::load_on(&Cpu, &checkpoint.weights, config, index, form).unwrap();
        let block = Block {
            machine: &Cpu,
            config,
            index,
            layer: &layer,
            laid: &laid,
            segments: &group.segments,
            first_text: 0,
        };
        block.forward(&x, &mut out, &mut trace, &mut Nobody).unwrap();
        std::mem::swap(&mut x, &mut out);
    }
    let head = Head::load_on(&Cpu, checkpoint, form).unwrap();
    head.logits(&x)
}

/// Greatest difference of two lists beside the greatest size in the first.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let size = a.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let off = a
        .iter()
        .zip(b)
        .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    off / size
}

/// The likeliest next tokens of one text after the other, by whole runs in `f32`.
fn by_whole_runs(checkpoint: &Checkpoint, contexts: &[Vec<u32>], tokens: usize) -> Vec<Vec<u32>> {
    let width = checkpoint.config.vocab_size;
    let one = |context: &Vec<u32>| {
        let mut ids = context.clone();
        for _ in 0..tokens {
            let all = logits(checkpoint, &[ids.clone()], 1000);
            let last = &all[all.len() - width..];
            let best = (0..width)
                .rev()
                .max_by(|a, b| last[*a].total_cmp(&last[*b]))
                .unwrap();
            ids.push(best as u32);
        }
        ids[context.len()..].to_vec()
    };
    contexts.iter().map(one).collect()
}

fn agree(checkpoint: &Checkpoint, what: &str) {
    // Three of sixteen tokens in all, so that no product has more than few rows.
    let few: Vec<Vec<u32>> = texts()
        .into_iter()
        .map(|ids| ids[..ids.len().min(5)].to_vec())
        .collect();
    let off = apart(
        &logits_by(checkpoint, &few, Form::Wide),
        &logits_by(checkpoint, &few, Form::Stored),
    );
    assert!(off <= 1e-5, "{what}: logits are apart by {off} of the largest");
    // Where the rotation depends on a text's length, keys that are kept have that of their day, and whole runs that of the end.
    if what.starts_with("phi3_long") || what.starts_with("llama_dynamic") {
        return;
    }
    let layers: Vec<usize> = (0..checkpoint.config.n_layers).collect();
    assert_eq!(
        continue_ids(checkpoint, &texts(), &layers, 6).unwrap(),
        by_whole_runs(checkpoint, &texts(), 6),
        "{what}"
    );
}

#[test]
fn every_family_goes_on_as_whole_runs_have_it() {
    let folder = tempfile::tempdir().unwrap();
    for fixture in fixtures() {
        let name = fixture.file_name().unwrap().to_string_lossy().into_owned();
        let checkpoint = Checkpoint::open(&fixture).unwrap();
        agree(&checkpoint, &name);
        let path = folder.path().join(format!("{name}.gguf"));
        if is_written(&name, checkpoint.config.family) {
            convert(&checkpoint, &path);
            agree(&Checkpoint::open(&path).unwrap(), &format!("{name} as GGUF"));
        }
    }
}

#[test]
fn what_is_left_after_a_cut_goes_on_as_whole_runs_have_it() {
    for fixture in fixtures() {
        let checkpoint = Checkpoint::open(&fixture).unwrap();
        let found = importance(&checkpoint, &texts(), &RunSettings::in_memory(), &mut |_| ()).unwrap();
        let settings = PlanSettings {
            parts: Dimension::ALL.to_vec(),
            shares: vec![0.25],
            hows: vec![How::Importance],
            draws: 1,
            seed: 7,
        };
        let (planned, _) = plan(&checkpoint, &settings, &found);
        let name = fixture.file_name().unwrap().to_string_lossy();
        for (planned, cut) in planned
            .iter()
            .zip(cut_checkpoints(&checkpoint, &planned).unwrap())
        {
            let Some(cut) = cut else { continue };
            agree(&cut, &format!("{name} less {}", planned.id()));
        }
    }
}

#[test]
fn smollm2_goes_on_as_whole_runs_have_it() {
    let Some(path) = common::gguf() else { return };
    let checkpoint = Checkpoint::open(&path).unwrap();
    let ids = checkpoint
        .encode("Question: What is 7 times 8?\nAnswer:")
        .unwrap();
    let few = vec![ids[..ids.len().min(16)].to_vec()];
    let (wide, stored) = (
        logits_by(&checkpoint, &few, Form::Wide),
        logits_by(&checkpoint, &few, Form::Stored),
    );
    let off = apart(&wide, &stored);
    assert!(off <= 1e-5, "logits are apart by {off} of the largest");
    let layers: Vec<usize> = (0..checkpoint.config.n_layers).collect();
    let contexts = vec![ids.clone(), ids[..9].to_vec(), ids[..5].to_vec()];
    assert_eq!(
        continue_ids(&checkpoint, &contexts, &layers, 12).unwrap(),
        by_whole_runs(&checkpoint, &contexts, 12)
    );
}
