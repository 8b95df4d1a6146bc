//! The five answers for one column as findings.

use super::{Asked, BENCHMARKS};
use crate::finding::{Finding, Interval};
use crate::importance::Importance;
use crate::protocol::Protocol;
use crate::published::published;

impl Asked<'_> {
    #[allow(
        clippy::too_many_arguments,
        reason = "the five answers for one column, and its name"
    )]
    pub(super) fn findings(
        &self,
        name: &str,
        share: f64,
        interval: Option<Interval>,
        first_share: Option<f64>,
        once: Option<f64>,
        unseen: Option<&Importance>,
        seed: u64,
    ) -> Vec<Finding> {
        let (set, target) = (self.set, self.target);
        let finding = |kind: &str, words: String, value: f64, n: usize, method: &str, protocol: &str| {
            let id = format!("importance.{kind}.{set}.{target}.{name}");
            let published = published(&id).filter(|_| self.is_published);
            Finding::new(id, words, self.source)
                .with_value(value, "fraction", n, method)
                .with_protocol(protocol, self.design.names())
                .with_seed(seed)
                .with_figure(if BENCHMARKS.contains(&target) {
                    "attribution-core"
                } else {
                    "attribution-others"
                })
                .with_published(published)
        };
        let (n, shapes) = (self.values.len(), self.shape.n_groups());
        let mut all = vec![
            finding(
                "mdi",
                format!("How much of a forest's impurity decrease on {target} is due to {name}?"),
                share,
                n,
                &format!(
                    "impurity decrease (random_forest), mean of {} forests",
                    self.effort.forests
                ),
                "all_rows",
            )
            .with_interval(interval),
        ];
        if let Some(value) = first_share {
            all.push(finding(
                "first_share",
                format!("In which share of draws of shapes does {name} come first for {target}?"),
                value,
                n,
                &format!(
                    "impurity decrease, {} draws of {shapes} shapes with replacement",
                    self.effort.draws
                ),
                "all_rows",
            ));
        }
        if let Some(value) = once {
            all.push(finding(
                "mdi_per_shape",
                format!("The same with each shape counted once: {target} and {name}?"),
                value,
                shapes,
                "impurity decrease (random_forest) on means of shapes",
                "one_row_per_shape",
            ));
        }
        if let Some(found) = unseen {
            let words = format!("How far does R² on {target} fall on unseen shapes when {name} is shuffled?");
            let method = "permutation (random_forest), held-out rows";
            all.push(
                finding(
                    "permutation",
                    words,
                    found.value,
                    n,
                    method,
                    Protocol::StructureOut.name(),
                )
                .with_interval(found.interval.clone()),
            );
        }
        all
    }
}
