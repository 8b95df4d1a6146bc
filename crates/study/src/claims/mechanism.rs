//! Claims on what happens inside checkpoints, judged by the number of probed checkpoints on which a measured number has
//! the claimed direction.

use super::{Claim, ClaimEvidence, Findings, Rule};
use crate::finding::Finding;
use crate::published::PAPER;
use crate::weights::{above_of, prefix};

/// A claim, and what is needed to judge it.
struct Asked {
    id: &'static str,
    statement: &'static str,
    place: &'static str,
    /// The command that measures the number on a user's own checkpoint.
    command: &'static str,
}

const CLAIMS: [Asked; 12] = [
    Asked {
        id: "pruning.reasoning_falls",
        statement: "Removing the least influential layers (21 to 29 of Llama-2-7B) costs ARC, HellaSwag and WinoGrande much, MMLU and \
                    TruthfulQA little",
        place: "section 5.1, figures 9 and 15",
        command: "anatomy probe ablate --model MODEL --parts layers --tasks arc_challenge,hellaswag,winogrande,mmlu,truthfulqa_mc2",
    },
    Asked {
        id: "pruning.depth_against_width",
        statement: "Depth matters for reasoning, feed-forward width for knowledge: at equal parameters, layers cost reasoning more than \
                    feed-forward width does, by more than they cost knowledge",
        place: "section 5.1",
        command: "anatomy probe ablate --model MODEL --parts layers,d_ffn --tasks arc_challenge,hellaswag,winogrande,mmlu,truthfulqa_mc2",
    },
    Asked {
        id: "pruning.truthfulqa_rises",
        statement: "TruthfulQA rises slightly without the least influential layers",
        place: "section 5.1, figure 9",
        command: "anatomy probe ablate --model MODEL --parts layers --tasks truthfulqa_mc2",
    },
    Asked {
        id: "pruning.least_influential_lie_deep",
        statement: "The least influential layers lie deep: 21 to 29 of 32 of Llama-2-7B, 21 to 25 of 28 of Qwen-2-7B, 58 to 73 of 80 of \
                    Llama-2-70B",
        place: "section 5.1, appendix C.2 and C.3, figures 14 and 15",
        command: "anatomy probe influence --model MODEL --tasks arc_challenge,hellaswag,winogrande,mmlu,truthfulqa_mc1",
    },
    Asked {
        id: "pruning.gsm8k_falls",
        statement: "Removing the least influential layers costs GSM8K (the paper leaves it out)",
        place: "section 5.1",
        command: "anatomy probe ablate --model MODEL --parts layers --tasks gsm8k, on a checkpoint that solves some of its items",
    },
    Asked {
        id: "pruning.influence_is_alike",
        statement: "Block Influence by layer is alike over benchmarks",
        place: "appendix C.2, figure 14",
        command: "anatomy probe influence --model MODEL --tasks arc_challenge,hellaswag,winogrande,mmlu,truthfulqa_mc1",
    },
    Asked {
        id: "gradients.deep_layers_arc",
        statement: "Nuclear norms of gradients in deep layers stay high on ARC and low on TruthfulQA",
        place: "section 5.2, figures 10 and 16",
        command: "anatomy probe gradients --model MODEL --data arc_challenge.jsonl --data truthfulqa.jsonl",
    },
    Asked {
        id: "gradients.deep_layers_raw",
        statement: "Nuclear norms of gradients in deep layers are higher on ARC than on TruthfulQA as they stand",
        place: "section 5.2, figures 10 and 16",
        command: "anatomy probe gradients --model MODEL --data arc_challenge.jsonl --data truthfulqa.jsonl",
    },
    Asked {
        id: "gradients.style",
        statement: "Gradients of deep feed-forward layers rise on archaic texts, not on plain or mathematical ones",
        place: "appendix C.5, figure 17",
        command: "anatomy probe gradients --model MODEL --corpus plain,mathematical,archaic",
    },
    Asked {
        id: "gradients.peaks_are_pruned",
        statement: "The layers whose gradients rise on archaic texts are those of least influence",
        place: "appendix C.5",
        command: "anatomy probe gradients --corpus plain,archaic and anatomy probe influence, both of one MODEL",
    },
    Asked {
        id: "gradients.tuning",
        statement: "During fine-tuning gradients of deep layers stay high on ARC and low on TruthfulQA",
        place: "section 5.2",
        command: "anatomy probe tune --gradients-every NUM on each benchmark, the two results side by side in one file",
    },
    Asked {
        id: "llm.predicts",
        statement: "A language model tuned on structures in words predicts scores reasonably",
        place: "section 4, table 2",
        command: "anatomy study prompts, and anatomy probe tune on its rows",
    },
];

/// Judges the claims by the findings of the section `weights`.
pub(super) fn claims(findings: &Findings<'_>) -> Vec<Claim> {
    CLAIMS.iter().map(|asked| claim(asked, findings)).collect()
}

