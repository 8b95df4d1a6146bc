//! Builds a catalog from a folder: `build_folder SOURCES OUT`; for profilers, without the program around it.

use std::path::Path;

fn main() -> Result<(), catalog::Error> {
    let mut arguments = std::env::args().skip(1);
    let (sources, out) = (
        arguments.next().unwrap_or_default(),
        arguments.next().unwrap_or_default(),
    );
    catalog::build(Path::new(&sources), Path::new(&out), &mut |_| {})?;
    Ok(())
}

#[test]
fn run() {
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    catalog::build(Path::new(&of("SOURCES")), Path::new(&of("OUT")), &mut |_| {}).unwrap();
}
