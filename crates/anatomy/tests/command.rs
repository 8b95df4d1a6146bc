//! Runs the binary and takes what it prints.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a run left.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command and takes what it prints.
pub(crate) fn ran(mut command: Command) -> Ran {
    let output = command.output().expect("the binary starts");
    Ran {
        code: output.status.code().expect("no signal"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Runs `anatomy` with these arguments.
pub(crate) fn anatomy(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anatomy"));
    command.args(arguments);
    ran(command)
}

/// The sources of the small catalog of made-up checkpoints.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/catalog")
}

/// Builds a catalog.
pub(crate) fn build(sources: &Path, out: &Path) {
    let [sources, out] = [sources, out].map(|path| path.to_str().expect("UTF-8"));
    let built = anatomy(&["catalog", "build", "--quiet", "--sources", sources, "--out", out]);
    assert_eq!(built.code, 0, "{}", built.stderr);
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("two folders down")
        .to_path_buf()
}

/// Says what a test skips; where `ANATOMY_REQUIRE` names `kind` (data, oracles, browser, python, weights), the test fails
/// instead.
pub(crate) fn skipped(kind: &str, why: &str) {
    let required = std::env::var("ANATOMY_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|one| one.trim() == kind),
        "ANATOMY_REQUIRE names {kind}: {why}"
    );
    println!("skipped: {why}");
}

/// A folder of `../shared`, or `None` with a word about what is skipped.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let kind = if folder.starts_with("oracles") {
        "oracles"
    } else {
        "data"
    };
    skipped(kind, &format!("../shared/{folder} is not here"));
    None
}
