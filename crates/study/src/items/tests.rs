//! Simulated tables: planted copies and contamination are found, and false alarms for independent checkpoints have the
//! stated rate.

use super::contamination::contamination;
use super::copies::copies;
use super::difficulty::{fleiss, items};
use super::{Answers, Gather};
use crate::random::Random;

/// Independent checkpoints of different ability on items of different difficulty, with four choices whose wrong ones
/// differ in attractiveness; `kept` is the share of answers present.
pub(super) fn independent(checkpoints: usize, items: usize, kept: f64, seed: u64) -> Answers {
    gathered(checkpoints, items, kept, seed, |_, _, own| own)
}

/// `change` may replace a checkpoint's answer, given the indices of checkpoint and item and the original answer (0 is
/// right).
fn gathered(
    n_checkpoints: usize,
    n_items: usize,
    kept: f64,
    seed: u64,
    change: impl Fn(usize, usize, usize) -> usize,
) -> Answers {
    let mut random = Random::new(seed, 9);
    let spread = |random: &mut Random| 4.0 * (random.uniform() - 0.5);
    let hard: Vec<f64> = (0..n_items).map(|_| spread(&mut random)).collect();
    let mut gather = Gather::default();
    for c in 0..n_checkpoints {
        let able = spread(&mut random);
        for (i, hard) in hard.iter().enumerate() {
            let right = random.uniform() < 1.0 / (1.0 + (hard - able).exp());
            let wrong = match random.uniform() {
                u if u < 0.5 => 1,
                u if u < 0.8 => 2,
                _ => 3,
            };
            let choice = change(c, i, if right { 0 } else { wrong });
            if random.uniform() < kept {
                gather.add(
                    &format!("org/c{c:02}"),
                    &i.to_string(),
                    choice == 0,
                    Some(&choice.to_string()),
                );
            }
        }
    }
    gather.finish("made").expect("answers")
}

#[test]
fn a_pair_with_few_discordant_items_is_as_open_as_its_exact_test() {
    let mut gather = Gather::default();
    for item in 0..20 {
        for (id, solved) in [("a", 12), ("b", 8), ("c", 12)] {
            gather.add(id, &item.to_string(), item < solved, None);
        }
    }
    let answers = [gather.finish("made").expect("answers")];
    let found = |b: &str| {
        let section = super::section(&super::ItemStudy {
            metrics: &std::collections::BTreeMap::new(),
            answers: &answers,
            subset: None,
            pair: Some(("a", b)),
            draws: 20,
            level: 0.05,
            bootstrap: crate::statistics::GroupBootstrap {
                resamples: 100,
                seed: 1,
            },
            source: crate::finding::SourceOf {
                work: "made up".into(),
                place: "rows".into(),
            },
        });
        let pair = section
            .findings
            .into_iter()
            .find(|finding| finding.id == "items.pair.made");
        pair.expect("a finding")
    };
    // A bootstrap over items gave [-0.40, -0.05] with an exact p of 0.125, and [0, 0] where no item is discordant.
    let less = found("b");
    let ends = less.interval.expect("an interval");
    assert_eq!(less.value, Some(-0.2));
    assert!(
        ends.low < -0.4 && (ends.high - 0.040_946).abs() < 1e-5,
        "{ends:?}"
    );
    assert!(less.notes[0].contains("1.250e-1"), "{:?}", less.notes);
    let ends = found("c").interval.expect("an interval");
    assert!(
        (ends.high - 0.161_125).abs() < 1e-5 && (ends.low + ends.high).abs() < 1e-12,
        "{ends:?}"
    );
}

#[test]
fn order_of_rows_leaves_no_trace_and_repeats_are_refused() {
    let rows = [
        ("b", "2", true, "x"),
        ("a", "1", false, "y"),
        ("a", "2", true, "x"),
        ("b", "1", false, "z"),
    ];
    let of = |order: [usize; 4]| {
        let mut gather = Gather::default();
        for place in order {
            let (c, i, right, choice) = rows[place];
            gather.add(c, i, right, Some(choice));
        }
        gather.finish("made").expect("answers")
    };
    let made = of([0, 1, 2, 3]);
    assert_eq!(made, of([3, 2, 1, 0]));
    assert_eq!(
        (made.checkpoints, made.items),
        (vec!["a".into(), "b".into()], vec!["1".into(), "2".into()])
    );
    let mut gather = Gather::default();
    gather.add("a", "1", true, None);
    gather.add("a", "1", false, None);
    assert!(matches!(
        gather.finish("made"),
        Err(crate::Error::RepeatedAnswer { .. })
    ));
}