fn claim(asked: &Asked, findings: &Findings<'_>) -> Claim {
    let probed: Vec<&Finding> = findings
        .under(&prefix(asked.id))
        .into_iter()
        .map(|(_, finding)| finding)
        .collect();
    let (literature, strict) = if probed.is_empty() {
        (
            ClaimEvidence::cannot(&format!("no checkpoint was asked; it needs {}", asked.command)),
            ClaimEvidence::none(),
        )
    } else {
        (counted(&probed, false), counted(&probed, true))
    };
    Claim {
        id: asked.id.into(),
        statement: asked.statement.into(),
        work: PAPER,
        place: asked.place,
        claimed: probed.len().max(1) as f64,
        unit: "checkpoints with the claimed direction".into(),
        rule: Rule::AtLeast,
        literature,
        strict,
        why: String::new(),
    }
}

/// Number of checkpoints whose number has the claimed direction; in the strict reading, whose whole interval has. The
/// result is open where checkpoints disagree or are undecided, or where the intervals of all include the threshold.
fn counted(probed: &[&Finding], strict: bool) -> ClaimEvidence {
    let (mut holds, mut against) = (0, 0);
    let mut each = Vec::new();
    for finding in probed {
        let (value, above) = (
            finding.value.unwrap_or(f64::NAN),
            above_of(finding).unwrap_or(0.0),
        );
        let (low, high) = match &finding.interval {
            Some(ends) if strict => (ends.low, ends.high),
            // Without an interval no direction is certain.
            None if strict => (f64::NEG_INFINITY, f64::INFINITY),
            _ => (value, value),
        };
        holds += usize::from(low > above);
        against += usize::from(high <= above);
        let ends = finding.interval.as_ref().map_or(String::new(), |ends| {
            format!(" [{:.3}, {:.3}]", ends.low, ends.high)
        });
        each.push(format!(
            "{} {value:.3}{ends} (n {})",
            finding.source.work, finding.n
        ));
    }
    // A direction of which no interval is certain does not count.
    let covers = |finding: &&&Finding| {
        let above = above_of(finding).unwrap_or(0.0);
        finding.interval.as_ref().is_some_and(|ends| ends.covers(above))
    };
    let unsure = probed.iter().filter(covers).count() == probed.len();
    let n = probed.len();
    let unit = &probed[0].unit;
    let whole = if strict { ", the whole interval" } else { "" };
    ClaimEvidence {
        value: Some(holds as f64),
        n,
        protocol: "same_items".into(),
        method: format!("count of checkpoints whose number points as claimed{whole}"),
        seed: probed[0].seed,
        is_open: unsure || (holds < n && against < n),
        says: format!(
            "same direction on {holds} of {n} checkpoint{}{whole} ({unit}): {}; {} for Llama-2-7B",
            if n == 1 { "" } else { "s" },
            each.join(", "),
            if n == 1 { "a stand-in" } else { "stand-ins" }
        ),
        ..ClaimEvidence::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use crate::weights::{self, Witness};

    fn witness(checkpoint: &str, value: f64, ends: (f64, f64)) -> Witness {
        Witness {
            claim: "pruning.reasoning_falls",
            what: "What",
            checkpoint: checkpoint.into(),
            sha256: String::new(),
            value,
            above: 0.0,
            unit: "points",
            interval: Some(Interval {
                low: ends.0,
                high: ends.1,
                level: 0.95,
                method: "test".into(),
            }),
            n: 50,
            method: "test".into(),
            seed: Some(42),
            note: String::new(),
        }
    }

    fn verdicts(witnesses: &[Witness]) -> (Verdict, Verdict, String) {
        let found = weights::section(witnesses);
        let ledger = section(&found.findings);
        let of = |id: &str| {
            let finding = ledger
                .findings
                .iter()
                .find(|finding| finding.id == id)
                .expect("in the ledger");
            (finding.verdict.expect("judged"), finding.notes.join(" "))
        };
        let (first, says) = of("claims.pruning.reasoning_falls");
        (first, of("claims.pruning.reasoning_falls.strict").0, says)
    }

    #[test]
    fn a_claim_on_weights_is_judged_on_every_checkpoint_probed() {
        let (verdict, strict, says) = verdicts(&[]);
        assert_eq!((verdict, strict), (Verdict::NotTestable, Verdict::NotTestable));
        assert!(says.contains("anatomy probe ablate --model MODEL"), "{says}");
        let both = [witness("A", 3.0, (1.0, 5.0)), witness("B", 2.0, (-1.0, 4.0))];
        let (verdict, strict, says) = verdicts(&both);
        assert_eq!((verdict, strict), (Verdict::Reproduced, Verdict::CannotTell));
        assert!(
            says.contains("same direction on 2 of 2 checkpoints")
                && says.contains("A 3.000 [1.000, 5.000] (n 50)"),
            "{says}"
        );
        let one = [witness("A", 3.0, (1.0, 5.0)), witness("B", -2.0, (-4.0, -1.0))];
        let (verdict, strict, says) = verdicts(&one);
        assert_eq!((verdict, strict), (Verdict::CannotTell, Verdict::CannotTell));
        assert!(says.contains("same direction on 1 of 2"), "{says}");
        let (verdict, ..) = verdicts(&[witness("A", 1.4, (-4.9, 7.6))]);
        assert_eq!(verdict, Verdict::CannotTell, "the interval holds both ways");
        let (verdict, strict, _) = verdicts(&[witness("B", -2.0, (-4.0, -1.0))]);
        assert_eq!((verdict, strict), (Verdict::Differs, Verdict::Differs));
    }
}
