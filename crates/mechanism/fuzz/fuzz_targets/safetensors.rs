//! Any bytes as a safetensors file: opening must not panic, and every tensor must be readable or refused.
//! Run with `cargo +nightly fuzz run safetensors` in `crates/mechanism`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mechanism::weights::{SafetensorsFiles, Store};

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = tempfile::NamedTempFile::with_suffix(".safetensors") else { return };
    if std::fs::write(file.path(), bytes).is_ok()
        && let Ok(files) = SafetensorsFiles::open(&[file.path().to_path_buf()])
    {
        let store = Store::Safetensors(files);
        for name in store.names() {
            let _ = store.whole(name);
        }
    }
});
