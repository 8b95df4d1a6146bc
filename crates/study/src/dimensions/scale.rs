//! Scale: Average by size bucket, with Welch's t test and Hedges' g between buckets.

mod curve;

use super::{Bucket, Dimensions, Sample, source, values};
use crate::finding::Finding;
use crate::published::published;
use crate::section::{Axis, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{Statistic, bonferroni, hedges_g, mean, quantile, standard_deviation, welch};

const STATISTICS: [(&str, Statistic); 7] = [
    ("mean", mean),
    ("sd", standard_deviation),
    ("min", |values| quantile(values, 0.0)),
    ("q1", |values| quantile(values, 0.25)),
    ("median", |values| quantile(values, 0.5)),
    ("q3", |values| quantile(values, 0.75)),
    ("max", |values| quantile(values, 1.0)),
];
const PAIRS: [(Bucket, Bucket); 3] = [
    (Bucket::Large, Bucket::Medium),
    (Bucket::Large, Bucket::Small),
    (Bucket::Medium, Bucket::Small),
];

pub(super) fn section(dimensions: &Dimensions<'_>) -> Section {
    let mut section = Section {
        id: "scale".into(),
        title: "Scale".into(),
        ..Section::default()
    };
    let mut describing = Table {
        id: "scale-buckets".into(),
        caption: "Average of the six benchmarks (points) by size bucket. The first rows put unknown sizes in small, \
                  as published; the rows below leave them out."
            .into(),
        columns: ["bucket", "unknown sizes", "n", "mean", "sd", "min", "q1", "median", "q3", "max"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut tests = Table {
        id: "scale-tests".into(),
        caption: "Welch's t test of Average between buckets, Bonferroni over the three pairs, and Hedges' g."
            .into(),
        columns: [
            "pair",
            "unknown sizes",
            "difference (points)",
            "t",
            "df",
            "p",
            "p (Bonferroni)",
            "Hedges g",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    for known_only in [false, true] {
        describe_buckets(dimensions, known_only, &mut section, &mut describing);
        compare_buckets(dimensions, known_only, &mut section, &mut tests);
    }
    section.text = words(&section, dimensions);
    section.tables = vec![describing, tests];
    section.figures = vec![figure(dimensions)];
    curve::add(dimensions, &mut section);
    section
}

fn bucket_sample<'a>(dimensions: &Dimensions<'a>, bucket: Bucket, known_only: bool) -> Sample<'a> {
    dimensions
        .sample(|row| (row.bucket() == bucket && (row.size_known() || !known_only)).then_some(row.average))
}

/// Suffix of the ids, and description, of the variant without unknown sizes.
fn variant(known_only: bool) -> (&'static str, &'static str) {
    if known_only {
        (".known_size", "left out")
    } else {
        ("", "in small")
    }
}

fn describe_buckets(dimensions: &Dimensions<'_>, known_only: bool, section: &mut Section, table: &mut Table) {
    let (ending, words) = variant(known_only);
    for bucket in Bucket::ALL {
        let name = bucket.name();
        let sample = bucket_sample(dimensions, bucket, known_only);
        let mut cells: Vec<Cell> = vec![name.into(), words.into(), sample.len().into()];
        section.findings.push(
            Dimensions::count(
                format!("scale.count.{name}{ending}"),
                format!("How many evaluations are of {name} checkpoints?"),
                sample.len(),
            )
            .with_note(format!("unknown sizes {words}")),
        );
        for (statistic, compute) in STATISTICS {
            let finding = dimensions
                .finding(
                    format!("scale.{statistic}.{name}{ending}"),
                    format!("What is the {statistic} of Average among {name} checkpoints?"),
                    &sample,
                    (statistic, compute),
                    "points",
                )
                .with_note(format!("unknown sizes {words}"))
                .with_figure("scale-buckets");
            cells.push(finding.value.into());
            section.findings.push(finding);
        }
        table.rows.push(cells);
    }
}

fn compare_buckets(dimensions: &Dimensions<'_>, known_only: bool, section: &mut Section, table: &mut Table) {
    let (ending, words) = variant(known_only);
    for (larger, smaller) in PAIRS {
        let pair = format!("{}_{}", larger.name(), smaller.name());
        let (first, second) = (
            bucket_sample(dimensions, larger, known_only),
            bucket_sample(dimensions, smaller, known_only),
        );
        let (x, y) = (values(&first), values(&second));
        let test = welch(&x, &y);
        let corrected = bonferroni(test.p, PAIRS.len());
        let g = hedges_g(&x, &y);
        let n = x.len() + y.len();
        let finding = |statistic: &str, what: &str, value: f64, unit: &str, method: &str| {
            let id = format!("scale.{statistic}.{pair}{ending}");
            let published = published(&id);
            Finding::new(
                id,
                format!("{what} of Average, {} against {}?", larger.name(), smaller.name()),
                &source(),
            )
            .with_value(value, unit, n, method)
            .with_published(published)
            .with_note(format!("unknown sizes {words}"))
            .with_figure("scale-buckets")
        };
        section.findings.extend([
            finding(
                "difference",
                "What is the difference in mean",
                test.difference,
                "points",
                "difference of means",
            )
            .with_interval(dimensions.interval_of_two(&first, &second, |x, y| mean(x) - mean(y)))
            .with_seed(dimensions.seed),
            finding("welch_t", "What is Welch's t", test.t, "1", "welch t")
                .with_note("treats rows as independent, which fine-tunes of one base are not"),
            finding(
                "welch_df",
                "How many degrees of freedom has Welch's t",
                test.degrees_of_freedom,
                "1",
                "welch t",
            ),
            finding(
                "welch_p",
                "What is the p value of Welch's t",
                test.p,
                "1",
                "welch t",
            ),
            finding(
                "bonferroni_p",
                "What is p corrected for three pairs",
                corrected,
                "1",
                "bonferroni",
            ),
            finding(
                "hedges_g",
                "What is Hedges' g",
                g,
                "standard deviations",
                "hedges g",
            )
            .with_interval(dimensions.interval_of_two(&first, &second, hedges_g))
            .with_seed(dimensions.seed),
        ]);
        table.rows.push(vec![
            pair.replace('_', " − ").into(),
            words.into(),
            test.difference.into(),
            test.t.into(),
            test.degrees_of_freedom.into(),
            test.p.into(),
            corrected.into(),
            g.into(),
        ]);
    }
}

fn words(section: &Section, dimensions: &Dimensions<'_>) -> Vec<String> {
    let value = |id: &str| {
        section
            .findings
            .iter()
            .find(|finding| finding.id == id)
            .and_then(|found| found.value)
    };
    let unknown = dimensions.rows.iter().filter(|row| !row.size_known()).count();
    let mut text = vec![format!(
        "{} evaluations: small < 10, medium 10 to 50, large ≥ 50 billion parameters as listed. {unknown} rows list no \
         size; the published analysis counts them as small.",
        dimensions.rows.len()
    )];
    if let (Some(first), Some(second)) = (
        value("scale.difference.medium_small"),
        value("scale.difference.large_medium"),
    ) {
        text.push(format!(
            "From small to medium the mean rises by {first:.1} points, from medium to large by {second:.1}."
        ));
    }
    text
}

fn figure(dimensions: &Dimensions<'_>) -> Figure {
    let groups = Bucket::ALL
        .map(|bucket| {
            let sample = bucket_sample(dimensions, bucket, false);
            (
                format!("{} (n = {})", bucket.name(), sample.len()),
                values(&sample),
            )
        })
        .to_vec();
    Figure {
        id: "scale-buckets".into(),
        title: "Average by size bucket".into(),
        caption: format!(
            "Larger checkpoints score higher and the boxes overlap widely; n = {} evaluations of leaderboard v2, \
             unknown sizes in small as published.",
            dimensions.rows.len()
        ),
        n: dimensions.rows.len(),
        x: Axis::linear("size bucket (billions of parameters: small < 10 ≤ medium < 50 ≤ large)"),
        y: Axis::linear("Average of six benchmarks (points)"),
        drawing: Drawing::Boxes(groups),
    }
}
