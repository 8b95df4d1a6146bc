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
    // Shares of rows whose structure is known; what each way gets right stands in `resolution`.
    for (leaderboard, least) in [
        ("open-llm-leaderboard-v1", 0.74),
        ("open-llm-leaderboard-v2", 0.83),
    ] {
        let (mut all, mut resolved) = (0.0, 0.0);
        for row in catalog
            .evaluations
            .iter()
            .filter(|row| row.leaderboard == leaderboard)
        {
            let structure = structures.get(row.id.as_str()).ok_or_else(|| Error::Shape {
                file: row.evaluation.clone(),
                message: "no structure".to_owned(),
            })?;
            all += 1.0;
            if structure.resolved_by != ResolvedBy::None {
                resolved += 1.0;
                assert!(
                    structure.layers.is_some() && structure.d_model.is_some() && structure.heads.is_some()
                );
            }
        }
        assert!(resolved >= least * all, "{leaderboard}: {resolved} of {all}");
    }
    Ok(())
}

#[test]
fn of_structures_left_out_nearly_all_are_found_again() -> Result<(), Error> {
    let catalog = Catalog::snapshot()?;
    let row = |scope: &str| {
        let mut rows = catalog.resolution.iter();
        rows.find(|row| row.scope == scope && row.way == "all")
            .cloned()
            .unwrap_or_default()
    };
    let told = row("evaluated");
    assert!(
        told.held_out > 1_000 && told.right * 100 >= told.answered * 99,
        "{told:?}"
    );
    // Without anything that checkpoints of the same organisation teach: less, and said.
    let strict = row("organisation out");
    assert!(
        strict.answered > 600 && strict.right * 100 >= strict.answered * 93,
        "{strict:?}"
    );
    Ok(())
}
