//! Builds a catalog: `cargo run --release -p catalog --example build -- SOURCES OUT`.
use std::path::PathBuf;

#[expect(clippy::print_stderr, reason = "an example for people")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(sources), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("build SOURCES OUT".into());
    };
    let manifest = catalog::build(&sources, &out, &mut |progress| eprintln!("{progress:?}"))?;
    for source in &manifest.sources {
        eprintln!(
            "{}: {} in, {} kept, {} rejected {:?}, {} duplicates",
            source.path,
            source.rows_in,
            source.kept,
            source.rejected,
            source.rejected_by_reason,
            source.duplicates
        );
    }
    for (name, table) in &manifest.tables {
        eprintln!("{name}: {} rows", table.rows);
    }
    for row in catalog::Catalog::open(&out)?.resolution {
        eprintln!("{row:?}");
    }
    Ok(())
}
