//! Coverage on simulated rows, weights of groups, and the closed-form leave-one-shape-out of the structural regression.

use super::*;
use crate::random::Random;
use crate::regression::Structural;
use crate::{Design, Protocol, RowInformation, k_folds};

/// A standard normal random number (Box and Muller).
fn normal(random: &mut Random) -> f64 {
    let (u, v) = (1.0 - random.uniform(), random.uniform());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[test]
fn the_width_is_the_quantile_with_one_more_group_far_off() {
    let errors: Vec<f64> = (1..=9).map(f64::from).collect();
    let groups = Groups::from_labels(&(0..9).collect::<Vec<_>>());
    let width = |level: f64| {
        calibrate(&errors, &[1.0; 9], &groups, level)
            .expect("valid")
            .map(|found| found.factor)
    };
    // Of 10 groups including the unseen one, 8 have errors within 8.
    assert_eq!(
        (width(0.8), width(0.9), width(0.95)),
        (Some(8.0), Some(9.0), None)
    );
    let doubled = calibrate(&errors, &[2.0; 9], &groups, 0.8)
        .expect("valid")
        .expect("groups enough");
    assert_eq!(doubled.factor, 4.0);
    let interval = doubled.interval(10.0, 2.0);
    assert_eq!((interval.low, interval.high), (2.0, 18.0));
}

#[test]
fn a_group_of_many_rows_counts_as_one() {
    // A thousand rows of one group have large errors, but it is one of ten groups.
    let mut labels: Vec<usize> = (0..10).collect();
    let mut errors = vec![1.0; 10];
    labels.extend([0; 1000]);
    errors.extend([50.0; 1000]);
    let groups = Groups::from_labels(&labels);
    let found = calibrate(&errors, &vec![1.0; 1010], &groups, 0.8)
        .expect("valid")
        .expect("groups enough");
    assert_eq!(found.factor, 1.0);
}

#[test]
fn intervals_cover_what_they_promise() {
    let mut random = Random::new(11, 0);
    let (mut covered, mut tested) = (0, 0);
    for _ in 0..400 {
        let mut draw = |n: usize| -> (Vec<f64>, Vec<usize>) {
            let mut rows = (Vec::new(), Vec::new());
            for group in 0..n {
                let level = normal(&mut random);
                for _ in 0..3 {
                    rows.0.push(level + normal(&mut random));
                    rows.1.push(group);
                }
            }
            rows
        };
        let (errors, labels) = draw(40);
        let groups = Groups::from_labels(&labels);
        let width = calibrate(&errors, &vec![1.0; errors.len()], &groups, 0.8)
            .expect("valid")
            .expect("groups enough");
        let (new, _) = draw(5);
        covered += new.iter().filter(|error| error.abs() <= width.factor).count();
        tested += new.len();
    }
    let share = covered as f64 / f64::from(tested as u32);
    // 2,000 new groups: the standard error is about 0.01.
    assert!((0.78..0.84).contains(&share), "{share}");
}

#[test]
fn coverage_counts_groups_the_same_and_says_so_for_rows() {
    let groups = Groups::from_labels(&[0, 0, 0, 1]);
    let inside = Some((0.0, 2.0));
    let found = coverage(&[1.0, 1.0, 1.0, 9.0], &[inside; 4], &groups, 100, 1)
        .expect("valid")
        .expect("tested");
    assert_eq!((found.by_group, found.by_row, found.mean_width), (0.5, 0.75, 2.0));
    assert!(calibrate(&[1.0], &[1.0], &Groups::from_labels(&[0]), 1.5).is_err());
    assert_eq!(
        coverage(&[1.0], &[None], &Groups::from_labels(&[0]), 9, 1),
        Ok(None)
    );
}

/// Thirty shapes whose target depends on size and grouping, with a random effect of each shape and noise of each row.
fn table() -> (Design, Vec<f64>, Groups) {
    let mut random = Random::new(3, 1);
    let mut columns = vec![Vec::new(); 6];
    let (mut target, mut labels) = (Vec::new(), Vec::new());
    for shape in 0..30 {
        let (layers, width) = (8.0 + f64::from(shape), 512.0 + 256.0 * f64::from(shape % 11));
        let kv = [4.0, 8.0, 16.0][shape as usize % 3];
        let own = normal(&mut random) * 3.0;
        for row in 0..4 {
            let date = 19_000.0 + 90.0 * f64::from(row);
            let values = [layers, width, width * 4.0, 16.0, kv, date];
            columns
                .iter_mut()
                .zip(values)
                .for_each(|(column, value)| column.push(value));
            let size = 12.0 * layers * width * width / 1e9;
            target.push(40.0 + 5.0 * size.ln() + 4.0 * (16.0 / kv).ln() + own + normal(&mut random));
            labels.push(shape);
        }
    }
    let names = ["layers", "d_model", "d_ffn", "heads", "kv_heads", "date"];
    let design = Design::new(names.map(str::to_owned).to_vec(), columns).expect("valid");
    (design, target, Groups::from_labels(&labels))
}

#[test]
fn leaving_each_shape_out_in_closed_form_is_leaving_it_out() {
    let (design, target, groups) = table();
    let posterior = Structural::default().posterior(&design, &target).expect("valid");
    let closed = posterior.out_of_shape().expect("invertible");
    for (shape, rows) in groups.members().iter().enumerate().step_by(7) {
        let rest: Vec<usize> = (0..target.len()).filter(|row| !rows.contains(row)).collect();
        let y: Vec<f64> = rest.iter().map(|&row| target[row]).collect();
        let fresh = Structural::default()
            .posterior(&design.select(&rest), &y)
            .expect("valid")
            .predict(&design.select(rows))
            .expect("the same columns");
        for (place, &row) in rows.iter().enumerate() {
            // A refit centres and scales on the remaining rows, so the two agree closely but not exactly.
            let (ours, theirs) = (closed[row], fresh[place]);
            assert!(
                (ours.value - theirs.value).abs() < 0.25,
                "shape {shape}: {ours:?} {theirs:?}"
            );
            assert!(
                (ours.deviation / theirs.deviation - 1.0).abs() < 0.1,
                "{ours:?} {theirs:?}"
            );
        }
    }
}

#[test]
fn nested_intervals_cover_unseen_shapes() {
    let (design, target, groups) = table();
    let rows = RowInformation {
        n_rows: target.len(),
        shape: Some(&groups),
        ..RowInformation::default()
    };
    let folds = k_folds(Protocol::StructureOut, 10, &rows, 1).expect("thirty shapes");
    let found = nested_coverage(
        &Structural::default(),
        &design,
        &target,
        &groups,
        &folds,
        0.8,
        (f64::NEG_INFINITY, f64::INFINITY),
        1,
    )
    .expect("valid");
    let coverage = found.coverage.expect("27 shapes are enough");
    assert_eq!((coverage.n, coverage.n_groups), (120, 30));
    assert!((0.6..=0.97).contains(&coverage.by_group), "{coverage:?}");
    assert!(found.evaluation.r2_pooled.expect("varies") > 0.3);
}

#[test]
fn shapley_values_add_up_to_the_prediction_and_give_nothing_to_what_does_nothing() {
    let (design, target, _) = table();
    let posterior = Structural::default().posterior(&design, &target).expect("valid");
    let predicted = posterior.predict(&design).expect("the same columns");
    for (found, predicted) in posterior
        .shapley(&design)
        .expect("few features")
        .iter()
        .zip(&predicted)
    {
        let sum: f64 = found.base + found.features.iter().map(|(_, _, adds)| adds).sum::<f64>();
        assert!((sum - predicted.value).abs() < 1e-7, "{sum} {predicted:?}");
    }
    // d_ffn is always four times d_model, so the widening factor is uninformative.
    let first = &posterior.shapley(&design.select(&[5])).expect("few features")[0];
    let widening = first
        .features
        .iter()
        .find(|(name, ..)| name == "ln d_ffn / d_model");
    assert!(widening.is_some_and(|(.., adds)| adds.abs() < 1e-9), "{first:?}");
}

#[test]
fn what_lies_outside_is_said() {
    let (design, target, _) = table();
    let posterior = Structural::default().posterior(&design, &target).expect("valid");
    let known = &posterior.novelty(&design.select(&[0])).expect("the same columns")[0];
    assert_eq!(
        (known.distance, known.n_of_shape, known.outside.len()),
        (0.0, 4, 0)
    );
    let huge = [200.0, 16384.0, 65536.0, 128.0, 8.0, 19_000.0].map(|value| vec![value]);
    let huge = Design::new(design.names().to_vec(), huge.to_vec()).expect("valid");
    let far = &posterior.novelty(&huge).expect("the same columns")[0];
    assert!(far.distance > far.usual && far.n_of_shape == 0);
    assert_eq!(far.outside[0].0, "ln size");
    let near = posterior.predict(&design.select(&[0])).expect("columns")[0];
    let beyond = posterior.predict(&huge).expect("columns")[0];
    assert!(beyond.deviation > near.deviation, "less sure far off");
}
