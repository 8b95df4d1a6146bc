//! Client of the Hugging Face Hub: which checkpoints exist and what their configs say, fetched within rate limits and
//! stored.
//!
//! Read [`crawl`] first; [`window`] keeps to the Hub's quotas, [`client`] distinguishes complete from damaged
//! responses, [`store`] describes the stored data, [`checkpoint`] downloads weights. `docs/hub.md` lists each rule with
//! the page of the Hub's documentation it comes from.

mod answer;
pub(crate) mod checkpoint;
pub(crate) mod client;
mod config;
pub(crate) mod crawl;
mod digest;
pub(crate) mod error;
pub(crate) mod export;
pub(crate) mod fetch;
mod files;
mod headers;
pub(crate) mod hint;
pub(crate) mod leaderboards;
pub(crate) mod limiter;
pub(crate) mod listing;
pub(crate) mod message;
pub(crate) mod progress;
mod retry;
pub(crate) mod settings;
pub(crate) mod state;
pub(crate) mod store;
mod tables;
mod window;
pub(crate) mod writer;
