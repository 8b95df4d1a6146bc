//! Builds from the real sources: two are equal to the byte, and nothing half-written is left on an error.

use std::fs;

use catalog::{Catalog, Error, build};

#[test]
fn two_builds_are_equal_to_the_byte() -> Result<(), Error> {
    let Some(data) = crate::shared_data() else {
        return Ok(());
    };
    let folder = tempfile::tempdir().map_err(|source| Error::Io {
        path: "temporary".into(),
        source,
    })?;
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let first = build(&data, &one, &mut |_| {})?;
    let second = build(&data, &two, &mut |_| {})?;
    assert_eq!(first, second);
    for table in first.tables.values() {
        let read = |dir: &std::path::Path| {
            fs::read(dir.join(&table.file)).map_err(|source| Error::Io {
                path: dir.to_owned(),
                source,
            })
        };
        assert!(read(&one)? == read(&two)?, "{}", table.file);
    }
    assert_eq!(Catalog::open(&one)?.manifest, first);
    Ok(())
}

#[test]
fn the_snapshot_is_what_the_sources_say() -> Result<(), Error> {
    let data = crate::shared_data();
    let report = catalog::check(None, data.as_deref(), &mut |_| {})?;
    let broken: Vec<_> = report.rules.iter().filter(|rule| rule.broken > 0).collect();
    assert!(broken.is_empty(), "{broken:?}");
    assert!(
        report.holds(),
        "{:?} {:?}",
        report.tables,
        report.sources.iter().filter(|s| !s.adds_up).collect::<Vec<_>>()
    );
    Ok(())
}
