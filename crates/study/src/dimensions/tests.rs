//! The six dimensions on constructed rows.

use super::*;
use crate::features::StructureValues;
use crate::finding::Verdict;

fn row(number: u32, average: f64, listed_size: f64) -> LeaderboardRow {
    LeaderboardRow {
        id: format!("org/checkpoint-{number}"),
        shape: number,
        average,
        listed_size: Some(listed_size),
        scores: [Some(average); 6],
        ..LeaderboardRow::default()
    }
}

fn findings(rows: &[LeaderboardRow]) -> Vec<Finding> {
    let dimensions = Dimensions {
        rows,
        resamples: 100,
        seed: 1,
    };
    six_dimensions(&dimensions)
        .into_iter()
        .flat_map(|section| section.findings)
        .collect()
}

fn value(findings: &[Finding], id: &str) -> Option<f64> {
    findings
        .iter()
        .find(|finding| finding.id == id)
        .unwrap_or_else(|| panic!("no finding {id}"))
        .value
}

#[test]
fn buckets_begin_at_their_lower_edge_and_unknown_sizes_are_small() {
    let sizes = [9.99, 10.0, 49.99, 50.0, 0.0, -1.0];
    let mut rows: Vec<LeaderboardRow> = (0..)
        .zip(sizes)
        .map(|(number, size)| row(number, 20.0, size))
        .collect();
    rows.push(LeaderboardRow {
        listed_size: None,
        ..row(9, 20.0, 0.0)
    });
    let all = findings(&rows);
    assert_eq!(value(&all, "scale.count.small"), Some(4.0));
    assert_eq!(value(&all, "scale.count.small.known_size"), Some(1.0));
    assert_eq!(value(&all, "scale.count.medium"), Some(2.0));
    assert_eq!(value(&all, "scale.count.large"), Some(1.0));
}

#[test]
fn a_size_that_the_name_or_the_shape_denies_is_not_known() {
    let named = |id: &str, size: f64| {
        LeaderboardRow {
            id: id.into(),
            ..row(1, 1.0, size)
        }
        .best_size()
    };
    assert_eq!(named("org/Test-7B-it", 7.6), Some(7.6));
    assert_eq!(named("org/Test-7B-it", 3.8), None, "packed weights");
    assert_eq!(
        named("org/phi-4-8x7b", 2.0),
        Some(2.0),
        "8x7b may count in two ways"
    );
    let shaped = |size: f64| {
        let mut row = row(1, 1.0, size);
        row.structure = StructureValues {
            d_model: Some(5120.0),
            d_ffn: Some(17_920.0),
            layers: Some(40.0),
            vocab_size: Some(100_352.0),
            ..row.structure
        };
        row.best_size()
    };
    assert_eq!(shaped(14.66), Some(14.66));
    assert_eq!(shaped(8.483), None, "half of what the shape holds");
}

#[test]
fn efficiency_leaves_unknown_sizes_out() {
    let rows = [
        row(1, 20.0, 5.0),
        row(2, 30.0, 2.0),
        row(3, 99.0, 0.0),
        row(4, 99.0, -1.0),
    ];
    let all = findings(&rows);
    assert_eq!(value(&all, "efficiency.mean.small"), Some(9.5));
    assert_eq!(value(&all, "efficiency.mean.large"), None);
}

#[test]
fn unknown_is_not_no() {
    let mut rows: Vec<LeaderboardRow> = (0..12)
        .map(|number| row(number, f64::from(number), 7.0))
        .collect();
    for (place, row) in rows.iter_mut().enumerate() {
        row.merged = [Some(true), Some(false), None][place % 3];
        row.chat_template = row.merged;
        row.likes = Some(0.0).filter(|_| place < 6);
    }
    let all = findings(&rows);
    assert_eq!(value(&all, "merging.count.merged.small"), Some(4.0));
    assert_eq!(value(&all, "merging.count.not_merged.small"), Some(4.0));
    assert_eq!(value(&all, "merging.difference.small"), Some(-1.0));
    assert_eq!(value(&all, "chat_template.difference.ifeval"), Some(-1.0));
    assert_eq!(value(&all, "popularity.count.none"), Some(6.0));
    let note = &all
        .iter()
        .find(|finding| finding.id == "merging.mean.merged.small")
        .expect("it is there")
        .notes[0];
    assert!(note.starts_with("4 of 12 evaluations have no `Merged`"), "{note}");
}

#[test]
fn a_published_number_gets_the_verdict_its_tolerance_gives() {
    let rows: Vec<LeaderboardRow> = (0..3154).map(|number| row(number, 18.211_846, 7.0)).collect();
    let all = findings(&rows);
    let verdict = |id: &str| {
        all.iter()
            .find(|finding| finding.id == id)
            .and_then(|finding| finding.verdict)
    };
    assert_eq!(verdict("scale.count.small"), Some(Verdict::Reproduced));
    assert_eq!(verdict("scale.mean.small"), Some(Verdict::Reproduced));
    assert_eq!(verdict("scale.sd.small"), Some(Verdict::Differs));
    assert_eq!(verdict("popularity.r2"), Some(Verdict::NotTestable));
}

#[test]
fn every_finding_says_what_it_rests_on_and_ids_are_unique() {
    let rows: Vec<LeaderboardRow> = (0..40)
        .map(|number| LeaderboardRow {
            architecture: Some(["LlamaForCausalLM", "Qwen2ForCausalLM"][number as usize % 2].into()),
            likes: Some(f64::from(number * 3)),
            merged: Some(number % 3 == 0),
            chat_template: Some(number % 5 == 0),
            co2: Some(1.0),
            ..row(number, f64::from(number), [7.0, 14.0, 70.0][number as usize % 3])
        })
        .collect();
    let all = findings(&rows);
    let mut ids: Vec<&str> = all.iter().map(|finding| finding.id.as_str()).collect();
    ids.sort_unstable();
    let n = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), n, "two findings have one id");
    for finding in &all {
        assert!(
            !finding.method.is_empty() && !finding.unit.is_empty(),
            "{}",
            finding.id
        );
        assert!(
            finding
                .interval
                .as_ref()
                .is_none_or(|interval| !interval.method.contains("bootstrap"))
                || finding.seed.is_some(),
            "{}",
            finding.id
        );
        assert!(
            finding
                .id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
        );
    }
}
