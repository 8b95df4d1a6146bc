//! Code that the otherwise independent libraries must share so that their results agree: the calendar, quantiles, the
//! comparison of two checkpoints on the same items, and JSON as Python writes it. A closed list of modules, which use
//! only the standard library.

pub mod calendar;
pub mod proportions;
pub mod python_json;
pub mod quantile;
