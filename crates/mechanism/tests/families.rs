//! Tiny random checkpoints of every family against transformers (`oracles/tiny_checkpoints.py`), and their gradients
//! against finite differences.

use std::path::{Path, PathBuf};

use mechanism::checkpoint::Checkpoint;
use mechanism::config::Family;
use mechanism::decoder::block::{Block, Trace};
use mechanism::decoder::block_gradient::{BlockGradient, FeedForwardGradient};
use mechanism::decoder::layer::FeedForward;
use mechanism::decoder::linear::{Linear, Mlp};
use mechanism::decoder::linear_gradient::{LinearGradient, MlpGradient};
use mechanism::decoder::matmul::transposed;
use mechanism::decoder::mixture::Experts;
use mechanism::decoder::norm::{Norm, NormGradient};
use mechanism::decoder::{Cpu, Laid, Layer};
use mechanism::run::{Group, Head, RunSettings, run};
use mechanism::site::Nobody;
use mechanism::weights::{SafetensorsFiles, Store};

/// The folder of one tiny checkpoint.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Token ids of three texts that begin alike or not.
pub(crate) fn texts() -> Vec<Vec<u32>> {
    vec![
        vec![3, 1, 4, 1, 5, 9, 2, 6, 5, 3],
        vec![7, 7],
        vec![3, 1, 4, 11, 12, 13],
    ]
}

/// The folders of all tiny checkpoints.
pub(crate) fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    all.sort();
    assert!(all.len() >= 27, "{} fixtures", all.len());
    all
}

/// Ids and logits of a fixture, `(text, values)`.
fn expected(folder: &Path) -> (Vec<Vec<u32>>, Vec<f32>) {
    let store = Store::Safetensors(SafetensorsFiles::open(&[folder.join("expected.safetensors")]).unwrap());
    let width = store.shape("ids").unwrap()[1];
    let ids = store.whole("ids").unwrap();
    (
        ids.chunks(width)
            .map(|row| row.iter().map(|id| *id as u32).collect())
            .collect(),
        store.whole("logits").unwrap(),
    )
}

pub(crate) fn logits(checkpoint: &Checkpoint, texts: &[Vec<u32>], group_tokens: usize) -> Vec<f32> {
    let groups = Group::pack(texts, group_tokens);
    let layers: Vec<usize> = (0..checkpoint.config.n_layers).collect();
    let settings = RunSettings {
        group_tokens: Some(group_tokens),
        spill: None,
    };
    let mut streams = run(
        checkpoint,
        &groups,
        &layers,
        &settings,
        &mut Nobody,
        &mut |_| (),
        &mut |_| Ok(()),
    )
    .unwrap();
    let head = Head::load(checkpoint).unwrap();
    (0..groups.len())
        .flat_map(|i| head.logits(&streams.take(i).unwrap()))
        .collect()
}

#[test]
fn every_family_has_a_tiny_checkpoint() {
    let all = fixtures().into_iter();
    let there: Vec<Family> = all
        .map(|folder| Checkpoint::open(&folder).unwrap().config.family)
        .collect();
    for family in Family::ALL {
        assert!(
            there.contains(family),
            "no folder of tests/fixtures is of the family {family:?}: what is read of it is compared with nothing"
        );
    }
}

