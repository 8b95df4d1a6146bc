//! Answers as tables, shared by commands and pages.

pub(crate) mod compare;
pub(crate) mod predict;
pub(crate) mod recommend;
pub(crate) mod sweep;
