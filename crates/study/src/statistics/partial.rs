//! Partial correlations: correlations of columns given other columns.
//!
//! Conditioning a correlation matrix R on column c is R(i, j) ← R(i, j) − R(i, c) R(j, c) / R(c, c), one column after
//! the other (the sweep of Beaton 1964); the result, scaled to a unit diagonal, is the correlation of the residuals of
//! linear regressions on those columns. On ranks it is the partial Spearman of `pingouin.partial_corr`.

/// The partial correlations of all columns given the columns `controls`; NaN in the rows and columns of the controls.
///
/// # Shapes and units
/// - `correlation`, result: `(n_columns, n_columns)`.
pub fn given(correlation: &[Vec<f64>], controls: &[usize]) -> Vec<Vec<f64>> {
    let p = correlation.len();
    let mut left = correlation.to_vec();
    for &control in controls {
        let column: Vec<f64> = left.iter().map(|row| row[control]).collect();
        let own = column[control];
        for i in 0..p {
            for j in 0..p {
                left[i][j] -= column[i] * column[j] / own;
            }
        }
    }
    (0..p)
        .map(|i| {
            (0..p)
                .map(|j| {
                    if controls.contains(&i) || controls.contains(&j) {
                        f64::NAN
                    } else if i == j {
                        1.0
                    } else {
                        (left[i][j] / (left[i][i] * left[j][j]).sqrt()).clamp(-1.0, 1.0)
                    }
                })
                .collect()
        })
        .collect()
}

/// Partial rank correlations of columns given those of them that are listed in `controls`.
///
/// # Shapes and units
/// - `columns`: `(n_columns, n_rows)`; result `(n_columns, n_columns)`, NaN in the rows and columns of the controls.
pub fn partial_correlations(columns: &[Vec<f64>], controls: &[usize]) -> Vec<Vec<f64>> {
    let ranked = super::RankedColumns::new(columns, &(0..columns[0].len() as u32).collect::<Vec<_>>());
    given(&ranked.correlations(&vec![1; ranked.n_groups()]), controls)
}
