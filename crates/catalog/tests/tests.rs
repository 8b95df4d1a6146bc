//! The catalog from outside: the snapshot, and builds from real sources where they are at hand.

mod boards;
mod config_counts;
#[cfg(feature = "sql")]
mod query;
mod readers;
mod snapshot;
mod sources;

use std::path::PathBuf;

/// Says what a test skips; where `ANATOMY_REQUIRE` names `kind` (data, oracles, browser, python, weights), the test fails
/// instead.
#[expect(clippy::print_stderr, reason = "a test says what it skips")]
fn skipped(kind: &str, why: &str) {
    let required = std::env::var("ANATOMY_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|one| one.trim() == kind),
        "ANATOMY_REQUIRE names {kind}: {why}"
    );
    eprintln!("skipped: {why}");
}

/// `../shared/data` next to the repository, where it is; says so where it is not.
fn shared_data() -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = here
        .ancestors()
        .map(|folder| folder.join("shared/data"))
        .find(|data| data.join("README.md").is_file());
    if found.is_none() {
        skipped("data", "../shared/data is not here");
    }
    found
}
