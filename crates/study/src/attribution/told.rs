//! The importances of one column as findings.

use super::{Asked, BENCHMARKS};
use crate::finding::{Finding, Interval};
use crate::importance::{Importance, reading};
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
        once: Option<&Importance>,
        unseen: Option<&Importance>,
        seed: u64,
    ) -> Vec<Finding> {
        let (set, target) = (self.set, self.target);
        let finding = |kind: &str, value: f64, n: usize, method: &str, protocol: &str| {
            let id = format!("importance.{kind}.{set}.{target}.{name}");
            let published = published(&id).filter(|_| self.is_published);
            let mut finding = Finding::new(id, reading::question(kind, set, target, name), self.source);
            // For other feature sets and for scores the importance is reported nowhere else.
            if set != "scores" {
                finding.notes.extend(reading::note(kind, set, target, name));
            }
            finding
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
                value,
                n,
                &format!(
                    "impurity decrease, {} draws of {shapes} shapes with replacement",
                    self.effort.draws
                ),
                "all_rows",
            ));
        }
        if let Some(found) = once {
            all.push(
                finding(
                    "mdi_per_shape",
                    found.value,
                    shapes,
                    "impurity decrease (random_forest) on means of shapes",
                    "one_row_per_shape",
                )
                .with_interval(found.interval.clone()),
            );
        }
        if let Some(found) = unseen {
            let method = "permutation (random_forest), held-out rows";
            all.push(
                finding(
                    "permutation",
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
