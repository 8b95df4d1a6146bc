//! Estimates one ability of checkpoints from several boards, however many of them measured a checkpoint.
//!
//! The logit of a checkpoint's score on a board is modelled as `middle + slope × ability + error`, with abilities
//! normal with mean 0 and variance 1: a one-factor model with missing entries (Rubin and Thayer 1982,
//! <https://doi.org/10.1007/BF02293851>), fitted by expectation-maximisation. Checkpoints in common put the boards on
//! one scale; a board that shares fewer than [`SHARED`] checkpoints with the others is left out. A checkpoint's
//! posterior weights each board by how precisely it measures the ability, so few scores or a noisy board give a wide
//! interval.

/// Checkpoints that a board must share with the boards already linked.
pub const SHARED: usize = 8;
/// Smallest share of a board's variance that is attributed to error: no board measures an ability alone.
const LEAST_ERROR: f64 = 0.2;
const STEPS: usize = 300;

/// One board's score of one checkpoint.
#[derive(Debug, Clone, Copy)]
pub struct LinkedCell {
    /// Row index of the checkpoint.
    pub row: usize,
    /// Column index of the board.
    pub column: usize,
    /// The score, in points out of 100.
    pub value: f64,
    /// Standard error of the score from its number of items, in points.
    pub error: f64,
}

/// Parameters of one board, in logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Expected score of a checkpoint of mean ability.
    pub middle: f64,
    /// Increase for one standard deviation of ability.
    pub slope: f64,
    /// Variance of the error.
    pub variance: f64,
    /// Number of checkpoints that the board measured.
    pub n: usize,
}

/// Posterior of a checkpoint's ability, in standard deviations over all checkpoints.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkedAbility {
    /// Posterior mean.
    pub mean: f64,
    /// Posterior variance.
    pub variance: f64,
    /// Number of linked boards that measured the checkpoint.
    pub n: usize,
}

/// Boards and checkpoints on one scale; the result of [`linked`].
#[derive(Debug, Clone, PartialEq)]
pub struct Linked {
    /// By column; `None` where a board is not linked.
    pub columns: Vec<Option<Column>>,
    /// By row; `None` where no linked board measured it.
    pub rows: Vec<Option<LinkedAbility>>,
}

impl Column {
    /// Expected score in points on the board for this ability.
    pub fn points(&self, ability: f64) -> f64 {
        100.0 / (1.0 + (-(self.middle + self.slope * ability)).exp())
    }
}

/// The logit of a score, clamped to between 1 and 99 points.
fn logit(points: f64) -> f64 {
    let share = (points / 100.0).clamp(0.01, 0.99);
    (share / (1.0 - share)).ln()
}

/// Fits the model to the scores of `n_rows` checkpoints on `n_columns` boards.
pub fn linked(n_rows: usize, n_columns: usize, cells: &[LinkedCell]) -> Linked {
    let is_linked = component(n_rows, n_columns, cells);
    let mut by_row: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n_rows];
    let mut by_column: Vec<Vec<(usize, f64, f64)>> = vec![Vec::new(); n_columns];
    for cell in cells.iter().filter(|cell| is_linked[cell.column]) {
        let share = (cell.value / 100.0).clamp(0.01, 0.99);
        let error = cell.error / 100.0 / (share * (1.0 - share));
        by_row[cell.row].push((cell.column, logit(cell.value)));
        by_column[cell.column].push((cell.row, logit(cell.value), error));
    }
    let mut columns: Vec<Option<Column>> = by_column.iter().map(|cells| start(cells)).collect();
    let floors: Vec<f64> = by_column
        .iter()
        .zip(&columns)
        .map(|(cells, column)| floor(cells, column.as_ref()))
        .collect();
    if columns.iter().flatten().count() == 1 {
        // A single board: all its variance but that from the number of items is taken for ability.
        for (column, floor) in columns
            .iter_mut()
            .zip(by_column.iter().map(|cells| floor_of_items(cells)))
        {
            if let Some(column) = column {
                let spread = column.slope.powi(2) + column.variance;
                column.variance = floor.min(0.9 * spread);
                column.slope = (spread - column.variance).sqrt();
            }
        }
        let rows = posterior(&by_row, &columns);
        return Linked { columns, rows };
    }
    let mut rows = posterior(&by_row, &columns);
    for _ in 0..STEPS {
        let mut moved = 0.0_f64;
        for (at, cells) in by_column.iter().enumerate() {
            if let Some(column) = columns[at].as_mut() {
                let new = maximised(cells, &rows, floors[at]);
                moved = moved
                    .max((new.slope - column.slope).abs())
                    .max((new.middle - column.middle).abs());
                *column = new;
            }
        }
        rows = posterior(&by_row, &columns);
        if moved < 1e-6 {
            break;
        }
    }
    Linked { columns, rows }
}

