//! Descriptive and two-sample statistics, by the definitions of pandas, scipy and pingouin.
//!
//! Every function takes slices of finite values, `(n,)`; whoever calls has dropped and counted what is missing.

mod bootstrap;
mod describe;
mod line;
mod moments;
mod quantile;
mod rank;
#[cfg(test)]
mod tests;
mod two_sample;

pub use bootstrap::{GroupBootstrap, group_bootstrap};
pub(crate) use bootstrap::{percentile_interval, resample_groups};
pub use describe::{Description, describe};
pub use line::{Line, least_squares_line};
pub use moments::{kurtosis, mean, mean_interval, mode, skewness, standard_deviation, sum, variance};
pub use quantile::{median, median_interval, quantile, quantile_of_sorted, sorted};
pub use rank::{Correlation, average_ranks, pearson, spearman};
pub use two_sample::{Welch, bonferroni, hedges_g, hedges_g_interval, welch};

/// A number made of a sample.
pub type Statistic = fn(&[f64]) -> f64;
