//! Answers as tables, for commands and pages alike.

pub(crate) mod compare;
pub(crate) mod predict;
pub(crate) mod recommend;
pub(crate) mod sweep;
