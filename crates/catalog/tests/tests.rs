//! The catalog from outside: the snapshot, and builds from real sources where they are at hand.

mod config_counts;
mod query;
mod readers;
mod snapshot;
mod sources;

use std::path::PathBuf;

/// `../shared/data` next to the repository, where it is; says so where it is not.
#[expect(clippy::print_stderr, reason = "a test says what it skips")]
fn shared_data() -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = here
        .ancestors()
        .map(|folder| folder.join("shared/data"))
        .find(|data| data.join("README.md").is_file());
    if found.is_none() {
        eprintln!("skipped: ../shared/data is not here");
    }
    found
}
