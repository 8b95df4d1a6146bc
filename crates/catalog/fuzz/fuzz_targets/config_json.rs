//! Any bytes as a `config.json`: an error or a structure, never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = catalog::config::json::parse(bytes, "config.json") {
        let _ = catalog::config::read(&value);
    }
});
