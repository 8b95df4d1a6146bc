//! Descriptive and two-sample statistics, by the definitions of pandas, scipy and pingouin.
//!
//! Every function takes slices of finite values, `(n,)`; callers drop and count missing values.

mod bootstrap;
mod components;
mod describe;
mod fieller;
mod line;
mod meta;
mod mixed;
mod moments;
mod multiple;
mod ols;
mod paired;
mod partial;
mod quantile;
mod rank;
mod robust;
mod scaled;
mod spline;
mod strata;
#[cfg(test)]
mod tests;
mod two_sample;
mod weighted_rank;

pub use bootstrap::{GroupBootstrap, bootstrap_interval, group_bootstrap, resample_counts};
pub(crate) use bootstrap::{percentile_interval, resample, resample_groups};
pub use common::proportions::{mcnemar, normal_quantile, on_log_odds, paired_difference};
pub use components::{Components, components, parallel_analysis};
pub use describe::{Description, describe};
pub use fieller::Ratio;
pub(crate) use fieller::ratio_of;
pub use line::{Line, least_squares_line};
pub use meta::{MetaEstimate, hartung_knapp};
pub(crate) use mixed::times;
pub use mixed::{Mixed, MixedFit};
pub(crate) use moments::means_of_groups;
pub use moments::{kurtosis, mean, mean_interval, mode, skewness, standard_deviation, sum, variance};
pub use multiple::{benjamini_hochberg, holm};
pub use ols::{Contrast, OlsFit, clustered_ols};
pub use paired::{Paired, paired};
pub use partial::{given, partial_correlations};
pub use quantile::{median, median_interval, quantile, quantile_of_sorted, sorted};
pub use rank::{Correlation, average_ranks, pearson, spearman};
pub use robust::{LinearDesign, RobustFit};
pub(crate) use robust::{detectable, dot, interval as robust_interval};
pub use spline::RestrictedSpline;
pub use strata::{Stratified, correlation_within, stratified_difference, stratified_slope};
pub use two_sample::{Welch, bonferroni, hedges_g, hedges_g_interval, welch};
pub use weighted_rank::RankedColumns;

/// A statistic of a sample.
pub type Statistic = fn(&[f64]) -> f64;
