//! Linear slopes on log2 size for different selections of rows, and the text that sums up the section.

use super::super::super::{Dimensions, LeaderboardRow};
use crate::section::Section;
use crate::statistics::stratified_slope;

/// The stratum of a row, `None` where it is left out.
type Stratum = fn(&LeaderboardRow) -> Option<i64>;

/// Linear slopes: on all rows, among pretrained checkpoints only, and within the same month.
pub(super) fn slopes(dimensions: &Dimensions<'_>, section: &mut Section) {
    let variants: [(&str, &str, Stratum); 4] = [
        ("raw", "among all evaluations", |_| Some(0)),
        (
            "within_month",
            "among checkpoints published in the same month",
            |row| row.month(),
        ),
        ("pretrained", "among pretrained checkpoints only", |row| {
            (row.post_trained == Some(false)).then_some(0)
        }),
        (
            "post_trained",
            "among fine-tuned, chat and merged checkpoints only",
            |row| (row.post_trained == Some(true)).then_some(0),
        ),
    ];
    for (name, words, stratum) in variants {
        let (mut x, mut y, mut strata, mut shape) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for row in dimensions.rows {
            if let (Some(size), Some(of)) = (row.best_size(), stratum(row)) {
                x.push(size.log2());
                y.push(row.average);
                strata.push(of);
                shape.push(row.shape);
            }
        }
        let slope = stratified_slope(&x, &y, &strata, &shape);
        section.findings.push(
            Dimensions::estimated(
                format!("scale.slope.{name}"),
                format!("What does a doubling of size buy {words}, along a straight line?"),
                slope.as_ref(),
                "points per doubling",
                y.len(),
                "least squares on log2 size within strata",
            )
            .with_note("clustered by shape"),
        );
    }
}

pub(super) fn words(section: &mut Section) {
    let find = |id: &str| section.findings.iter().find(|finding| finding.id == id);
    let value = |id: &str| find(id).and_then(|finding| finding.value);
    let range = |id: &str| {
        let interval = find(id).and_then(|finding| finding.interval.as_ref());
        interval.map_or(String::new(), |ends| {
            format!(" [{:.1}, {:.1}]", ends.low, ends.high)
        })
    };
    let id = "scale.curve.one_point_size";
    let mut text = match value(id) {
        Some(size) => format!(
            "Along a smooth curve a doubling buys {:.1} points at 3 and {:.1} at 32 billion parameters; it falls below one point \
             at {size:.0} billion{}.",
            value("scale.curve.slope.3b").unwrap_or(f64::NAN),
            value("scale.curve.slope.32b").unwrap_or(f64::NAN),
            range(id)
        ),
        None => format!(
            "Along a smooth curve a doubling buys {:.1} points at 3 and {:.1} at 32 billion parameters; it does not fall below one \
             point up to the largest size there is.",
            value("scale.curve.slope.3b").unwrap_or(f64::NAN),
            value("scale.curve.slope.32b").unwrap_or(f64::NAN),
        ),
    };
    text.push_str(" Resamples that never fall so low are counted with the largest size.");
    section.text.push(text);
    section.text.push(format!(
        "What would change the answer: more shapes above 40 billion parameters, where few stand behind the curve; sizes tried \
         at equal data, since large checkpoints also saw more of it; and the choice of rows: a doubling buys {:.1}{} points \
         among all, {:.1}{} within a month of publication, {:.1}{} among pretrained checkpoints.",
        value("scale.slope.raw").unwrap_or(f64::NAN),
        range("scale.slope.raw"),
        value("scale.slope.within_month").unwrap_or(f64::NAN),
        range("scale.slope.within_month"),
        value("scale.slope.pretrained").unwrap_or(f64::NAN),
        range("scale.slope.pretrained"),
    ));
}
