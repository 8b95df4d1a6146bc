//! How findings are read, and which text they give.

use super::*;
use crate::finding::{Interval, SourceOf};
use crate::section::Evidence;

fn finding(id: &str, value: f64, (low, high): (f64, f64), protocol: &str) -> Finding {
    let source = SourceOf {
        work: "made up".into(),
        place: "rows".into(),
    };
    Finding::new(id, "?", &source)
        .with_value(value, "points per doubling", 20, "test")
        .with_interval(Some(Interval {
            low,
            high,
            level: 0.95,
            method: "test".into(),
        }))
        .with_protocol(protocol, &[])
}

fn some() -> Vec<Finding> {
    let designed = "designed_suite";
    vec![
        finding("pooled.effect.layers.arc", 2.7, (-2.4, 7.9), "units"),
        finding("pooled.simultaneous.layers.arc", 2.7, (-5.0, 10.0), "units"),
        finding("pooled.mde.layers.arc", 7.5, (7.0, 8.0), "units"),
        finding(
            "controlled.gemstones.flops_token.layers.arc",
            0.37,
            (0.18, 0.56),
            designed,
        ),
        finding(
            "controlled.simultaneous.gemstones.flops_token.layers.arc",
            0.37,
            (0.05, 0.69),
            designed,
        ),
        finding(
            "controlled.mde.gemstones.flops_token.layers.arc",
            0.3,
            (0.3, 0.3),
            designed,
        ),
        finding(
            "controlled.minitron.parameters.layers.gsm8k",
            24.4,
            (21.1, 27.7),
            "published_pair",
        ),
        finding(
            "controlled.minitron.parameters.layers.arc",
            3.0,
            (-1.0, 7.0),
            "published_pair",
        ),
        finding(
            "controlled.minitron.parent.layers.arc",
            5.3,
            (1.3, 9.3),
            "published_pair",
        ),
        finding(
            "controlled.size.gemstones.flops_token.arc",
            1.2,
            (1.0, 1.4),
            designed,
        ),
    ]
}

#[test]
fn three_kinds_of_evidence_stand_in_one_cell() {
    let told = section(&some());
    let Drawing::Matrix(matrix) = &told.figures[0].drawing else {
        panic!("no matrix");
    };
    let arc = &matrix.rows[0].cells[0];
    let kinds: Vec<Evidence> = arc.iter().map(|mark| mark.evidence).collect();
    assert_eq!(kinds, rows::KINDS[..3]);
    let clear: Vec<bool> = arc.iter().map(|mark| mark.is_clear).collect();
    assert_eq!(
        clear,
        [false, true, false],
        "the pair whose size fell too is no mark"
    );
    assert!((arc[2].value - 3.0).abs() < 1e-12);
    assert!(
        matrix.rows[0].sentence.contains("controlled, arc +0.4"),
        "{}",
        matrix.rows[0].sentence
    );
    assert!(
        matrix.rows[0]
            .sentence
            .contains("surgery (one pair), gsm8k +24.4")
    );
    let size = matrix.rows.iter().find(|row| row.name == "size").expect("a row");
    assert!(size.is_yardstick && size.cells[0].len() == 1);
    assert!(matrix.rows[1].cells.iter().all(Vec::is_empty));
    assert!(told.tables[0].rows[0].contains(&Cell::from("controlled: more")));
}

#[test]
fn networks_cut_and_left_so_stand_where_no_published_pair_does() {
    let mut all = some();
    for (part, benchmark, low) in [
        ("layers", "arc", 1.0),
        ("d_ffn", "arc", 1.0),
        ("d_ffn", "mmlu", -1.0),
    ] {
        let end = format!("{part}.{benchmark}");
        all.push(finding(&format!("cuts.all.{end}"), 5.0, (2.0, 8.0), "cuts"));
        all.push(finding(
            &format!("cuts.simultaneous.{end}"),
            5.0,
            (low, 9.0),
            "cuts",
        ));
    }
    let told = section(&all);
    let Drawing::Matrix(matrix) = &told.figures[0].drawing else {
        panic!("no matrix");
    };
    let of = |row: usize, benchmark: &str| {
        let place = matrix
            .columns
            .iter()
            .position(|name| name == benchmark)
            .expect("a column");
        let marks = matrix.rows[row].cells[place].iter();
        marks
            .map(|mark| (mark.evidence, mark.is_clear))
            .collect::<Vec<_>>()
    };
    assert!(
        of(0, "arc").contains(&(Evidence::Surgery, false)),
        "the pair stands"
    );
    assert!(!of(0, "arc").iter().any(|(kind, _)| *kind == Evidence::Cuts));
    assert_eq!(of(1, "arc"), [(Evidence::Cuts, true)]);
    assert_eq!(of(1, "mmlu"), [(Evidence::Cuts, false)]);
    assert!(
        matrix.rows[1]
            .sentence
            .contains("cut and left so, arc +5.0; cannot tell on 1 other"),
        "{}",
        matrix.rows[1].sentence
    );
    assert!(
        told.text[0].contains("where networks were cut and left so"),
        "{}",
        told.text[0]
    );
}

#[test]
fn what_is_not_clear_says_what_would_have_been_seen() {
    let open: Vec<Finding> = some().into_iter().take(3).collect();
    let told = section(&open);
    assert!(
        told.tables[0].rows[0].contains(&Cell::from("cannot tell (sees ≥ 7.5)")),
        "{:?}",
        told.tables[0].rows
    );
    assert!(
        told.text[0].contains("none of the parts asked (1)"),
        "{}",
        told.text[0]
    );
    assert!(
        told.text[1].contains("cannot tell on any of 1 benchmarks"),
        "{}",
        told.text[1]
    );
}

#[test]
fn nothing_to_put_side_by_side_is_said() {
    let told = section(&[]);
    assert!(told.figures.is_empty() && told.tables.is_empty() && told.text.len() == 1);
}
