//! The compiled-in snapshot is whole, and what its manifest says.

use catalog::tables::ResolvedBy;
use catalog::{Catalog, Error};

#[test]
fn the_snapshot_opens_and_adds_up() -> Result<(), Error> {
    let catalog = Catalog::snapshot()?;
    let count = |board: &str| {
        catalog
            .evaluations
            .iter()
            .filter(|row| row.leaderboard == board)
            .count()
    };
    assert_eq!(count("open-llm-leaderboard-v1"), 7_169);
    assert_eq!(count("open-llm-leaderboard-v2"), 4_576);
    for source in &catalog.manifest.sources {
        assert_eq!(source.rows_in, source.kept + source.rejected, "{}", source.path);
        assert_eq!(
            source.rejected,
            source.rejected_by_reason.values().sum::<u64>(),
            "{}",
            source.path
        );
    }
    let marked = catalog
        .evaluations
        .iter()
        .filter(|row| row.duplicate_of.is_some())
        .count();
    assert_eq!(marked, catalog.duplicates.len());
    Ok(())
}

#[test]
fn every_evaluation_has_a_structure_row_and_most_are_resolved() -> Result<(), Error> {
    let catalog = Catalog::snapshot()?;
    let structures: std::collections::BTreeMap<_, _> = catalog
        .structures
        .iter()
        .map(|row| (row.id.as_str(), row))
        .collect();
    assert_eq!(
        structures.len(),
        catalog.structures.len(),
        "one row per checkpoint"
    );
    let mut resolved = 0;
    for row in catalog
        .evaluations
        .iter()
        .filter(|row| row.leaderboard == "open-llm-leaderboard-v1")
    {
        let structure = structures.get(row.id.as_str()).ok_or_else(|| Error::Shape {
            file: row.evaluation.clone(),
            message: "no structure".to_owned(),
        })?;
        if structure.resolved_by != ResolvedBy::None {
            resolved += 1;
            assert!(structure.layers.is_some() && structure.d_model.is_some() && structure.heads.is_some());
        }
    }
    assert!(resolved >= 6_300, "{resolved}");
    Ok(())
}
