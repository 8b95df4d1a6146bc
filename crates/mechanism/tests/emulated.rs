//! The emulated card: a CUDA driver that runs the very kernels on this processor (`emulated/`), built here by the compiler of C++
//! and found by the unmodified bindings on the library path. With faults planted into the kernels, its tests fail.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::common::skipped;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The kernels as they are.
fn kernels() -> String {
    std::fs::read_to_string(here("src/decoder/cuda/kernels.cu")).unwrap()
}

/// Builds a driver of these kernels into a folder; `None` where there is no compiler of C++.
fn driver(folder: &Path, kernels: &str, macros: &[&str]) -> Option<()> {
    let source = folder.join("kernels.cu");
    std::fs::write(&source, kernels).unwrap();
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "g++".to_owned());
    let made = Command::new(&compiler)
        .args(["-std=c++20", "-O2", "-shared", "-fPIC", "-ffp-contract=off", "-o"])
        .arg(folder.join("libcuda.so.1"))
        .arg(format!("-DKERNELS=\"{}\"", source.display()))
        .args(macros.iter().map(|one| format!("-D{one}")))
        .arg(here("tests/emulated/libcuda.cpp"))
        .output();
    match made {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            Some(())
        }
        Err(error) => {
            skipped("cxx", &format!("{compiler} does not run: {error}"));
            None
        }
    }
}

/// The folder of the driver that is right.
fn right() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<tempfile::TempDir>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        driver(folder.path(), &kernels(), &[]).map(|()| folder)
    });
    built.as_ref().map(tempfile::TempDir::path)
}

/// Runs tests of `card.rs` whose names begin so with a driver; whether they passed, and what was said.
fn run(folder: &Path, tests: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--test-threads", "2", tests])
        .env("LD_LIBRARY_PATH", folder)
        .env_remove("ANATOMY_BITS")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("running 0 tests"), "no test is called {tests}");
    (output.status.success(), said)
}

fn passes(tests: &str) {
    if let Some(folder) = right() {
        let (passed, said) = run(folder, tests, &[]);
        assert!(passed, "{said}");
    }
}

#[test]
fn the_emulated_card_computes_every_operation_whatever_the_order_of_its_threads() {
    let Some(folder) = right() else { return };
    let bits = |name: &str, variables: &[(&str, &str)]| {
        let place = folder.join(name);
        let mut variables = variables.to_vec();
        variables.push(("ANATOMY_BITS", place.to_str().unwrap()));
        let (passed, said) = run(folder, "card::the_card_computes", &variables);
        assert!(passed, "{said}");
        std::fs::read_to_string(place).unwrap()
    };
    let forwards = bits("forwards", &[]);
    assert!(forwards.len() > 1000);
    assert_eq!(forwards, bits("backwards", &[("EMULATE_BACKWARDS", "1")]));
}

#[test]
fn every_family_scores_on_the_emulated_card_as_on_the_processor() {
    passes("card::every_family");
}

#[test]
fn influence_on_the_emulated_card_is_that_of_the_processor() {
    passes("card::influence");
}
