//! Summarises a comparison of methods: which predicts best, how well, and which others cannot be told from it.

use std::fmt::Write as _;

use study::finding::Interval;

use crate::output::plural;

/// The results of one method under one protocol.
pub(super) struct Tried<'a> {
    pub(super) method: &'a str,
    /// R² over rows; `interval` is its 95 % interval over shapes.
    pub(super) r2: Option<f64>,
    pub(super) interval: Option<Interval>,
    /// R² with each shape weighted equally.
    pub(super) by_shape: Option<f64>,
    /// Mean absolute error, in the target's unit.
    pub(super) mae: f64,
    pub(super) n: usize,
}

/// Describes the test rows of a protocol.
fn tested_on(protocol: &str) -> &str {
    match protocol {
        "random_split" | "random_folds" => "rows drawn at random, whose shapes may have been trained on",
        "structure_out" => "shapes never trained on",
        "lineage_out" => "lineages never trained on",
        "family_out" => "families never trained on",
        "forward_in_time" => "rows later than all that were trained on",
        _ => "the folds that were given",
    }
}

fn with_interval(r2: f64, interval: Option<&Interval>) -> String {
    interval.map_or_else(
        || format!("{r2:.2}"),
        |ends| format!("{r2:.2} [{:.2}, {:.2}]", ends.low, ends.high),
    )
}

/// Summary for one target under one protocol, in a few sentences; `None` where no method has an R².
pub(super) fn sentence(target: &str, protocol: &str, shapes: usize, tried: &[Tried<'_>]) -> Option<String> {
    let best = tried
        .iter()
        .filter(|one| one.r2.is_some())
        .max_by(|a, b| a.r2.unwrap_or(f64::NAN).total_cmp(&b.r2.unwrap_or(f64::NAN)))?;
    let r2 = best.r2?;
    let on = format!("On {} ({protocol})", tested_on(protocol));
    let how = format!(
        "R² {}{}, off by {:.2} on the mean (n = {}, {}; 95 % over shapes)",
        with_interval(r2, best.interval.as_ref()),
        best.by_shape.map_or(String::new(), |once| format!(
            ", {once:.2} with each shape counted once"
        )),
        best.mae,
        best.n,
        plural(shapes, "shape"),
    );
    let mut text = match (tried.len(), r2 > 0.0) {
        (1, true) => format!("{on} `{}` predicts {target} with {how}.", best.method),
        (1, false) => format!(
            "{on} `{}` predicts {target} no better than its mean would: {how}.",
            best.method
        ),
        (n, true) => format!(
            "{on} `{}` predicts {target} best of {n} methods: {how}.",
            best.method
        ),
        (n, false) => format!(
            "{on} none of {n} methods predicts {target} better than its mean would; the best, `{}`, reaches {how}.",
            best.method
        ),
    };
    let low = best.interval.as_ref().map_or(f64::NEG_INFINITY, |ends| ends.low);
    if r2 > 0.0 && best.interval.as_ref().is_some_and(|ends| ends.low <= 0.0) {
        text.push_str(" Its interval holds 0: it may predict nothing.");
    }
    let alike: Vec<&str> = tried
        .iter()
        .filter(|one| one.method != best.method)
        .filter(|one| one.interval.as_ref().is_some_and(|ends| ends.high >= low))
        .map(|one| one.method)
        .collect();
    if r2 > 0.0 && !alike.is_empty() {
        let _ = write!(
            text,
            " The intervals of {} overlap with its own, and the best of several is partly lucky: --against {} compares in pairs.",
            alike.join(", "),
            best.method
        );
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(method: &str, r2: f64, ends: (f64, f64)) -> Tried<'_> {
        Tried {
            method,
            r2: Some(r2),
            interval: Some(Interval {
                low: ends.0,
                high: ends.1,
                level: 0.95,
                method: "test".into(),
            }),
            by_shape: Some(0.5),
            mae: 2.5,
            n: 60,
        }
    }

    #[test]
    fn the_best_is_named_with_what_cannot_be_told_from_it() {
        let all = [
            tried("linear", 0.9, (0.7, 0.95)),
            tried("ridge", 0.8, (0.6, 0.9)),
            tried("mlp", 0.1, (-0.3, 0.4)),
        ];
        let said = sentence("score", "structure_out", 19, &all).expect("a sentence");
        assert!(said.starts_with(
            "On shapes never trained on (structure_out) `linear` predicts score best of 3 methods: R² 0.90 [0.70, 0.95], 0.50 with \
             each shape counted once, off by 2.50 on the mean (n = 60, 19 shapes; 95 % over shapes)."
        ), "{said}");
        assert!(
            said.contains("The intervals of ridge overlap") && !said.contains("mlp"),
            "{said}"
        );
    }

    #[test]
    fn what_predicts_nothing_is_said_to() {
        let all = [
            tried("linear", -0.1, (-0.7, 0.2)),
            tried("knn", -0.4, (-0.9, 0.1)),
        ];
        let said = sentence("score", "given_folds", 1, &all).expect("a sentence");
        assert!(
            said.contains("none of 2 methods predicts score better than its mean"),
            "{said}"
        );
        let one = [tried("linear", 0.1, (-0.7, 0.2))];
        let said = sentence("score", "random_folds", 5, &one).expect("a sentence");
        assert!(said.contains("may predict nothing"), "{said}");
        assert_eq!(sentence("score", "random_folds", 5, &[]), None);
    }
}