/// Compared with statsmodels' `fleiss_kappa` of [[2, 1], [0, 3], [3, 0], [1, 2]], and a correlation computed by hand.
#[test]
fn difficulty_by_hand() {
    let mut gather = Gather::default();
    for (c, right) in ["1011", "1010", "0001"].iter().enumerate() {
        // Items in columns; 2, 0, 2, 2 of three checkpoints answer correctly.
        for (i, right) in right.bytes().enumerate() {
            gather.add(&c.to_string(), &i.to_string(), right == b'1', None);
        }
    }
    let answers = gather.finish("made").expect("answers");
    let facts = items(&answers);
    assert_eq!(
        facts.iter().map(|item| item.correct).collect::<Vec<_>>(),
        [2, 0, 2, 2]
    );
    // Item 0: solved by the first two, who solve 2/3 and 1/3 of the other items; the third solves 1/3 of them.
    let r = facts[0].discrimination;
    assert!((r - 0.5).abs() < 1e-12, "{r}");
    assert!(facts[1].discrimination.is_nan());
    assert!(
        (fleiss(&facts, &[1; 4]) - 0.0).abs() < 1e-12,
        "{}",
        fleiss(&facts, &[1; 4])
    );
}

#[test]
fn a_planted_copy_is_found_and_nothing_else() {
    // Checkpoint 3 is replaced by a near-copy of checkpoint 2, with every tenth answer of its own.
    let plain = independent(14, 250, 1.0, 21);
    let copied = gathered(14, 250, 1.0, 21, |c, i, own| {
        if c == 3 && i % 10 != 0 {
            let column = plain.items.iter().position(|item| *item == i.to_string());
            column
                .and_then(|column| plain.choice(2, column))
                .map_or(own, |code| code as usize)
        } else {
            own
        }
    });
    let found = copies(&copied, 199, 0.05, 1).expect("enough checkpoints");
    let flagged: Vec<_> = found.pairs.iter().filter(|pair| pair.is_flagged(0.05)).collect();
    assert_eq!(flagged.len(), 1, "{flagged:?}");
    assert_eq!((flagged[0].a, flagged[0].b), (2, 3));
    assert!(flagged[0].z > found.critical && flagged[0].p_choices.is_some_and(|p| p < 1e-6));
    assert_eq!(copies(&copied, 199, 0.05, 1), Some(found));
    assert_eq!(copies(&independent(4, 50, 1.0, 1), 99, 0.05, 1), None);
}

/// 40 tables at 5 %: two false alarms expected; more than seven have a probability of one in a thousand.
#[test]
fn independent_checkpoints_are_called_copies_as_rarely_as_promised() {
    let alarms = (0..40)
        .filter(|&seed| {
            let answers = independent(10, 120, 0.95, 100 + seed);
            let found = copies(&answers, 79, 0.05, seed).expect("enough checkpoints");
            found.pairs.iter().any(|pair| pair.is_flagged(0.05))
        })
        .count();
    assert!(alarms <= 7, "{alarms} of 40");
}

#[test]
fn a_planted_contamination_is_found_and_nothing_else() {
    // Checkpoint 4 has seen every fifth item, and solves nearly all of them.
    let answers = gathered(15, 300, 0.97, 5, |c, i, own| {
        if c == 4 && i % 5 == 0 && i % 15 != 0 {
            0
        } else {
            own
        }
    });
    let part: Vec<bool> = answers
        .items
        .iter()
        .map(|item| item.parse::<usize>().expect("a number").is_multiple_of(5))
        .collect();
    let found = contamination(&answers, &part);
    let called: Vec<usize> = found
        .iter()
        .filter(|one| one.p_holm <= 0.05)
        .map(|one| one.checkpoint)
        .collect();
    assert_eq!(called, [4], "{found:?}");
    let one = &found[4];
    let interval = one.interval.as_ref().expect("an interval");
    assert!(interval.low > 0.0 && one.difference > interval.low && one.difference < interval.high);
    assert!(one.n_part + one.n_rest <= answers.n_answered(4));
}

/// The part has the harder items: difficulty alone must not raise alarms. 60 tables at 5 %: more than nine false alarms
/// have a probability of one in a thousand.
#[test]
fn a_harder_part_is_no_contamination() {
    let alarms = (0..60)
        .filter(|&seed| {
            let answers = independent(12, 200, 1.0, 500 + seed);
            let counts = answers.counts();
            let mut random = Random::new(seed, 1);
            let part: Vec<bool> = counts
                .iter()
                .map(|&(n, k)| random.uniform() < if 2 * k < n { 0.5 } else { 0.1 })
                .collect();
            contamination(&answers, &part)
                .iter()
                .any(|one| one.p_holm <= 0.05)
        })
        .count();
    assert!(alarms <= 9, "{alarms} of 60");
}
