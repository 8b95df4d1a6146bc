//! Runs of others: laws fitted here beside the work's own.

use study::scaling::{self, LawTarget, Run};

use crate::shared::data;

fn gemstones(file: &str) -> Option<Vec<Run>> {
    let text = std::fs::read_to_string(data(&format!("gemstones/{file}"))?).ok()?;
    let rows = text.lines().map(|line| -> Option<Run> {
        let row: serde_json::Value = serde_json::from_str(line).ok()?;
        let number = |name: &str| row[name].as_f64();
        Some(Run {
            target: number("final_loss")?,
            parameters: number("params_active_precise")?,
            tokens: number("tokens")?,
            shape: Some((number("depth")?, number("width")?)),
        })
    });
    rows.collect()
}

/// The law of width, layers and tokens is the work's own; the law chosen without each shape errs no more on it.
#[test]
fn gemstones_shapes_left_out() {
    let Some(runs) = gemstones("wandb_df_for_fitting_cool_end.jsonl") else {
        return;
    };
    let answer = scaling::fit(&runs, LawTarget::Loss, 50, 1).expect("a fit");
    let of = |name: &str| answer.laws.iter().find(|law| law.name == name).expect("a law");
    for law in &answer.laws {
        println!(
            "{}: {:.4} left out, {:.4} fitted",
            law.name, law.left_out, law.fitted
        );
    }
    println!(
        "chosen {}, nested {:.4}; deeper {:?}",
        answer.chosen, answer.nested, answer.deeper
    );
    assert_eq!(answer.shapes, 20);
    assert!(
        answer.nested <= of("shape").left_out,
        "{} above {}",
        answer.nested,
        of("shape").left_out
    );
}
