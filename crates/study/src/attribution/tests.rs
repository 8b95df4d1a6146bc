//! Number of random splits.

use super::*;

#[test]
fn scores_on_rows_at_random_are_of_twelve_splits() {
    // Ten rows per shape; scores depend on the shape, and a little on unobserved noise.
    let shapes: Vec<u32> = (0..120).map(|row| row / 10).collect();
    let layers: Vec<f64> = shapes.iter().map(|&shape| f64::from(shape)).collect();
    let values: Vec<f64> = (0..120_u32)
        .map(|row| f64::from(row / 10) + f64::from(row.wrapping_mul(2_654_435_761) >> 16 & 1023) / 256.0)
        .collect();
    let design = Design::new(vec!["layers".into()], vec![layers]).expect("a design");
    let source = SourceOf {
        work: "made up".into(),
        place: "rows".into(),
    };
    let asked = Asked {
        set: "core",
        target: "arc",
        unit: "points",
        design: &design,
        values: &values,
        shape: &Groups::from_labels(&shapes),
        source: &source,
        effort: Effort::FEW,
        is_published: false,
        is_told_elsewhere: false,
    };
    let section = section(&[asked], 50, 3, &|| ()).expect("an answer");
    let notes = |id: &str| {
        let found = section.findings.iter().find(|finding| finding.id == id);
        found.unwrap_or_else(|| panic!("no {id}")).notes.join("; ")
    };
    let said = notes("regression.r2.core.random_split.random_forest.arc");
    assert!(
        said.contains("mean over 12 splits of the rows at random") && said.contains("sd over splits 0."),
        "{said}"
    );
    assert!(notes("regression.mae.core.random_split.random_forest.arc").contains("mean over 12 splits"));
    assert!(!notes("regression.r2.core.structure_out.random_forest.arc").contains("splits"));
}
