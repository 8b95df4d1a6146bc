//! The analysis part of the study: statistics, regression methods, feature importance, and the findings they give.
//!
//! Pure computation on `f64`: no files, network, clock, environment variables or hidden randomness. Seeds are
//! arguments, and the same seed gives bit-identical results on any number of threads.

pub mod abilities;
mod algebra;
pub mod anchored;
pub mod answer;
pub mod attribution;
pub mod board;
pub mod boards;
pub mod by_group;
pub mod calendar;
pub mod ceiling;
pub mod certain;
pub mod claims;
pub mod compare;
pub mod conformal;
pub mod controlled;
pub mod correlations;
pub mod cuts;
pub mod dataset;
mod descent;
pub mod design;
pub mod dimensions;
pub mod error;
pub mod evaluate;
pub mod features;
pub mod finding;
pub mod forecast;
pub mod groups;
pub mod importance;
pub mod items;
pub mod latent;
pub mod leaderboard_v1;
pub mod learning;
pub mod linked;
pub mod methods;
pub mod noise;
mod past;
pub mod planning;
pub mod pooled;
pub mod protocol;
pub mod published;
pub mod random;
pub mod regression;
pub mod runs;
pub mod scaling;
pub mod scored;
pub mod section;
pub mod statistics;
mod svd;
pub mod trends;
pub mod weights;

pub use design::Design;
pub use error::Error;
pub use evaluate::{Evaluation, evaluate};
pub use groups::Groups;
pub use protocol::{Fold, Protocol, RowInformation, folds, k_folds};
pub use regression::{Fit, Regression};
