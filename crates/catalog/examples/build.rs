//! Builds a catalog of a folder of sources: `cargo run -p catalog --example build -- SOURCES OUT`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, sources, out] = arguments.as_slice() else {
        return ExitCode::from(2);
    };
    match catalog::build(Path::new(sources), Path::new(out), &mut |_| {}) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}
