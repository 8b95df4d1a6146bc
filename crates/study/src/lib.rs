//! What the numbers say: statistics, regression, importance, findings.
//!
//! Pure computation on `f64`: no file, network, clock, environment or hidden randomness. A seed is an argument,
//! and the same seed gives the same bits on any number of threads.

pub mod finding;
pub mod statistics;
