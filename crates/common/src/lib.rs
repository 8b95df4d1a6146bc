//! What three libraries that do not know each other must say alike, each said once: the calendar, quantiles, and two
//! checkpoints on the same items. A closed list of modules, on the standard library alone.

pub mod calendar;
pub mod proportions;
pub mod quantile;
