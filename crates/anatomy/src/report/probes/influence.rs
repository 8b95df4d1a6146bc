//! Section on Block Influence by layer, for each text, and on the rank agreement between texts.

use mechanism::influence::Influence;
use study::finding::{Finding, Interval};
use study::section::{Axis, Cell, Drawing, Figure, Layer, Panel, Section, Table};
use study::statistics::spearman;

use super::{Named, slug, source};

/// Builds the section.
pub(super) fn section(all: &[Named<Influence>]) -> Section {
    let mut section = Section {
        id: "influence".into(),
        title: "Inside checkpoints: how much each layer changes".into(),
        ..Section::default()
    };
    section.text.push(
        "Block Influence of a layer is one minus the mean cosine between the residual stream before and after it, over \
         tokens (Men et al. 2024): 0 where it changes no direction."
            .into(),
    );
    for named in all {
        section.text.push(said(named));
        section.findings.extend(findings(named));
    }
    section.findings.extend(agreement(all));
    let alike: Vec<String> = section
        .findings
        .iter()
        .filter(|finding| finding.id.starts_with("influence.rank_correlation."))
        .filter_map(|finding| Some(format!("{} {:+.2}", finding.source.work, finding.value?)))
        .collect();
    if !alike.is_empty() {
        section.text.push(format!(
            "Rank correlation of the layers' influence between texts: {}.",
            alike.join("; ")
        ));
    }
    section.figures.push(figure(all));
    section.tables.push(table(all));
    section
}

fn said(named: &Named<Influence>) -> String {
    let result = &named.result;
    format!(
        "{}: {} texts, {} tokens, {} layers; least influential, counted from 0: {}.",
        named.name,
        result.texts,
        result.tokens,
        result.block_influence.len(),
        result.least_influential(5)
    )
}

fn findings(named: &Named<Influence>) -> Vec<Finding> {
    let result = &named.result;
    let one = |(layer, value): (usize, &f64)| {
        let interval = result.intervals.get(layer).map(|ends| Interval {
            low: ends.low,
            high: ends.high,
            level: result.level,
            method: "bootstrap over texts".into(),
        });
        Finding::new(
            format!("influence.{}.layer_{layer}", slug(&named.name)),
            format!("How much does layer {layer} change the direction of the residual stream?"),
            &source(&named.name, "influence"),
        )
        .with_value(*value, "1", result.tokens, "block influence")
        .with_interval(interval)
        .with_figure("influence-layers")
    };
    result.block_influence.iter().enumerate().map(one).collect()
}

/// Rank correlations between pairs of results with equally many layers.
fn agreement(all: &[Named<Influence>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (i, a) in all.iter().enumerate() {
        for b in &all[i + 1..] {
            let (x, y) = (&a.result.block_influence, &b.result.block_influence);
            if x.len() != y.len() || x.len() < 3 {
                continue;
            }
            findings.push(
                Finding::new(
                    format!("influence.rank_correlation.{}.{}", slug(&a.name), slug(&b.name)),
                    "Do the layers rank alike by influence on both texts?",
                    &source(&format!("{} and {}", a.name, b.name), "influence"),
                )
                .with_value(spearman(x, y).value, "1", x.len(), "spearman over layers")
                .with_note("Layers are not a sample of anything: there is no interval."),
            );
        }
    }
    findings
}

fn figure(all: &[Named<Influence>]) -> Figure {
    let panel = |named: &Named<Influence>| {
        let result = &named.result;
        let line = |values: &[f64]| {
            let points = values.iter().enumerate();
            points.map(|(layer, value)| (layer as f64, *value)).collect()
        };
        let ends = result.intervals.iter().enumerate();
        let mut layers = vec![Layer::Line {
            name: "block influence".into(),
            points: line(&result.block_influence),
            step: false,
        }];
        if !result.intervals.is_empty() {
            layers.insert(
                0,
                Layer::Band {
                    name: "block influence".into(),
                    points: ends
                        .map(|(layer, ends)| (layer as f64, ends.low, ends.high))
                        .collect(),
                },
            );
        }
        Panel {
            title: named.name.clone(),
            layers,
        }
    };
    let tokens: usize = all.iter().map(|named| named.result.tokens).sum();
    // A logarithmic axis where possible: the first layer often changes twenty times as much as the others.
    let mut values = all.iter().flat_map(|named| {
        let ends = named.result.intervals.iter().map(|ends| ends.low);
        named.result.block_influence.iter().copied().chain(ends)
    });
    let positive = values.all(|value| value > 0.0);
    Figure {
        id: "influence-layers".into(),
        title: "Block Influence by layer".into(),
        caption: format!(
            "Block Influence of each layer, counted from 0, with 95 % intervals over texts; n = {tokens} tokens in {} \
             results.",
            all.len()
        ),
        n: tokens,
        x: Axis::linear("layer"),
        y: if positive {
            Axis::log("block influence")
        } else {
            Axis::linear("block influence")
        },
        drawing: Drawing::Panels(all.iter().map(panel).collect()),
    }
}

fn table(all: &[Named<Influence>]) -> Table {
    let mut rows = Vec::new();
    for named in all {
        let result = &named.result;
        for (layer, value) in result.block_influence.iter().enumerate() {
            let ends = result.intervals.get(layer);
            let angular = |block: usize| {
                let distances = result.angular.get(&block);
                Cell::from(distances.and_then(|by_layer| by_layer.get(layer)).copied())
            };
            rows.push(vec![
                named.name.clone().into(),
                layer.into(),
                (*value).into(),
                ends.map(|ends| ends.low).into(),
                ends.map(|ends| ends.high).into(),
                angular(1),
                angular(2),
                angular(3),
                angular(4),
                angular(5),
            ]);
        }
    }
    Table {
        id: "influence-layers".into(),
        caption:
            "Block Influence by layer, and the angular distance of blocks of 1 to 5 layers that begin there."
                .into(),
        columns: [
            "result",
            "layer",
            "block influence",
            "low",
            "high",
            "angular distance, 1 layer",
            "2 layers",
            "3 layers",
            "4 layers",
            "5 layers",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        shown: false,
    }
}
