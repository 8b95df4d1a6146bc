//! Folds cover all rows they must, and share nothing they must not.

use super::*;

fn rows(shape: &Groups) -> RowInformation<'_> {
    RowInformation {
        n_rows: shape.n_rows(),
        shape: Some(shape),
        ..RowInformation::default()
    }
}

#[test]
fn random_folds_test_every_row_once() {
    let shape = Groups::from_labels(&(0..103).map(|i| i % 17).collect::<Vec<_>>());
    for protocol in [Protocol::RandomFolds, Protocol::StructureOut] {
        let folds = folds(protocol, &rows(&shape), 1).expect("enough rows");
        let mut tested: Vec<usize> = folds.iter().flat_map(|f| f.test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, (0..103).collect::<Vec<_>>(), "{}", protocol.name());
        assert!(folds.iter().all(|f| f.train.len() + f.test.len() == 103));
    }
}

#[test]
fn structure_out_never_splits_a_shape() {
    let shape = Groups::from_labels(&(0..200).map(|i| (i * i) % 31).collect::<Vec<_>>());
    for fold in folds(Protocol::StructureOut, &rows(&shape), 5).expect("31 shapes") {
        let of = |r: &usize| shape.ids()[*r];
        let train: std::collections::BTreeSet<usize> = fold.train.iter().map(of).collect();
        assert!(fold.test.iter().all(|r| !train.contains(&of(r))));
    }
}

#[test]
fn folds_follow_from_the_seed() {
    let shape = Groups::from_labels(&(0..60).map(|i| i / 2).collect::<Vec<_>>());
    for protocol in [
        Protocol::RandomSplit,
        Protocol::RandomFolds,
        Protocol::StructureOut,
    ] {
        let of = |seed| folds(protocol, &rows(&shape), seed).expect("enough rows");
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
    }
}

#[test]
fn a_split_holds_out_a_fifth() {
    let shape = Groups::from_labels(&[0; 101]);
    let split = folds(Protocol::RandomSplit, &rows(&shape), 0).expect("enough rows");
    assert_eq!((split.len(), split[0].test.len()), (1, 21));
}

#[test]
fn time_runs_forward() {
    let date: Vec<f64> = (0..50).map(|i| f64::from((i * 7) % 25)).collect();
    let information = RowInformation {
        n_rows: 50,
        date: Some(&date),
        ..RowInformation::default()
    };
    let fold = &folds(Protocol::ForwardInTime, &information, 0).expect("25 dates")[0];
    let last = fold.train.iter().map(|&r| date[r]).fold(f64::MIN, f64::max);
    let first = fold.test.iter().map(|&r| date[r]).fold(f64::MAX, f64::min);
    assert!(last < first, "{last} {first}");
    assert_eq!(fold.test.len(), 10);
    let still = RowInformation {
        date: Some(&[4.0; 50]),
        ..information
    };
    assert!(matches!(
        folds(Protocol::ForwardInTime, &still, 0),
        Err(Error::TooFewGroups { .. })
    ));
}

#[test]
fn says_what_is_missing() {
    let nothing = RowInformation {
        n_rows: 10,
        ..RowInformation::default()
    };
    let error = folds(Protocol::FamilyOut, &nothing, 0).expect_err("no families");
    assert_eq!(
        error.to_string(),
        "protocol `family_out` needs family of every row"
    );
    let shape = Groups::from_labels(&[0; 10]);
    assert!(k_folds(Protocol::StructureOut, 5, &rows(&shape), 0).is_err());
}

#[test]
fn own_fold_numbers_are_taken_as_they_are() {
    let folds = folds_from_numbers(&[-1, 0, 1, 0, -1]).expect("two folds");
    assert_eq!(folds[0].test, vec![1, 3]);
    assert_eq!(folds[1].train, vec![0, 1, 3, 4]);
    for bad in [&[-1_i64, -1][..], &[0, 2, 0], &[0, 0], &[-2, 0], &[]] {
        assert!(folds_from_numbers(bad).is_err(), "{bad:?}");
    }
    assert!(folds_from_numbers(&[0, i64::MAX]).is_err());
}