/// Whether each board is linked to the one with the most checkpoints, directly or through others, by shared
/// checkpoints.
fn component(n_rows: usize, n_columns: usize, cells: &[LinkedCell]) -> Vec<bool> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_columns];
    for cell in cells {
        members[cell.column].push(cell.row);
    }
    let mut is_linked = vec![false; n_columns];
    let Some(largest) = (0..n_columns).max_by_key(|&at| (members[at].len(), std::cmp::Reverse(at))) else {
        return is_linked;
    };
    let mut is_known = vec![false; n_rows];
    let mut next = (members[largest].len() >= SHARED).then_some(largest);
    while let Some(column) = next {
        is_linked[column] = true;
        for &row in &members[column] {
            is_known[row] = true;
        }
        let shared = |at: &usize| members[*at].iter().filter(|&&row| is_known[row]).count();
        next = (0..n_columns)
            .filter(|&at| !is_linked[at])
            .find(|at| shared(at) >= SHARED);
    }
    is_linked
}

fn start(cells: &[(usize, f64, f64)]) -> Option<Column> {
    let n = cells.len();
    if n == 0 {
        return None;
    }
    let middle = cells.iter().map(|cell| cell.1).sum::<f64>() / n as f64;
    let spread = cells.iter().map(|cell| (cell.1 - middle).powi(2)).sum::<f64>() / n as f64;
    Some(Column {
        middle,
        slope: (0.8 * spread).sqrt(),
        variance: (0.2 * spread).max(1e-6),
        n,
    })
}

/// Smallest error variance allowed: that from the number of items, or [`LEAST_ERROR`] of the variance if larger.
fn floor(cells: &[(usize, f64, f64)], column: Option<&Column>) -> f64 {
    let spread = column.map_or(0.0, |column| column.slope.powi(2) + column.variance);
    floor_of_items(cells).max(LEAST_ERROR * spread)
}

/// Mean error variance from the number of items.
fn floor_of_items(cells: &[(usize, f64, f64)]) -> f64 {
    let items = cells.iter().map(|cell| cell.2 * cell.2).sum::<f64>() / cells.len().max(1) as f64;
    items.max(1e-6)
}

fn posterior(by_row: &[Vec<(usize, f64)>], columns: &[Option<Column>]) -> Vec<Option<LinkedAbility>> {
    let of = |cells: &Vec<(usize, f64)>| {
        let mut precision = 1.0;
        let mut sum = 0.0;
        let mut n = 0;
        for &(at, value) in cells {
            if let Some(column) = &columns[at] {
                precision += column.slope.powi(2) / column.variance;
                sum += column.slope * (value - column.middle) / column.variance;
                n += 1;
            }
        }
        (n > 0).then(|| LinkedAbility {
            mean: sum / precision,
            variance: 1.0 / precision,
            n,
        })
    };
    by_row.iter().map(of).collect()
}

