//! Simulated effects are recovered with the nominal coverage; the order of rows and names does not matter.

use super::*;
use crate::finding::Finding;
use crate::random::Random;

/// Units of twenty families; the first benchmark rises by `slope` per doubling of layers, the second does not.
fn board(slope: f64, seed: u64) -> PooledBoard {
    let mut random = Random::new(seed, 3);
    let gauss = |random: &mut Random| (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0;
    let mut rows = Vec::new();
    let mut unit = 0;
    for family in 0..24 {
        let own = 1.5 * gauss(&mut random);
        for _ in 0..3 {
            unit += 1;
            let size = 2_f64.powf(3.0 * random.uniform());
            let depth = 4.0 + 2.0 * random.uniform();
            let of_unit = gauss(&mut random);
            let parts = [
                2_f64.powf(depth),
                4096.0,
                4096.0 * 2_f64.powf(1.0 + random.uniform()),
                32.0,
                32.0 / [1.0, 2.0, 4.0, 8.0][random.below(4)],
                32_000.0 * 2_f64.powf(2.0 * random.uniform()),
            ];
            let date = 19_000.0 + 700.0 * random.uniform();
            for row in 0..=random.below(6) {
                let is_tuned = row > 0;
                let base = 40.0 + 3.0 * size.log2() + own + of_unit + if is_tuned { 2.0 } else { 0.0 };
                rows.push(PooledRow {
                    unit,
                    family: Some(format!("family {family}")),
                    is_sure: true,
                    size,
                    active: 1.0,
                    parts,
                    date: Some(date),
                    tokens: (family % 3 > 0).then_some(1e12 * (1.0 + f64::from(family))),
                    is_tuned,
                    is_merged: row == 3,
                    scores: vec![
                        Some(base + slope * depth + gauss(&mut random)),
                        Some(base + gauss(&mut random)),
                    ],
                });
            }
        }
    }
    PooledBoard {
        name: "made_up".into(),
        work: "made up".into(),
        benchmarks: vec!["first".into(), "second".into()],
        rows,
    }
}

fn ask(board: &PooledBoard, shuffles: usize) -> Section {
    section(&Pooled {
        boards: std::slice::from_ref(board),
        shuffles,
        seed: 4,
    })
}

fn find<'a>(section: &'a Section, id: &str) -> &'a Finding {
    let found = section.findings.iter().find(|finding| finding.id == id);
    found.unwrap_or_else(|| panic!("no finding {id}"))
}

#[test]
fn a_planted_association_is_found_and_one_that_is_not_there_is_not() {
    let told = ask(&board(6.0, 2), 199);
    let first = find(&told, "pooled.effect.layers.first");
    let ends = first.interval.as_ref().expect("an interval");
    assert!(ends.covers(6.0) && !ends.covers(0.0), "{first:?}");
    assert!(find(&told, "pooled.permutation.layers.first").value.expect("a p") < 0.02);
    assert!(
        find(&told, "pooled.simultaneous.layers.second")
            .interval
            .as_ref()
            .expect("one")
            .covers(0.0)
    );
    let size = find(&told, "pooled.effect.size.second");
    assert!(
        size.interval.as_ref().expect("an interval").covers(3.0),
        "{size:?}"
    );
    let robust = |name: &str| {
        find(&told, &format!("pooled.robustness.layers.{name}"))
            .value
            .expect("one")
    };
    assert!(robust("first") > robust("second"));
    // A column that does not vary is left out: there are no mixtures.
    assert!(!told.findings.iter().any(|finding| finding.id.contains("experts")));
    let known = find(&told, "pooled.ceiling.family_known.made_up")
        .value
        .expect("one");
    let unknown = find(&told, "pooled.ceiling.family_unknown.made_up")
        .value
        .expect("one");
    assert!(known > unknown && known < 1.0);
}

#[test]
fn intervals_hold_a_planted_association_as_often_as_they_say() {
    let held = (0..500_u64)
        .into_par_iter()
        .filter(|seed| {
            let board = board(2.0, 100 + seed);
            let study = Pooled {
                boards: &[],
                shuffles: 1,
                seed: 4,
            };
            let told = effects::findings(&board, 0, 2, &study);
            let found = told
                .iter()
                .find(|finding| finding.id == "pooled.effect.layers.first");
            let found = found.expect("a finding");
            found.interval.as_ref().expect("an interval").covers(2.0)
        })
        .count();
    assert!((465..=490).contains(&held), "{held} of 500");
}

#[test]
fn t_varies_by_one_where_there_is_nothing() {
    let told = ask(&board(0.0, 8), 999);
    let note = &find(&told, "pooled.permutation.layers.second").notes[0];
    let spread: f64 = note
        .rsplit(' ')
        .next()
        .and_then(|x| x.parse().ok())
        .expect("a number");
    assert!((0.85..=1.15).contains(&spread), "{note}");
}