#[test]
fn logits_of_every_family_agree_with_transformers() {
    let mut wrong = Vec::new();
    for folder in fixtures() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let checkpoint = match Checkpoint::open(&folder) {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let (ids, expected) = expected(&folder);
        for group_tokens in [1, 1000] {
            let got = logits(&checkpoint, &ids, group_tokens);
            assert_eq!(got.len(), expected.len());
            let worst = got
                .iter()
                .zip(&expected)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            if worst.is_nan() || worst > 1e-4 {
                wrong.push(format!("{name}: logits differ by {worst}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `Σ y·direction` of a block, the sum in `f64`.
fn objective(block: &Block<'_>, x: &[f32], direction: &[f32]) -> f64 {
    let mut y = Vec::new();
    block
        .forward(&x.to_vec(), &mut y, &mut Trace::default(), &mut Nobody)
        .unwrap();
    y.iter()
        .zip(direction)
        .map(|(y, d)| f64::from(*y) * f64::from(*d))
        .sum()
}

/// Numbers that look random, between −1 and 1.
pub(crate) fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
        })
        .collect()
}

/// A weight of a layer: its name, a way to reach it, its gradient.
type Reach = Box<dyn for<'a> Fn(&'a mut Layer) -> &'a mut [f32]>;
type Weight = (String, Reach, Vec<f32>);

fn reached(by: impl for<'a> Fn(&'a mut Layer) -> &'a mut [f32] + 'static) -> Reach {
    Box::new(by)
}

/// Weights of a feed-forward network of a layer.
fn of_mlp(
    before: &str,
    reach: impl for<'a> Fn(&'a mut Layer) -> &'a mut Mlp + Copy + 'static,
    gradient: &MlpGradient,
    all: &mut Vec<Weight>,
) {
    if let Some(gate) = &gradient.gate {
        of_linear(
            &format!("{before}gate"),
            move |l| reach(l).gate.as_mut().unwrap(),
            gate,
            all,
        );
    }
    of_linear(
        &format!("{before}up"),
        move |l| &mut reach(l).up,
        &gradient.up,
        all,
    );
    of_linear(
        &format!("{before}down"),
        move |l| &mut reach(l).down,
        &gradient.down,
        all,
    );
}

fn of_linear(
    name: &str,
    reach: impl for<'a> Fn(&'a mut Layer) -> &'a mut Linear + Copy + 'static,
    gradient: &LinearGradient,
    all: &mut Vec<Weight>,
) {
    let (n_out, n_in) = gradient.weight.shape();
    all.push((
        name.to_owned(),
        reached(move |l| reach(l).weight_mut()),
        // The layer keeps `Wᵀ`.
        transposed(&gradient.weight.dense(), n_out, n_in),
    ));
    if let Some(bias) = &gradient.bias {
        let of_bias = reached(move |l| &mut reach(l).bias.as_mut().unwrap()[..]);
        all.push((format!("{name} bias"), of_bias, bias.clone()));
    }
}

fn mlp(layer: &mut Layer) -> &mut Mlp {
    match &mut layer.feed_forward {
        FeedForward::Dense(mlp) => mlp,
        FeedForward::Mixture(_) => unreachable!("asked of dense layers"),
    }
}

fn experts(layer: &mut Layer) -> &mut Experts {
    match &mut layer.feed_forward {
        FeedForward::Mixture(experts) => experts,
        FeedForward::Dense(_) => unreachable!("asked of mixtures"),
    }
}

fn shared(layer: &mut Layer) -> &mut (Mlp, Linear) {
    experts(layer).shared.as_mut().unwrap()
}

