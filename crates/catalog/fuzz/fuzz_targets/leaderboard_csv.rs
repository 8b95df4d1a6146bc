//! Any bytes as a leaderboard's CSV: an error or tables, never a panic.
#![no_main]

use std::path::Path;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("sources").join(Path::new("results.csv"));
    std::fs::create_dir_all(file.parent().expect("a file in a folder")).expect("a folder");
    std::fs::write(&file, bytes).expect("a file");
    let _ = catalog::build(&folder.path().join("sources"), &folder.path().join("out"), &mut |_| {});
});
