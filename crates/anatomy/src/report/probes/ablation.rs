//! Section on ablations: the effect of removing each part of a checkpoint on each benchmark.

use mechanism::ablate::Ablation;
use mechanism::ablate::effects::{Effect, Measure, Slope};
use mechanism::ablate::{How, percent};
use study::finding::{Finding, Interval};
use study::section::{Axis, Bar, Drawing, Figure, Section, Table};

use super::{Named, slug, source};

/// Builds the section.
pub(super) fn section(all: &[Named<Ablation>]) -> Section {
    let mut section = Section {
        id: "ablation".into(),
        title: "Inside checkpoints: what each part is worth".into(),
        text: vec![
            "The same share of the parameters outside of embeddings removed from one part at a time; scores on the same items before \
             and after, per tenth of the parameters, with intervals that hold together."
                .into(),
        ],
        ..Section::default()
    };
    for named in all {
        let found = &named.result;
        let mut floor: Vec<&str> = Vec::new();
        for effect in found.found.effects.iter().filter(|effect| effect.at_chance) {
            if !floor.contains(&effect.task.as_str()) {
                floor.push(&effect.task);
            }
        }
        if !floor.is_empty() {
            section.text.push(format!(
                "{}: before anything is removed {} cannot be told from guessing; such a score has no room to fall.",
                named.name,
                floor.join(", ")
            ));
        }
        section
            .findings
            .extend(found.found.matrix.iter().map(|slope| finding(named, slope)));
    }
    section.figures.extend(figure(all, "ablation"));
    section.tables.push(table(all));
    section
}

fn ends(low: Option<f64>, high: Option<f64>, factor: f64) -> Option<(f64, f64)> {
    low.zip(high).map(|(low, high)| (factor * low, factor * high))
}

/// Scores are reported in points, log-probabilities in nats.
fn factor(measure: Measure) -> f64 {
    match measure {
        Measure::Score => 100.0,
        Measure::LogPGold => 1.0,
    }
}

fn finding(named: &Named<Ablation>, slope: &Slope) -> Finding {
    let (unit, measure) = match slope.measure {
        Measure::Score => ("points", "score"),
        Measure::LogPGold => ("nats", "log_p_gold"),
    };
    let factor = factor(slope.measure);
    let (part, how) = (slope.part.name(), slope.how.name());
    Finding::new(
        format!(
            "ablation.{}.{part}.{how}.{}.{measure}",
            slug(&named.name),
            slug(&slope.task)
        ),
        format!(
            "How does {} change per tenth of the parameters removed from {part}, chosen by {how}?",
            slope.task
        ),
        &source(&named.name, "ablate"),
    )
    .with_value(
        factor * slope.per_tenth,
        unit,
        slope.n,
        "line through the origin over doses, by item",
    )
    .with_interval(ends(slope.low, slope.high, factor).map(|(low, high)| Interval {
        low,
        high,
        level: named.result.level,
        method: "Student's t over items in pairs, Bonferroni over all slopes".into(),
    }))
}

/// Points per tenth of the parameters removed by importance, by part and benchmark; `None` without measured scores.
pub(crate) fn figure(all: &[Named<Ablation>], id: &str) -> Option<Figure> {
    let mut rows = Vec::new();
    let mut n = 0;
    for named in all {
        let shown = named.result.found.matrix.iter();
        for slope in shown.filter(|slope| slope.measure == Measure::Score && slope.how == How::Importance) {
            let of = if all.len() > 1 {
                format!("{}, ", named.name)
            } else {
                String::new()
            };
            n = n.max(slope.n);
            rows.push(Bar {
                group: format!("{of}{}", slope.task),
                series: slope.part.name().into(),
                value: 100.0 * slope.per_tenth,
                interval: ends(slope.low, slope.high, 100.0),
            });
        }
    }
    // Group by benchmark, in order of first occurrence.
    let mut groups: Vec<String> = Vec::new();
    for row in &rows {
        if !groups.contains(&row.group) {
            groups.push(row.group.clone());
        }
    }
    rows.sort_by_key(|row| groups.iter().position(|group| *group == row.group));
    (!rows.is_empty()).then(|| Figure {
        id: id.into(),
        title: "What each part is worth".into(),
        caption: format!(
            "Change of scores per tenth of the parameters removed from each part, the least important units first, with 95 % intervals \
             that hold together; {n} items a benchmark at most."
        ),
        n,
        x: Axis::linear("change of score per 10 % of parameters (points)"),
        y: Axis::default(),
        drawing: Drawing::Intervals { rows, reference: 0.0 },
    })
}

fn table(all: &[Named<Ablation>]) -> Table {
    let row = |named: &Named<Ablation>, effect: &Effect| {
        let factor = factor(effect.measure);
        let ends = ends(effect.low, effect.high, factor);
        vec![
            named.name.as_str().into(),
            effect.part.name().into(),
            format!("{} %", percent(effect.removed_share)).into(),
            effect.how.name().into(),
            effect.task.as_str().into(),
            (if effect.measure == Measure::Score {
                "points"
            } else {
                "nats"
            })
            .into(),
            (factor * effect.before).into(),
            (factor * effect.after).into(),
            (factor * effect.difference).into(),
            ends.map(|ends| ends.0).into(),
            ends.map(|ends| ends.1).into(),
            effect.n.into(),
        ]
    };
    Table {
        id: "ablation".into(),
        caption:
            "Scores before and after removing units of one part; intervals of differences hold together."
                .into(),
        columns: [
            "result",
            "part",
            "removed",
            "chosen by",
            "task",
            "unit",
            "before",
            "after",
            "difference",
            "low",
            "high",
            "items",
        ]
        .map(String::from)
        .to_vec(),
        rows: all
            .iter()
            .flat_map(|named| {
                named
                    .result
                    .found
                    .effects
                    .iter()
                    .map(move |effect| row(named, effect))
            })
            .collect(),
        shown: false,
    }
}