fn weights(layer: &Layer, gradient: &BlockGradient) -> Vec<Weight> {
    type OfNorm = fn(&mut Layer) -> &mut Option<Norm>;
    let mut all: Vec<Weight> = Vec::new();
    of_linear("q", |l| &mut l.q, &gradient.q, &mut all);
    of_linear("k", |l| &mut l.k, &gradient.k, &mut all);
    of_linear("v", |l| &mut l.v, &gradient.v, &mut all);
    of_linear("o", |l| &mut l.o, &gradient.o, &mut all);
    match &gradient.feed_forward {
        FeedForwardGradient::Dense(of) => of_mlp("", mlp, of, &mut all),
        FeedForwardGradient::Mixture(of) => {
            of_linear("router", |l| &mut experts(l).router, &of.router, &mut all);
            for (e, of) in of.experts.iter().enumerate() {
                of_mlp(
                    &format!("expert {e} "),
                    move |l| &mut experts(l).experts[e],
                    of,
                    &mut all,
                );
            }
            if let Some((of, of_gate)) = &of.shared {
                of_mlp("shared ", |l| &mut shared(l).0, of, &mut all);
                of_linear("shared gate", |l| &mut shared(l).1, of_gate, &mut all);
            }
        }
    }
    let norms: [(&str, OfNorm, &Option<NormGradient>); 6] = [
        (
            "attention norm",
            |l| &mut l.attention_norm,
            &gradient.attention_norm,
        ),
        (
            "attention post norm",
            |l| &mut l.attention_post_norm,
            &gradient.attention_post_norm,
        ),
        ("ffn norm", |l| &mut l.ffn_norm, &gradient.ffn_norm),
        ("ffn post norm", |l| &mut l.ffn_post_norm, &gradient.ffn_post_norm),
        ("q norm", |l| &mut l.q_norm, &gradient.q_norm),
        ("k norm", |l| &mut l.k_norm, &gradient.k_norm),
    ];
    for (name, reach, of) in norms {
        let Some(of) = of else { continue };
        all.push((
            name.to_owned(),
            reached(move |l| &mut reach(l).as_mut().unwrap().weight[..]),
            of.weight.clone(),
        ));
        if let Some(bias) = &of.bias {
            let of_bias = reached(move |l| &mut reach(l).as_mut().unwrap().bias.as_mut().unwrap()[..]);
            all.push((format!("{name} bias"), of_bias, bias.clone()));
        }
    }
    assert!(all.len() >= 6 + usize::from(layer.attention_norm.is_some()));
    all
}

#[test]
fn every_weight_of_every_family_has_the_gradient_of_finite_differences() {
    let (mut wrong, mut mixtures) = (Vec::new(), 0);
    for folder in fixtures() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let config = &checkpoint.config;
        let texts: Vec<Vec<u32>> = vec![vec![1; 9], vec![2; 5]];
        let group = Group::pack(&texts, 100).remove(0);
        let n = group.ids.len() * config.d_model;
        let (x, direction) = (noise(n, 1), noise(n, 2));
        for index in 0..config.n_layers {
            let layer = Layer::load(&checkpoint.weights, config, index).unwrap();
            let mut gradient = BlockGradient::new(&layer);
            mixtures += usize::from(config.mixture_at(index).is_some());
            let laid = Laid::new(&Cpu, config, &group.segments).unwrap();
            let block = Block {
                machine: &Cpu,
                config,
                index,
                layer: &layer,
                laid: &laid,
                segments: &group.segments,
                first_text: 0,
            };
            let mut trace = Trace::default();
            let mut out = vec![0.0; x.len()];
            block.forward(&x, &mut out, &mut trace, &mut Nobody).unwrap();
            let dx = block.backward(&x, &trace, &direction, &mut gradient).unwrap();
            let mut check = |what: &str, gradient: &[f32], objective: &dyn Fn(&[f32], f32) -> f64| {
                let length = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
                // A key's bias shifts all scores of a query alike unless keys are rotated or normed: it may have none.
                if length < 1e-4 && what == "k bias" {
                    return;
                }
                let step = 3e-3_f32;
                let unit: Vec<f32> = gradient.iter().map(|g| g / length as f32).collect();
                let slope = (objective(&unit, step) - objective(&unit, -step)) / (2.0 * f64::from(step));
                if length.is_nan() || length == 0.0 || ((slope - length) / length).abs() > 2e-2 {
                    wrong.push(format!(
                        "{name}, layer {index}, {what}: {length} but {slope} by differences"
                    ));
                }
            };
            check("input", &dx, &|unit, step| {
                let moved: Vec<f32> = x.iter().zip(unit).map(|(x, u)| x + step * u).collect();
                objective(&block, &moved, &direction)
            });
            for (what, reach, gradient) in weights(&layer, &gradient) {
                check(&what, &gradient, &|unit, step| {
                    let mut moved = layer.clone();
                    for (w, u) in reach(&mut moved).iter_mut().zip(unit) {
                        *w += step * u;
                    }
                    objective(
                        &Block {
                            layer: &moved,
                            ..block
                        },
                        &x,
                        &direction,
                    )
                });
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(mixtures >= 3, "{mixtures} layers with experts");
}
