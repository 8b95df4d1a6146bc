//! Section on gradients: their nuclear norms by layer and matrix.

use mechanism::gradients::{Gradients, LayerGradients};
use study::finding::Finding;
use study::section::{Axis, Drawing, Figure, Layer, Panel, Section, Table};

use super::{Named, slug, source};

/// Builds the section.
pub(super) fn section(all: &[Named<Gradients>]) -> Section {
    let mut section = Section {
        id: "gradients".into(),
        title: "Inside checkpoints: what the loss asks of each layer".into(),
        ..Section::default()
    };
    section.text.push(
        "Gradients of the mean cross-entropy over the response's tokens, summed over samples, by layer and matrix; their \
         nuclear norm is the sum of their singular values (Li et al. 2024). Of experts the mean over experts is drawn."
            .into(),
    );
    for named in all {
        let result = &named.result;
        section.text.push(format!(
            "{}: {} samples, {} response tokens, mean loss {:.3} nats a token; {}.",
            named.name,
            result.samples,
            result.response_tokens,
            result.mean_loss,
            halves(result)
        ));
        section.findings.extend(findings(named));
    }
    for (id, title, matrices) in FIGURES {
        section.figures.push(figure(all, id, title, matrices));
    }
    section.tables.push(table(all));
    section
}

const FIGURES: [(&str, &str, &[&str]); 2] = [
    ("gradients-attention", "attention", &["q", "k", "v", "o"]),
    (
        "gradients-feed-forward",
        "the feed-forward part",
        &["gate", "up", "down", "experts gate", "experts up", "experts down"],
    ),
];

/// Nuclear norms of a layer by matrix name; for experts the mean over experts.
pub(super) fn nuclear_norms(layer: &LayerGradients) -> Vec<(String, f64)> {
    let mut by_name: Vec<(String, Vec<f64>)> = Vec::new();
    for (name, matrix) in layer.named() {
        let name = match name
            .strip_prefix("experts.")
            .and_then(|rest| rest.split_once('.'))
        {
            Some((_, kind)) => format!("experts {kind}"),
            None => name.replace('.', " "),
        };
        match by_name.iter_mut().find(|(known, _)| *known == name) {
            Some((_, norms)) => norms.push(matrix.spectrum.nuclear_norm),
            None => by_name.push((name, vec![matrix.spectrum.nuclear_norm])),
        }
    }
    let mean = |norms: &[f64]| norms.iter().sum::<f64>() / norms.len() as f64;
    by_name
        .into_iter()
        .map(|(name, norms)| (name, mean(&norms)))
        .collect()
}

/// Ratio of the norms in the second half of the layers to those in the first.
fn halves(result: &Gradients) -> String {
    let total = |layers: &[LayerGradients]| -> f64 {
        let norms = layers.iter().flat_map(nuclear_norms).map(|(_, norm)| norm);
        norms.sum::<f64>() / layers.len().max(1) as f64
    };
    let (first, second) = result.layers.split_at(result.layers.len() / 2);
    format!(
        "nuclear norms of the second half of its {} layers are {:.2} times those of the first",
        result.layers.len(),
        total(second) / total(first)
    )
}

fn findings(named: &Named<Gradients>) -> Vec<Finding> {
    let result = &named.result;
    let mut findings = vec![
        Finding::new(
            format!("gradients.{}.mean_loss", slug(&named.name)),
            "What is the mean loss on the responses?",
            &source(&named.name, "gradients"),
        )
        .with_value(
            result.mean_loss,
            "nats a token",
            result.samples,
            "mean over samples",
        ),
    ];
    for (layer, gradients) in result.layers.iter().enumerate() {
        findings.extend(nuclear_norms(gradients).into_iter().map(|(matrix, norm)| {
            Finding::new(
                format!(
                    "gradients.{}.layer_{layer}.{}.nuclear_norm",
                    slug(&named.name),
                    slug(&matrix)
                ),
                format!("How large is the gradient of {matrix} in layer {layer}?"),
                &source(&named.name, "gradients"),
            )
            .with_value(
                norm,
                "nats a token",
                result.samples,
                "nuclear norm of the sum over samples",
            )
        }));
    }
    findings
}

fn figure(all: &[Named<Gradients>], id: &str, title: &str, matrices: &[&str]) -> Figure {
    let panel = |named: &Named<Gradients>| {
        let line = |matrix: &&str| {
            let at = |(layer, gradients): (usize, &LayerGradients)| {
                let norms = nuclear_norms(gradients);
                let norm = norms.into_iter().find(|(name, _)| name == matrix)?.1;
                Some((layer as f64, norm))
            };
            let points: Vec<(f64, f64)> = named.result.layers.iter().enumerate().filter_map(at).collect();
            (!points.is_empty()).then(|| Layer::Line {
                name: (*matrix).to_owned(),
                points,
                step: false,
            })
        };
        Panel {
            title: named.name.clone(),
            layers: matrices.iter().filter_map(line).collect(),
        }
    };
    let samples: usize = all.iter().map(|named| named.result.samples).sum();
    Figure {
        id: id.into(),
        title: format!("Nuclear norms of gradients of {title}"),
        caption: format!(
            "Nuclear norm of the gradient of each matrix of {title} by layer, counted from 0; n = {samples} samples in {} \
             results.",
            all.len()
        ),
        n: samples,
        x: Axis::linear("layer"),
        y: Axis::linear("nuclear norm (nats a token)"),
        drawing: Drawing::Panels(all.iter().map(panel).collect()),
    }
}

fn table(all: &[Named<Gradients>]) -> Table {
    let mut rows = Vec::new();
    for named in all {
        for (layer, gradients) in named.result.layers.iter().enumerate() {
            rows.extend(gradients.named().into_iter().map(|(matrix, gradient)| {
                let spectrum = &gradient.spectrum;
                vec![
                    named.name.clone().into(),
                    layer.into(),
                    matrix.into(),
                    spectrum.nuclear_norm.into(),
                    spectrum.sigma_max.into(),
                    spectrum.frobenius.into(),
                    spectrum.effective_rank.into(),
                    gradient.per_sample_nuclear_mean.into(),
                ]
            }));
        }
    }
    Table {
        id: "gradients-layers".into(),
        caption: "Spectra of gradients by layer and matrix.".into(),
        columns: [
            "result",
            "layer",
            "matrix",
            "nuclear norm",
            "largest singular value",
            "Frobenius norm",
            "effective rank",
            "mean nuclear norm of single samples",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        shown: false,
    }
}
