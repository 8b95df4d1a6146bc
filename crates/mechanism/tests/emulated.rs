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
    let kernels = format!("KERNELS=\"{}\"", source.display());
    let macros: Vec<&str> = [kernels.as_str()]
        .into_iter()
        .chain(macros.iter().copied())
        .collect();
    built(&folder.join("libcuda.so.1"), "libcuda.cpp", &macros)
}

/// Builds a library of `emulated/`; `None` where there is no compiler of C++.
fn built(library: &Path, source: &str, macros: &[&str]) -> Option<()> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "g++".to_owned());
    let made = Command::new(&compiler)
        .args(["-std=c++20", "-O1", "-shared", "-fPIC", "-ffp-contract=off"])
        // An index beyond an array of the kernels' own ends the program.
        .args(["-fsanitize=bounds", "-fsanitize-undefined-trap-on-error", "-o"])
        .arg(library)
        .args(macros.iter().map(|one| format!("-D{one}")))
        .arg(here("tests/emulated").join(source))
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
        .args(["--ignored", "--nocapture", "--test-threads", "2", tests])
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

#[test]
fn generation_on_the_emulated_card_is_that_without_keys_and_values_kept() {
    passes("card::generation");
}

#[test]
fn gradients_on_the_emulated_card_are_those_of_the_processor_and_of_differences() {
    passes("card::gradients");
    passes("card::the_gradient");
}

#[test]
fn an_adapter_is_trained_on_the_emulated_card_as_on_the_processor() {
    passes("card::three_steps");
}

#[test]
fn the_first_layer_on_the_emulated_card_is_that_of_the_processor() {
    passes("card::the_first_layer");
}

#[test]
fn waves_and_weights_brought_anew_change_no_bit_on_the_emulated_card() {
    passes("card::waves");
}

/// What is said when a driver with `macros` is opened.
fn opened(macros: &[&str], tests: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    driver(folder.path(), &kernels(), macros)?;
    let (_, said) = run(folder.path(), tests, &[]);
    Some(said)
}

#[test]
fn what_is_missing_is_said_in_words() {
    let opening = "card::opening_a_card";
    let Some(said) = opened(&[], opening) else { return };
    assert!(said.contains("opened"), "{said}");
    for (macros, wanted) in [
        (
            "OLD",
            "refused: the card: its driver knows CUDA 11.4 at most, and 12.4 is needed: install driver 550 or newer",
        ),
        (
            "NO_CARD",
            "refused: the card: opening it failed: no CUDA-capable device is detected",
        ),
        (
            "WEAK",
            "refused: the card: an emulated card has compute capability 7.5, and 8.0 is needed",
        ),
        (
            "SMALL",
            "refused: the card: an emulated card has 4 MB of 4 free, and 64 are needed",
        ),
        ("WRONG", "refused: the card: it computes "),
        (
            "UNLOADABLE",
            "refused: the card: loading the kernels failed: the provided PTX",
        ),
    ] {
        let said = opened(&[macros], opening).unwrap_or_default();
        assert!(said.contains(wanted), "{macros}: {said}");
    }
    let said = opened(&["WRONG"], opening).unwrap_or_default();
    assert!(said.contains(" is right (product "), "both numbers: {said}");
    // Without any driver: the folder holds none.
    let folder = tempfile::tempdir().unwrap();
    let (_, said) = run(folder.path(), opening, &[]);
    let here = "refused: the card: no driver of NVIDIA is installed here";
    assert!(
        said.contains(here) || Path::new("/dev/nvidia0").exists(),
        "{said}"
    );
}

#[test]
fn products_of_another_library_are_used_where_they_agree() {
    let folder = tempfile::tempdir().unwrap();
    if driver(folder.path(), &kernels(), &[]).is_none() {
        return;
    }
    let library = folder.path().join("libcublas.so.12");
    let said = |macros: &[&str]| {
        built(&library, "libcublas.cpp", macros).unwrap();
        let (passed, said) = run(folder.path(), "card::one_term", &[]);
        assert!(passed, "{macros:?}: {said}");
        said
    };
    // Without any.
    let (passed, without) = run(folder.path(), "card::one_term", &[]);
    assert!(passed, "{without}");
    assert!(
        without.contains("exact by kernels of its own, fast by kernels of its own: no cuBLAS was found")
            || Path::new("/dev/nvidia0").exists(),
        "{without}"
    );
    let right = said(&[]);
    assert!(
        right.contains("exact by kernels of its own, fast by cuBLAS 12.4, "),
        "{right}"
    );
    for (macros, wanted) in [
        ("BLAS_WRONG", "fast by kernels of its own: cuBLAS 12.4 computes "),
        (
            "BLAS_BROKEN",
            "fast by kernels of its own: cuBLAS failed to start (CUBLAS_STATUS_NOT_INITIALIZED)",
        ),
        (
            "BLAS_FAILS",
            "fast by kernels of its own: cuBLAS 12.4 is not used: cuBLAS failed at a product 5x70x150 (CUBLAS_STATUS_EXECUTION_FAILED)",
        ),
    ] {
        let said = said(&[macros]);
        assert!(said.contains(wanted), "{macros}: {said}");
    }
    let wrong = said(&["BLAS_WRONG"]);
    assert!(wrong.contains(" where they give "), "both numbers: {wrong}");
}

