//! The sections on rows with a known answer.

use super::*;
use crate::section::{Cell, Drawing, Table};

/// 60 shapes of 12 checkpoints with a random score per shape, so a look-up by structure predicts it perfectly and
/// held-out shapes cannot be predicted.
fn look_up_table() -> Vec<StructureRow> {
    (0..720_u32)
        .map(|number| {
            let shape = number % 60;
            let draw = f64::from(shape.wrapping_mul(2_654_435_761) >> 16 & 1023) / 10.24;
            let layers = f64::from(shape + 4);
            StructureRow {
                id: format!("org/checkpoint-{number}"),
                shape,
                structure: StructureValues {
                    size: Some(1.0),
                    d_model: Some(64.0),
                    d_ffn: Some(256.0),
                    heads: Some(8.0),
                    layers: Some(layers),
                    kv_heads: Some(8.0),
                    vocab_size: Some(32_000.0),
                    pos: Some(2048.0),
                    date: Some(f64::from(number % 7)),
                },
                post_trained: None,
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
    // Layers alone determine the score; size, which is constant, and date are uninformative.
    let primary = |id: &str| value(&sections, &format!("importance.primary.{id}.structure_date.arc"));
    assert!(primary("share") < 0.1, "{}", primary("share"));
    assert!(
        primary("size").abs() < 1e-12,
        "a constant is the same shuffled: {}",
        primary("size")
    );
    assert!(primary("date").abs() < 0.1, "{}", primary("date"));
}

#[test]
fn size_and_date_are_primary_where_they_make_the_score() {
    let mut rows = look_up_table();
    for (number, row) in (0_u32..).zip(&mut rows) {
        let size = f64::from(number % 60) / 6.0;
        let date = f64::from(number.wrapping_mul(2_654_435_761) >> 16 & 1023) / 100.0;
        row.structure.size = Some(size);
        row.structure.date = Some(date);
        row.structure.layers = Some(f64::from(4 + number % 3));
        row.scores = [Some(2.0 * size + 3.0 * date); 6];
    }
    let sections = run(&rows);
    let primary = |id: &str| value(&sections, &format!("importance.primary.{id}.structure_date.arc"));
    assert!((primary("share") - 1.0).abs() < 0.02, "{}", primary("share"));
    assert!(
        primary("size") > 0.05 && primary("date") > 0.2,
        "{} {}",
        primary("size"),
        primary("date")
    );
}

/// 40 rows each of 19 shapes whose score follows from the layers, and 800 rows of the deepest, whose score does not.
fn one_large_shape() -> Vec<StructureRow> {
    let row = |number: u32, shape: u32, score: f64| StructureRow {
        id: format!("org/checkpoint-{number}"),
        shape,
        structure: StructureValues {
            size: Some(1.0),
            d_model: Some(64.0),
            d_ffn: Some(256.0),
            heads: Some(8.0),
            layers: Some(f64::from(shape + 4)),
            kv_heads: Some(8.0),
            vocab_size: Some(32_000.0),
            pos: Some(2048.0),
            date: Some(1.0),
        },
        post_trained: None,
        scores: [Some(score); 6],
    };
    (0..1600_u32)
        .map(|number| {
            let wobble = f64::from(number % 5);
            if number < 800 {
                row(number, 19, wobble)
            } else {
                row(number, number % 20, f64::from(number % 20) * 3.0 + wobble)
            }
        })
        .filter(|row| row.shape != 19 || row.scores[0] < Some(5.0))
        .collect()
}

#[test]
fn one_large_shape_does_not_speak_for_all() {
    let sections = run(&one_large_shape());
    let of = |statistic: &str| {
        let id = format!("regression.{statistic}.structure_date.structure_out.random_forest.mmlu");
        value(&sections, &id)
    };
    assert!(of("r2") < 0.0, "by rows the held-out shape decides: {}", of("r2"));
    assert!(of("r2_without_largest") > 0.7, "{}", of("r2_without_largest"));
    assert!(
        of("r2_shapes") > of("r2") + 0.5,
        "{} {}",
        of("r2_shapes"),
        of("r2")
    );
    let effective = value(
        &sections,
        "regression.effective_shapes.structure_date.structure_out.mmlu",
    );
    // 800 rows of one shape and 40 each of 19.
    let counted = 1560.0_f64.powi(2) / (800.0_f64.powi(2) + 19.0 * 1600.0);
    assert!((effective - counted).abs() < 1e-9, "{effective}");
    let regression = sections
        .iter()
        .find(|section| section.id == "regression")
        .expect("there");
    assert!(
        regression.text[1].contains(&format!("the effective number of shapes is {counted:.1}")),
        "{}",
        regression.text[1]
    );
    let Drawing::Bars(bars) = &regression.figures[0].drawing else {
        panic!("bars");
    };
    let arc: Vec<&str> = bars[..3].iter().map(|bar| bar.series.as_str()).collect();
    assert_eq!(
        arc,
        [
            "random rows",
            "unseen shapes, by rows",
            "unseen shapes, each once"
        ]
    );
}

#[test]
fn random_rows_are_split_twelve_times() {
    let sections = run(&one_large_shape());
    let tables: Vec<&Table> = sections.iter().flat_map(|section| &section.tables).collect();
    let table = tables
        .iter()
        .find(|table| table.id == "regression")
        .expect("the table");
    let over = table
        .columns
        .iter()
        .position(|name| name == "sd over")
        .expect("the column");
    assert_eq!(table.rows[0][over], Cell::from("12 splits"));
    assert_eq!(table.rows[1][over], Cell::from("3 seeds"));
    let rows = tables
        .iter()
        .find(|table| table.id == "regression-rows-arc")
        .expect("the rows");
    let folds = |name: &str| {
        let place = rows.columns.iter().position(|column| column == name)?;
        Some(rows.rows.iter().map(|row| row[place].clone()).collect::<Vec<_>>())
    };
    let first = folds("fold_random_split").expect("the first split");
    let last = folds("fold_random_split_12").expect("the twelfth split");
    assert!(first != last && folds("fold_random_split_13").is_none());
    let all = sections.iter().flat_map(|section| &section.findings);
    let note = |protocol: &str| {
        let id = format!("regression.r2.structure_date.{protocol}.random_forest.arc");
        let found = all.clone().find(|finding| finding.id == id);
        found.expect("a finding").notes.join(" ")
    };
    assert!(
        note("random_split")
            .contains("mean over 12 splits of the rows at random, a forest each; sd over splits")
    );
    assert!(
        note("structure_out").contains("sd over seeds") && !note("structure_out").contains("sd over splits")
    );
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
