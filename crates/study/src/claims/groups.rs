//! Groups claims that are entries of one table or statement, so that they count as one.
//!
//! Sixty entries of a table of scores by method make one statement: which R² the methods reach. A statement is
//! reproduced where all its entries are, contradicted where more entries differ than by chance if 19 in 20 are right,
//! and mixed where some hold and some do not. Whether an entry differs is corrected for the number of entries of its
//! statement: among those called different, one in twenty may be so by chance (Benjamini and Hochberg 1995).
//! that differ one in twenty may by chance (Benjamini and Hochberg 1995).

use statrs::distribution::{ContinuousCDF, Normal};

use super::{Claim, ClaimEvidence, Verdict};
use crate::section::{Cell, Table};
use crate::statistics::{benjamini_hochberg, normal_quantile};

/// Statements, each with the prefixes of its claims' ids; the first match counts.
const STATEMENTS: [(&str, &[&str]); 27] = [
    ("The table's columns are distributed as printed", &["dataset."]),
    ("Which method predicts best", &["r2.best_is_random_forest"]),
    (
        "Linear methods reach the R² printed",
        &["r2.linear.", "r2.ridge.", "r2.lasso."],
    ),
    (
        "Forests, trees and boosting reach the R² printed",
        &["r2.random_forest.", "r2.decision_tree.", "r2.gradient_boosting."],
    ),
    (
        "Neighbours, support vectors and networks reach the R² printed",
        &["r2.knn.", "r2.svr.", "r2.mlp."],
    ),
    ("A tuned language model predicts scores", &["r2.llm.", "llm."]),
    ("The forest errs by less than six points", &["mae."]),
    (
        "Scores of ARC, HellaSwag and WinoGrande go together",
        &["correlation."],
    ),
    ("Scores differ most on GSM8K", &["dispersion."]),
    ("Layers come first for reasoning", &["importance.layers_first"]),
    (
        "The feed-forward width comes first for knowledge",
        &["importance.d_ffn_first"],
    ),
    (
        "Which part comes first does not depend on the date",
        &["importance.robust_to_date"],
    ),
    ("Size and date come first", &["importance.size_and_date"]),
    (
        "MMLU says most about structure",
        &["importance.mmlu_first_in_reverse"],
    ),
    ("Shares of importance are those printed", &["importance."]),
    ("New mixtures of experts slow down", &["trends.moe_slows"]),
    (
        "What appears, and what is made from it and liked",
        &["trends.multimodal", "trends.derivatives", "trends.likes"],
    ),
    (
        "The size that a score needs shrinks",
        &["trends.size_for_equal_score"],
    ),
    ("Post-training adds most on TruthfulQA", &["trends.post_training"]),
    (
        "Scores dip between 10 and 20 billion parameters",
        &["trends.dip_10b"],
    ),
    (
        "Size brings less and less; medium sizes give most a parameter",
        &["scale.", "efficiency."],
    ),
    ("Merging raises scores", &["merging."]),
    ("Likes say almost nothing of scores", &["popularity."]),
    ("Which architecture is best in what", &["architecture."]),
    (
        "Chat templates raise IFEval and lower other scores",
        &["chat_template."],
    ),
    ("Removing layers costs reasoning", &["pruning."]),
    (
        "Gradients by layer differ between abilities and styles",
        &["gradients."],
    ),
];

/// False discovery rate of entries called different.
const FALSE_CALLS: f64 = 0.05;

/// Index of the statement that a claim belongs to.
fn statement(claim: &Claim) -> Option<usize> {
    let is_of = |begins: &[&str]| begins.iter().any(|begin| claim.id.starts_with(begin));
    STATEMENTS.iter().position(|(_, begins)| is_of(begins))
}

/// Marks as open the claims that differ only because there are many of them: the p values of the distance to the
/// claimed number are corrected within each statement and reading.
pub(super) fn correct(claims: &mut [Claim]) {
    type Evidence = fn(&mut Claim) -> &mut ClaimEvidence;
    let readings: [Evidence; 2] = [|claim| &mut claim.literature, |claim| &mut claim.strict];
    for own in (0..STATEMENTS.len()).map(Some).chain([None]) {
        let cells: Vec<usize> = (0..claims.len())
            .filter(|&place| statement(&claims[place]) == own)
            .collect();
        for evidence in readings {
            let p: Vec<f64> = cells
                .iter()
                .map(|&place| {
                    let claimed = claims[place].claimed;
                    distance_p(evidence(&mut claims[place]), claimed)
                })
                .collect();
            let n = p.iter().filter(|p| p.is_finite()).count();
            for (&place, corrected) in cells.iter().zip(benjamini_hochberg(&p)) {
                let claim = &mut claims[place];
                let before = evidence(claim).clone();
                if claim.verdict(&before) == Verdict::Differs && corrected > FALSE_CALLS {
                    let evidence = evidence(claim);
                    evidence.is_open = true;
                    let why = format!(
                        "its interval excludes the number claimed, as those of some of {n} such claims would by chance \
                         (Benjamini-Hochberg p = {corrected:.3})"
                    );
                    evidence.says = [before.says, why]
                        .into_iter()
                        .filter(|words| !words.is_empty())
                        .collect::<Vec<String>>()
                        .join("; ");
                }
            }
        }
    }
}