/// The M step: a board's parameters given the posteriors of the checkpoints.
fn maximised(cells: &[(usize, f64, f64)], rows: &[Option<LinkedAbility>], floor: f64) -> Column {
    let n = cells.len() as f64;
    let (mut ones, mut squares, mut values, mut products) = (0.0, 0.0, 0.0, 0.0);
    for &(row, value, _) in cells {
        if let Some(ability) = &rows[row] {
            ones += ability.mean;
            squares += ability.mean.powi(2) + ability.variance;
            values += value;
            products += value * ability.mean;
        }
    }
    let determinant = (n * squares - ones * ones).max(1e-12);
    let slope = ((n * products - ones * values) / determinant).max(0.0);
    let middle = (values - slope * ones) / n;
    let left: f64 = cells
        .iter()
        .filter_map(|&(row, value, _)| {
            let ability = rows[row].as_ref()?;
            let off = value - middle - slope * ability.mean;
            Some(off * off + slope * slope * ability.variance)
        })
        .sum();
    Column {
        middle,
        slope,
        variance: (left / n).max(floor),
        n: cells.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// A standard normal random number (Box and Muller 1958).
    fn normal(random: &mut Random) -> f64 {
        let radius = (-2.0 * (1.0 - random.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * random.uniform()).cos()
    }

    /// True abilities, simulated scores, and each board's middle, slope and error standard deviation.
    type Made = (Vec<f64>, Vec<LinkedCell>, [(f64, f64, f64); 4]);

    /// Boards simulated from the model, each on its own scale; most checkpoints are on one or two of them.
    fn made(seed: u64) -> Made {
        let boards = [
            (0.3, 0.8, 0.4),
            (-0.6, 0.5, 0.3),
            (0.8, 1.0, 0.5),
            (0.0, 0.7, 0.35),
        ];
        let mut random = Random::new(seed, 0);
        let truth: Vec<f64> = (0..600).map(|_| normal(&mut random)).collect();
        let mut cells = Vec::new();
        for (row, ability) in truth.iter().enumerate() {
            for (column, (middle, slope, spread)) in boards.iter().enumerate() {
                let is_measured = row % 4 == column || (row + 1) % 5 == column || row % 7 == 0;
                if is_measured {
                    let logit = middle + slope * ability + spread * normal(&mut random);
                    let value = 100.0 / (1.0 + (-logit).exp());
                    cells.push(LinkedCell {
                        row,
                        column,
                        value,
                        error: 0.0,
                    });
                }
            }
        }
        (truth, cells, boards)
    }

    #[test]
    fn abilities_and_scales_are_found_again_and_intervals_hold() {
        let (mut inside, mut all) = (0, 0);
        for seed in 1..6 {
            let (truth, cells, boards) = made(seed);
            let found = linked(600, 4, &cells);
            for (column, (middle, slope, _)) in found.columns.iter().zip(boards) {
                let column = column.expect("linked");
                assert!(
                    (column.middle - middle).abs() < 0.2 && (column.slope - slope).abs() < 0.2,
                    "{column:?}"
                );
            }
            for (ability, truth) in found.rows.iter().zip(&truth) {
                let Some(ability) = ability else { continue };
                all += 1;
                inside += usize::from((ability.mean - truth).abs() < 1.96 * ability.variance.sqrt());
            }
        }
        let share = f64::from(inside as u32) / f64::from(all as u32);
        assert!((0.92..0.985).contains(&share), "{share} of {all}");
    }

    #[test]
    fn more_boards_leave_less_open_and_a_board_apart_is_left_out() {
        let (_, mut cells, _) = made(9);
        // A fifth board with no checkpoints in common with the others.
        cells.extend((600..640).map(|row| LinkedCell {
            row,
            column: 4,
            value: 50.0 + (row % 9) as f64,
            error: 0.0,
        }));
        let found = linked(640, 5, &cells);
        assert!(found.columns[4].is_none() && found.rows[610].is_none());
        let open = |n: usize| {
            let of: Vec<f64> = found
                .rows
                .iter()
                .flatten()
                .filter(|one| one.n == n)
                .map(|one| one.variance)
                .collect();
            of.iter().sum::<f64>() / of.len() as f64
        };
        assert!(open(1) > open(2) && open(2) > open(4));
        // With a single board, abilities have the order of its scores.
        let only: Vec<&LinkedCell> = cells
            .iter()
            .filter(|cell| cell.column == 0 && found.rows[cell.row].is_some_and(|one| one.n == 1))
            .collect();
        let [a, b] = [only[0], only[1]];
        let mean = |cell: &LinkedCell| found.rows[cell.row].map(|one| one.mean);
        assert_eq!(a.value > b.value, mean(a) > mean(b));
        assert_eq!(
            linked(0, 0, &[]),
            Linked {
                columns: vec![],
                rows: vec![]
            }
        );
    }
}