#[test]
fn the_order_of_rows_and_the_numbers_of_units_say_nothing() {
    let one = board(3.0, 5);
    let mut other = one.clone();
    other.rows.reverse();
    for row in &mut other.rows {
        row.unit = 1_000 - row.unit;
    }
    let (one, other) = (ask(&one, 9), ask(&other, 9));
    for id in [
        "pooled.effect.layers.first",
        "pooled.effect.d_ffn.second",
        "pooled.ceiling.family_known.made_up",
    ] {
        let (a, b) = (
            find(&one, id).value.expect("one"),
            find(&other, id).value.expect("one"),
        );
        assert!((a - b).abs() < 1e-6, "{id}: {a} is not {b}");
    }
}

/// Fine-tunes of one base count as one base: copying all rows of a unit changes only how precisely it is known.
#[test]
fn a_thousand_tunes_of_one_base_do_not_outvote_the_rest() {
    let one = board(3.0, 6);
    let mut many = one.clone();
    let first: Vec<PooledRow> = one.rows.iter().filter(|row| row.unit == 1).cloned().collect();
    for _ in 0..200 {
        many.rows.extend(first.clone());
    }
    let value = |board: &PooledBoard| {
        find(&ask(board, 1), "pooled.effect.layers.first")
            .value
            .expect("one")
    };
    assert!((value(&one) - value(&many)).abs() < 0.5);
}

#[test]
fn what_structure_says_is_predicted_on_shapes_never_seen() {
    let told = ask(&board(0.0, 7), 1);
    let value = |id: &str| find(&told, id).value.expect("a value");
    for protocol in ["shape_out", "unit_family_out"] {
        let by_shape = value(&format!("pooled.r2.shapes.made_up.{protocol}"));
        let miss = value(&format!("pooled.mae.shapes.made_up.{protocol}"));
        // Size alone contributes three points per doubling over three doublings; families and units have standard
        // deviations of two.
        assert!(by_shape > 0.3 && miss < 2.5, "{protocol}: {by_shape}, {miss}");
        assert!(miss < value(&format!("pooled.look_up.mae.shapes.made_up.{protocol}")) + 0.2);
        let ceiling = value("pooled.ceiling.family_known.made_up");
        assert!(
            by_shape < ceiling + 0.1,
            "{by_shape} is above the ceiling of {ceiling}"
        );
    }
    let (shape, family) = (
        value("pooled.mae.shapes.made_up.shape_out"),
        value("pooled.mae.shapes.made_up.unit_family_out"),
    );
    assert!(
        shape < family + 0.1,
        "a family that is known helps: {shape}, {family}"
    );
}

/// A unit without a known date is treated as undated, not as of 1970.
#[test]
fn a_date_that_is_not_known_is_no_date() {
    let one = board(3.0, 5);
    let mut other = one.clone();
    for row in other.rows.iter_mut().filter(|row| row.unit % 9 == 0) {
        row.date = None;
    }
    let width = |board: &PooledBoard| {
        let told = ask(board, 1);
        let ends = find(&told, "pooled.effect.date.first")
            .interval
            .clone()
            .expect("an interval");
        ends.high - ends.low
    };
    let (all, some) = (width(&one), width(&other));
    assert!(
        some > 0.8 * all,
        "fewer dates cannot make the date's effect surer: {all} to {some}"
    );
}

#[test]
fn too_few_units_say_nothing() {
    let mut few = board(3.0, 5);
    few.rows.retain(|row| row.unit < 6);
    assert!(ask(&few, 9).findings.is_empty());
}

#[test]
fn names_say_their_family() {
    for (id, family) in [
        ("meta-llama/Llama-3.2-1B", Some("llama-3.2")),
        ("Qwen/Qwen2.5-7B-Instruct", Some("qwen2.5")),
        ("01-ai/Yi-34B", Some("yi")),
        ("01-ai/Yi-1.5-9B", Some("yi-1.5")),
        ("mistralai/Mistral-7B-v0.1", Some("mistral-7b")),
        ("EleutherAI/gpt-j-6b", Some("gpt-neo")),
        ("someone/else", None),
    ] {
        assert_eq!(family_of_name(id), family, "{id}");
    }
}

#[test]
fn forward_knows_nothing_of_later_days_and_holds_as_often_as_it_says() {
    let made = board(0.0, 3);
    let all = forward::forecasts(&made);
    let first = all.iter().map(|own| own.frozen).fold(f64::INFINITY, f64::min);
    let mut changed = made.clone();
    for row in changed.rows.iter_mut().filter(|row| row.date >= Some(first)) {
        row.scores = vec![Some(0.0); 2];
    }
    let said = |all: &[forward::Forecast]| -> Vec<(f64, (f64, f64))> {
        let own = all.iter().filter(|own| own.frozen == first);
        own.map(|own| (own.row.1, own.ends)).collect()
    };
    assert!(!said(&all).is_empty());
    assert_eq!(said(&all), said(&forward::forecasts(&changed)));
    // There is no drift here.
    let told = ask(&made, 1);
    let held = find(&told, "pooled.coverage.made_up.forward").value.expect("one");
    assert!((0.7..=0.97).contains(&held), "{held}");
    assert!(
        find(&told, "pooled.r2.shapes.made_up.forward")
            .value
            .expect("one")
            > 0.3
    );
}