#[test]
fn memory_that_ends_during_work_is_an_error() {
    if let Some(said) = opened(&["SCARCE"], "card::running_says") {
        assert!(said.contains("refused: the card: its memory is full"), "{said}");
    }
}

/// A kernel with a fault in it is caught by the suite: by its numbers, or because they depend on the order of threads. The fault
/// stands where `from` does for the `nth` time after the beginning of `function`.
fn caught(function: &str, from: &str, to: &str, nth: usize) {
    if right().is_none() {
        return;
    }
    let whole = kernels();
    let fault = format!("`{to}` for `{from}` ({nth}) in {function}");
    let begins = whole
        .find(&format!(" {function}("))
        .unwrap_or_else(|| panic!("no {function}"));
    let at = whole[begins..].match_indices(from).nth(nth);
    let at = begins + at.unwrap_or_else(|| panic!("{fault}: no such line")).0;
    let faulty = format!("{}{to}{}", &whole[..at], &whole[at + from.len()..]);
    let folder = tempfile::tempdir().unwrap();
    driver(folder.path(), &faulty, &[]).unwrap();
    let tests = "card::the_card_computes";
    // Most faults show in the numbers; the others in that these depend on which thread comes first.
    let (forwards, _) = run(folder.path(), tests, &[]);
    let backwards = forwards && run(folder.path(), tests, &[("EMULATE_BACKWARDS", "1")]).0;
    assert!(!backwards, "{fault} is not noticed");
}

#[test]
fn barriers_that_are_missing_are_noticed() {
    // One before what others have written is read, and one before it is written over.
    for (function, nth) in [
        ("sum_of", 1),
        ("product", 0),
        ("product", 1),
        ("attention", 0),
        ("attention", 3),
        ("attention_back_queries", 5),
        ("attention_back_keys", 0),
        ("attention_back_keys", 2),
    ] {
        caught(function, "__syncthreads();", "", nth);
    }
}

#[test]
fn bounds_that_are_off_by_one_are_noticed() {
    for function in ["attention", "attention_back_queries", "attention_back_keys"] {
        caught(function, "key <= at &&", "key < at &&", 0);
        caught(function, "key + window > at", "key + window >= at", 0);
    }
    caught("product", "row < m && col < n", "row < m && col < n - 1", 0);
    caught("norm_rows", "i < width;", "i < width - 1;", 0);
}

#[test]
fn strides_that_are_wrong_are_noticed() {
    caught("product", "(Count)row * n + col;", "(Count)row * k + col;", 0);
    caught("product", "w[term * plane +", "w[term * (plane - 1) +", 0);
    caught("attention", "kw + kv * dim + d", "kw + head * dim + d", 0);
    caught("attention", "+ mine0 + d]", "+ d]", 0);
    caught("attention_back_keys", "task.row * kw", "task.row * qw", 0);
    caught(
        "rotate",
        "(row * heads + head) * dim",
        "(row * heads + head) * half",
        0,
    );
}

#[test]
fn the_kernels_are_shipped_as_nvrtc_makes_them() {
    let root = here("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let mut folders = Vec::new();
    // The newer one knows the newest cards; what it writes is not shipped. The assembler is that of the older.
    for package in [
        "nvidia-cuda-nvrtc-cu12==12.4.127",
        "nvidia-cuda-nvrtc-cu12==12.9.86",
        "nvidia-cuda-nvcc-cu12==12.4.131",
    ] {
        let folder = target.join("tools").join(package.replace("==", "-"));
        if !folder.join("nvidia").exists() {
            let got = Command::new("python3")
                .args([
                    "-m",
                    "pip",
                    "install",
                    "-q",
                    "--no-deps",
                    "--disable-pip-version-check",
                    "--target",
                ])
                .arg(&folder)
                .arg(package)
                .output();
            match got {
                Ok(output) if output.status.success() => {}
                other => {
                    skipped("python", &format!("{package} cannot be had from PyPI: {other:?}"));
                    return;
                }
            }
        }
        folders.push(folder);
    }
    let output = Command::new("python3")
        .arg(root.join("oracles/ptx.py"))
        .arg("--check")
        .args(&folders)
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("compute_75") && said.contains("compute_100") && said.contains("sm_90"),
        "{said}"
    );
}
