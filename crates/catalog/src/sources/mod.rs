//! Sources: each module turns one kind of file into facts and rejects. Nothing is dropped without a row saying why.

pub(crate) mod architectures;
pub(crate) mod bases;
pub(crate) mod community_evals;
pub(crate) mod config_files;
pub(crate) mod gemstones;
pub(crate) mod harness;
pub(crate) mod hub_configs;
pub(crate) mod hub_listing;
pub(crate) mod hub_models;
pub(crate) mod interventions;
pub(crate) mod leaderboard_v1;
pub(crate) mod leaderboard_v2;
pub(crate) mod listings;
pub(crate) mod llm_perf;
pub(crate) mod metrics;
pub(crate) mod model_info;
pub(crate) mod outside;
mod parquet_rows;
pub(crate) mod samples;
pub(crate) mod scaling;
pub(crate) mod structures;
pub(crate) mod table;
pub(crate) mod task_tables;
