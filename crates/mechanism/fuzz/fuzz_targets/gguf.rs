//! Any bytes as a GGUF file: opening must not panic, and what opens must be readable or refused.
//! Run with `cargo +nightly fuzz run gguf` in `crates/mechanism`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mechanism::checkpoint::Checkpoint;
use mechanism::decoder::Layer;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = tempfile::NamedTempFile::with_suffix(".gguf") else { return };
    if std::fs::write(file.path(), bytes).is_ok()
        && let Ok(checkpoint) = Checkpoint::open(file.path())
    {
        let _ = Layer::load(&checkpoint.weights, &checkpoint.config, 0);
    }
});
