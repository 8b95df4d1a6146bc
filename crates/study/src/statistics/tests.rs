//! Compared with pandas 3.1, scipy 1.17 and pingouin 0.7, and by identities.

use super::*;

const X: [f64; 8] = [2.0, 4.0, 4.0, 5.0, 7.0, 9.0, 12.0, 30.0];
const Y: [f64; 8] = [1.0, 3.0, 2.0, 2.0, 8.0, 6.0, 9.0, 10.0];

fn close(ours: f64, theirs: f64) {
    assert!(
        (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0),
        "{ours} is not {theirs}"
    );
}

#[test]
fn moments_work_like_pandas() {
    close(standard_deviation(&X), 9.014_868_670_305_582);
    close(skewness(&X), 2.186_455_928_859_175);
    close(kurtosis(&X), 5.182_885_243_878_54);
    close(quantile(&X, 0.25), 4.0);
    assert_eq!(mode(&X), Some(4.0));
    assert_eq!(mode(&[3.0, 1.0, 3.0, 1.0]), Some(1.0));
    assert_eq!(mode(&[]), None);
}

#[test]
fn correlations_work_like_scipy() {
    let rank = spearman(&X, &Y);
    close(rank.value, 0.921_686_746_987_951_7);
    close(rank.p, 0.001_131_310_947_171_982_7);
    let linear = pearson(&X, &Y);
    close(linear.value, 0.782_178_509_244_768_8);
    close(linear.p, 0.021_799_994_827_784_826);
    let interval = rank.interval.expect("eight pairs");
    assert!(interval.low < rank.value && rank.value < interval.high);
    assert!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]).value.is_nan());
}

#[test]
fn two_samples_work_like_scipy_and_pingouin() {
    let test = welch(&X, &Y);
    close(test.t, 1.167_141_674_490_047_8);
    close(test.degrees_of_freedom, 9.135_098_907_382_444);
    close(test.p, 0.272_714_994_267_132_25);
    let interval = test.interval.expect("finite");
    close(interval.low, -3.735_368_324_055_348);
    close(interval.high, 11.735_368_324_055_347);
    close(hedges_g(&X, &Y), 0.551_739_700_668_022_6);
    close(hedges_g(&Y, &X), -hedges_g(&X, &Y));
    assert!(welch(&[1.0], &Y).t.is_nan());
}

#[test]
fn a_line_works_like_scipy() {
    let line = least_squares_line(&X, &Y);
    close(line.slope, 0.309_162_821_357_943_3);
    close(line.intercept, 2.303_889_255_108_767_3);
    close(line.r2, 0.611_803_220_324_369);
    close(line.r2, pearson(&X, &Y).value.powi(2));
}

#[test]
fn ties_share_their_mean_rank() {
    assert_eq!(average_ranks(&[10.0, 20.0, 10.0, 30.0]), [1.5, 3.0, 1.5, 4.0]);
}

#[test]
fn the_median_interval_has_its_binomial_coverage() {
    // n = 10: ranks 2 and 9 have a coverage of 0.9785, ranks 3 and 8 only 0.8906.
    let values: Vec<f64> = (1..=10).map(f64::from).collect();
    let interval = median_interval(&values, 0.95).expect("ten values");
    assert_eq!((interval.low, interval.high), (2.0, 9.0));
    assert!(median_interval(&values[..5], 0.95).is_none());
}

#[test]
fn a_description_counts_what_is_missing() {
    let description = describe(&[Some(1.0), None, Some(2.0), Some(2.0), Some(7.0)]);
    assert_eq!((description.n, description.mode), (4, 2.0));
    close(description.missing, 0.2);
    close(description.q3, 3.25);
    assert!(describe(&[None, None]).mean.is_nan());
}

#[test]
fn resampling_groups_widens_the_interval_of_repeated_rows() {
    // 20 groups of 30 equal rows have the information of 20 rows, not of 600.
    let groups: Vec<u32> = (0..600).map(|row| row / 30).collect();
    let values: Vec<f64> = groups.iter().map(|&group| f64::from(group * 7919 % 20)).collect();
    let settings = GroupBootstrap {
        resamples: 500,
        seed: 7,
    };
    let average = |rows: &[usize]| mean(&rows.iter().map(|&row| values[row]).collect::<Vec<_>>());
    let by_group = group_bootstrap(&groups, settings, 0.95, average).expect("20 groups");
    let each_alone: Vec<u32> = (0..600).collect();
    let by_row = group_bootstrap(&each_alone, settings, 0.95, average).expect("600 groups");
    assert!(by_group.high - by_group.low > 3.0 * (by_row.high - by_row.low));
    assert_eq!(Some(by_group), group_bootstrap(&groups, settings, 0.95, average));
    assert!(group_bootstrap(&groups[..90], settings, 0.95, |_| 1.0).is_none());
}

#[test]
fn one_seed_gives_the_same_bits_on_any_number_of_threads() {
    let groups: Vec<u32> = (0..40).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        pool.install(|| {
            group_bootstrap(
                &groups,
                GroupBootstrap {
                    resamples: 200,
                    seed: 3,
                },
                0.9,
                |rows| mean(&rows.iter().map(|&row| (row as f64).sqrt()).collect::<Vec<_>>()),
            )
        })
    };
    let alone = run(1).expect("40 groups");
    for threads in [2, 7] {
        let many = run(threads).expect("40 groups");
        assert_eq!(
            (alone.low.to_bits(), alone.high.to_bits()),
            (many.low.to_bits(), many.high.to_bits())
        );
    }
}
