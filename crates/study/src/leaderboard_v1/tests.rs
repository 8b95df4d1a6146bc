//! The sections on rows whose answer is known.

use super::*;

/// 60 shapes of 12 checkpoints; the score is a number drawn for the shape, so structure explains everything by look-up
/// and nothing out of shape.
fn look_up_table() -> Vec<StructureRow> {
    (0..720_u32)
        .map(|number| {
            let shape = number % 60;
            let draw = f64::from(shape.wrapping_mul(2_654_435_761) >> 16 & 1023) / 10.24;
            let layers = f64::from(shape + 4);
            StructureRow {
                id: format!("org/checkpoint-{number}"),
                shape,
                structure: [
                    Some(1.0),
                    Some(64.0),
                    Some(256.0),
                    Some(8.0),
                    Some(layers),
                    Some(8.0),
                    Some(32_000.0),
                    Some(2048.0),
                    Some(f64::from(number % 7)),
                ],
                kind: None,
                scores: [
                    Some(draw),
                    Some(draw),
                    Some(draw),
                    Some(100.0 - draw),
                    Some(draw),
                    Some(draw),
                ],
            }
        })
        .collect()
}

fn value(sections: &[Section], id: &str) -> f64 {
    let all = sections.iter().flat_map(|section| &section.findings);
    all.into_iter()
        .find(|finding| finding.id == id)
        .and_then(|finding| finding.value)
        .unwrap_or_else(|| panic!("no {id}"))
}

fn run(rows: &[StructureRow]) -> Vec<Section> {
    let study = LeaderboardV1 {
        rows,
        n_repeats: 0,
        resamples: 100,
        seed: 5,
    };
    sections(&study, &|_, _| ()).expect("enough shapes")
}

#[test]
fn a_look_up_table_is_found_out_by_unseen_shapes() {
    let sections = run(&look_up_table());
    let id = |protocol: &str| format!("regression.r2.structure_date.{protocol}.random_forest.arc");
    assert!(value(&sections, &id("random_split")) > 0.95);
    assert!(value(&sections, &id("structure_out")) < 0.3);
    assert!((value(&sections, "regression.ceiling.structure.arc") - 1.0).abs() < 1e-9);
    assert!(value(&sections, "importance.mdi.structure_date.arc.layers") > 0.9);
}

#[test]
fn progress_hears_of_every_fit() {
    let seen = std::sync::Mutex::new(Vec::new());
    let rows = look_up_table();
    let study = LeaderboardV1 {
        rows: &rows,
        n_repeats: 0,
        resamples: 100,
        seed: 5,
    };
    sections(&study, &|done, of| {
        seen.lock().expect("no panic").push((done, of));
    })
    .expect("enough shapes");
    let seen = seen.into_inner().expect("no panic");
    assert_eq!(seen.first(), Some(&(1, 18)));
    assert_eq!(seen.last(), Some(&(18, 18)));
}

#[test]
fn rows_and_folds_are_written_out_for_others_to_fit() {
    let sections = run(&look_up_table());
    let table = sections
        .iter()
        .flat_map(|section| &section.tables)
        .find(|table| table.id == "regression-rows-arc")
        .expect("the rows are written");
    assert_eq!(table.rows.len(), 720);
    assert_eq!(table.rows[0].len(), table.columns.len());
    assert!(table.columns.contains(&"fold_structure_out".to_string()));
}

#[test]
fn a_spread_over_trees_is_no_interval() {
    let sections = run(&look_up_table());
    let all: Vec<_> = sections.iter().flat_map(|section| &section.findings).collect();
    let of = |id: &str| all.iter().find(|finding| finding.id == id).expect("a finding");
    assert!(of("importance.mdi.structure_date.arc.layers").interval.is_none());
    let is_of_trees = |finding: &crate::finding::Finding| {
        finding
            .interval
            .as_ref()
            .is_some_and(|interval| interval.method.contains("trees"))
    };
    assert!(!all.iter().any(|finding| is_of_trees(finding)));
}