/// Two-sided p value of the claimed number, from the interval by a normal approximation; NaN where there is no bounded
/// interval.
fn distance_p(evidence: &ClaimEvidence, claimed: f64) -> f64 {
    let ends = evidence.interval.as_ref().filter(|ends| ends.is_bounded());
    let (Some(value), Some(ends)) = (evidence.value, ends) else {
        return f64::NAN;
    };
    // Uses the half of the interval towards the claimed number, as it may be skewed.
    let half = if claimed < value {
        value - ends.low
    } else {
        ends.high - value
    };
    let z = (value - claimed).abs() / half * normal_quantile(ends.level);
    2.0 * Normal::standard().sf(z)
}

/// The verdict on a statement from the counts of its entries.
fn said(holds: usize, fails: usize, open: usize) -> &'static str {
    match (holds, fails, open) {
        (0, 0, 0) => "untestable",
        (_, 0, 0) => "agrees",
        // If all entries are right, one in twenty is contradicted by chance.
        (_, fails, _) if fails > 0 && fails as f64 <= 0.05 * (holds + fails + open) as f64 => {
            "agrees but for chance"
        }
        (0, _, 0) => "contradicted",
        (0, 0, _) => "not excluded",
        (_, 0, _) => "agrees where it can be told",
        (0, ..) => "contradicted where it can be told",
        _ => "mixed",
    }
}

/// One row per statement: its entries by verdict, in both readings.
pub(super) fn table(claims: &[Claim]) -> Table {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let named = STATEMENTS
        .iter()
        .enumerate()
        .map(|(own, (words, _))| (Some(own), *words));
    for (own, words) in named.chain([(None, "other claims")]) {
        let cells: Vec<&Claim> = claims.iter().filter(|claim| statement(claim) == own).collect();
        if cells.is_empty() {
            continue;
        }
        let count = |wanted: Verdict, strict: bool| {
            let verdict =
                |claim: &Claim| claim.verdict(if strict { &claim.strict } else { &claim.literature });
            cells.iter().filter(|claim| verdict(claim) == wanted).count()
        };
        let three = |strict: bool| {
            let all = [Verdict::Reproduced, Verdict::Differs, Verdict::CannotTell];
            all.map(|verdict| count(verdict, strict))
        };
        let ([holds, fails, open], [strict_holds, strict_fails, strict_open]) = (three(false), three(true));
        rows.push(vec![
            words.into(),
            cells.len().into(),
            holds.into(),
            fails.into(),
            open.into(),
            said(holds, fails, open).into(),
            said(strict_holds, strict_fails, strict_open).into(),
        ]);
    }
    Table {
        id: "claims-by-statement".into(),
        caption: "The claims of the two works by what they state: a table's cells are one statement. Cells that agree, are contradicted \
                  and are not excluded as the works made them, what that says, and what the stricter reading says."
            .into(),
        columns: [
            "statement",
            "cells",
            "agree",
            "contradicted",
            "not excluded",
            "as the work did it",
            "stricter",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        shown: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::{Findings, claims};

    #[test]
    fn every_claim_is_of_a_statement() {
        let all = claims(&Findings::new(&[]));
        let table = table(&all);
        assert!(table.rows.len() >= 24, "{} statements", table.rows.len());
        assert!(!table.rows.iter().any(|row| row[0] == "other claims".into()));
        let cells: f64 = table
            .rows
            .iter()
            .map(|row| match row[1] {
                Cell::Number(n) => n,
                _ => f64::NAN,
            })
            .sum();
        assert_eq!(cells as usize, all.len());
    }

    #[test]
    fn one_of_many_cells_differs_by_chance_and_one_far_off_does_not() {
        // Table 2 for linear methods: eighteen entries, in the order of the ledger.
        let cells = |off: f64| {
            let mut all = claims(&Findings::new(&[]));
            all.retain(|claim| claim.id.starts_with("r2.linear.") || claim.id.starts_with("r2.ridge."));
            assert!(all.len() >= 12, "{} cells", all.len());
            for (place, claim) in all.iter_mut().enumerate() {
                let value = claim.claimed + if place == 0 { off } else { 0.06 };
                claim.literature.value = Some(value);
                claim.literature.interval = Some(crate::finding::Interval {
                    low: value - 0.1,
                    high: value + 0.1,
                    level: 0.95,
                    method: "made up".into(),
                });
            }
            let alone = all[0].verdict(&all[0].literature);
            correct(&mut all);
            let others = all[1..].iter().map(|claim| claim.verdict(&claim.literature));
            assert!(others.into_iter().all(|verdict| verdict == Verdict::CannotTell));
            (alone, all[0].verdict(&all[0].literature))
        };
        // p = 0.04 for one entry, at least 0.4 among twelve; p = 1e-6 remains significant.
        assert_eq!(cells(0.105), (Verdict::Differs, Verdict::CannotTell));
        assert_eq!(cells(0.25), (Verdict::Differs, Verdict::Differs));
    }

    #[test]
    fn a_statement_holds_fails_or_is_open() {
        assert_eq!(said(3, 0, 0), "agrees");
        assert_eq!(said(39, 1, 0), "agrees but for chance");
        assert_eq!(said(0, 3, 0), "contradicted");
        assert_eq!(said(0, 0, 3), "not excluded");
        assert_eq!(said(2, 0, 1), "agrees where it can be told");
        assert_eq!(said(0, 2, 1), "contradicted where it can be told");
        assert_eq!(said(2, 2, 0), "mixed");
        assert_eq!(said(0, 0, 0), "untestable");
    }
}
