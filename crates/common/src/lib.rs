//! What three libraries that do not know each other must say alike, each said once: the calendar, quantiles, two
//! checkpoints on the same items, and JSON as Python writes it. A closed list of modules, on the standard library alone.

pub mod calendar;
pub mod proportions;
pub mod python_json;
pub mod quantile;
