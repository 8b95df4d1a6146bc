//! What the world says: sources, cleaned and resolved into tables.

pub mod tables;
