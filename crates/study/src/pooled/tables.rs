//! Tables and text of the section.

use super::PooledBoard;
use super::effects::TOLD;
use crate::finding::Finding;
use crate::section::{Cell, Section, Table};

pub(super) fn tables(section: &mut Section, boards: &[PooledBoard]) {
    let find = |id: &str| section.findings.iter().find(|finding| finding.id == id);
    let shown = |finding: Option<&Finding>| -> Cell {
        let Some(value) = finding.and_then(|finding| finding.value) else {
            return Cell::Missing;
        };
        match finding.and_then(|finding| finding.interval.as_ref()) {
            Some(ends) => format!("{value:+.1} [{:+.1}, {:+.1}]", ends.low, ends.high).into(),
            None => format!("{value:+.1}").into(),
        }
    };
    let benchmarks: Vec<&str> = boards
        .iter()
        .flat_map(|board| board.benchmarks.iter().map(String::as_str))
        .collect();
    let number = |id: &str| find(id).and_then(|finding| finding.value);
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (part, _) in TOLD {
        for benchmark in &benchmarks {
            let end = format!("{part}.{benchmark}");
            let sure = find(&format!("pooled.effect.{end}"));
            let all = find(&format!("pooled.effect_all_rows.{end}"));
            if sure.is_none() && all.is_none() {
                continue;
            }
            rows.push(vec![
                part.into(),
                (*benchmark).into(),
                shown(sure),
                number(&format!("pooled.mde.{end}")).into(),
                number(&format!("pooled.permutation.{end}")).into(),
                number(&format!("pooled.robustness.{end}")).into(),
                shown(find(&format!("pooled.simultaneous.{end}"))),
                shown(all),
            ]);
        }
    }
    if rows.is_empty() {
        return;
    }
    let clear: Vec<String> = TOLD
        .iter()
        .filter(|(part, _)| !["size", "tokens", "date"].contains(part))
        .flat_map(|(part, _)| {
            let find = &find;
            benchmarks.iter().filter_map(move |benchmark| {
                let found = find(&format!("pooled.simultaneous.{part}.{benchmark}"))?;
                (!found.interval.as_ref()?.covers(0.0))
                    .then(|| format!("{part} with {benchmark} {:+.1}", found.value.unwrap_or(f64::NAN)))
            })
        })
        .collect();
    section.text.push(format!(
        "At fixed size, date and tokens, on structures that are known, {}. These are associations over families: what was \
         fed to a network goes with its shape.",
        if clear.is_empty() {
            "no part goes with any benchmark once all are looked at together".to_owned()
        } else {
            format!("of all parts these go with a benchmark once all benchmarks are looked at together: {}", clear.join(", "))
        }
    ));
    let ceilings: Vec<String> = section
        .findings
        .iter()
        .filter_map(|finding| {
            let rest = finding.id.strip_prefix("pooled.ceiling.")?;
            let (which, board) = rest.split_once('.')?;
            Some(format!(
                "{board} {:.2}, {}",
                finding.value?,
                which.replace('_', " ")
            ))
        })
        .collect();
    section.text.push(format!(
        "No model of structure, date and tokens can reach more than about this R² by unit on a board's mean: {}.",
        ceilings.join("; ")
    ));
    let predicted: Vec<Vec<Cell>> = boards
        .iter()
        .flat_map(|board| {
            ["shape_out", "unit_family_out", "forward"].map(|protocol| format!("{}.{protocol}", board.name))
        })
        .filter_map(|end| {
            let value = |id: String| number(&id);
            let main = value(format!("pooled.r2.shapes.{end}"))?;
            Some(vec![
                end.replace('.', ", ").into(),
                main.into(),
                value(format!("pooled.r2.rows.{end}")).into(),
                value(format!("pooled.mae.shapes.{end}")).into(),
                value(format!("pooled.look_up.r2.shapes.{end}")).into(),
                value(format!("pooled.look_up.mae.shapes.{end}")).into(),
            ])
        })
        .collect();
    if !predicted.is_empty() {
        section.tables.push(Table {
            id: "pooled-prediction".into(),
            caption: "A board's mean predicted on shapes, and families, that were never seen, and on shapes that came later (forward): R² with each shape counted once, R² by \
                      rows, mean absolute error of a shape in points; look-up by size (the five units nearest) beside it."
                .into(),
            columns: [
                "board, protocol",
                "R² by shapes",
                "R² by rows",
                "MAE by shapes",
                "look-up R² by shapes",
                "look-up MAE by shapes",
            ]
            .map(String::from)
            .to_vec(),
            rows: predicted,
            shown: true,
        });
    }
    section.tables.push(Table {
        id: "pooled-effects".into(),
        caption: "What a doubling of a part (a year, for the date) goes with at fixed size, in points, by a mixed model of units \
                  with family effects (REML): on known structures with 95 % interval, the smallest that would be seen, permutation \
                  p, robustness value, and an interval for all benchmarks at once; on all structures beside it."
            .into(),
        columns: [
            "part",
            "benchmark",
            "known structures",
            "smallest seen",
            "permutation p",
            "robustness value",
            "all benchmarks at once",
            "all structures",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        shown: true,
    });
}
