//! Protocols for dividing rows into training and test sets.
//!
//! Fine-tunes of one base model share a structure, so a random split puts near-copies of test rows into the training
//! set. The protocols differ in what training and test sets may share; every table uses `structure_out` by default. The
//! row ids of each fold are determined by the seed alone.

use crate::design::{check_finite, check_length};
use crate::error::Error;
use crate::groups::Groups;
use crate::random::Random;

/// What training and test rows are allowed to share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// One fold: 80 % training and 20 % test rows, at random.
    RandomSplit,
    /// Folds of rows at random.
    RandomFolds,
    /// Folds by shape: no shape (layers, `d_model`, `d_ffn`, heads) is in both training and test.
    StructureOut,
    /// Folds by lineage: no root ancestor is in both training and test.
    LineageOut,
    /// Folds by family: no architecture family is in both training and test.
    FamilyOut,
    /// One fold: train on rows before a date, test on rows from that date on.
    ForwardInTime,
}

impl Protocol {
    /// All protocols, in the order in which they are documented.
    pub const ALL: [Self; 6] = [
        Self::RandomSplit,
        Self::RandomFolds,
        Self::StructureOut,
        Self::LineageOut,
        Self::FamilyOut,
        Self::ForwardInTime,
    ];

    /// The name used in finding ids.
    pub fn name(self) -> &'static str {
        match self {
            Self::RandomSplit => "random_split",
            Self::RandomFolds => "random_folds",
            Self::StructureOut => "structure_out",
            Self::LineageOut => "lineage_out",
            Self::FamilyOut => "family_out",
            Self::ForwardInTime => "forward_in_time",
        }
    }

    /// The protocol of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// Whether whole groups are held out, so that one large group may dominate a fold's test rows.
    pub fn is_grouped(self) -> bool {
        matches!(self, Self::StructureOut | Self::LineageOut | Self::FamilyOut)
    }

    /// Default number of folds: 1 for single splits, 5 for random folds, 10 for groups.
    pub fn default_folds(self) -> usize {
        match self {
            Self::RandomSplit | Self::ForwardInTime => 1,
            Self::RandomFolds => 5,
            Self::StructureOut | Self::LineageOut | Self::FamilyOut => 10,
        }
    }
}

/// Row attributes besides the features; each protocol uses those it needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowInformation<'a> {
    /// Number of rows.
    pub n_rows: usize,
    /// Shape of each row.
    pub shape: Option<&'a Groups>,
    /// Root ancestor of each row.
    pub lineage: Option<&'a Groups>,
    /// Architecture family of each row.
    pub family: Option<&'a Groups>,
    /// Date of each row, in any increasing unit.
    pub date: Option<&'a [f64]>,
}

/// Training and test rows of one fold, as ascending row indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Rows to fit on.
    pub train: Vec<usize>,
    /// Rows to predict.
    pub test: Vec<usize>,
}

/// Share of rows that the single splits hold out for testing.
const TEST_SHARE: f64 = 0.2;

/// Divides rows by a protocol, with its default number of folds.
///
/// # Errors
/// As [`k_folds`].
pub fn folds(protocol: Protocol, rows: &RowInformation<'_>, seed: u64) -> Result<Vec<Fold>, Error> {
    let k = match (protocol, group_of(protocol, rows)) {
        (_, Ok(Some(groups))) => protocol.default_folds().min(groups.n_groups()),
        _ => protocol.default_folds(),
    };
    k_folds(protocol, k, rows, seed)
}

/// Divides rows by a protocol into `k` folds (the single splits ignore `k`).
///
/// Groups are assigned to folds as in scikit-learn's `GroupKFold`: largest first, each to the fold with the fewest rows
/// so far; groups of equal size in an order drawn from the seed.
///
/// # Errors
/// - [`Error::MissingRowInformation`] if the protocol needs groups or dates that were not given.
/// - [`Error::LengthMismatch`] if they have another length than the rows.
/// - [`Error::TooFewGroups`] if there are fewer groups or rows than folds, or one date only.
pub fn k_folds(
    protocol: Protocol,
    k: usize,
    rows: &RowInformation<'_>,
    seed: u64,
) -> Result<Vec<Fold>, Error> {
    let mut rng = Random::new(seed, 0);
    if let Some(groups) = group_of(protocol, rows)? {
        check_length(protocol.name(), rows.n_rows, groups.n_rows())?;
        return group_folds(groups, k, &mut rng);
    }
    if protocol == Protocol::ForwardInTime {
        let date = rows.date.ok_or(Error::MissingRowInformation {
            protocol: protocol.name(),
            needs: "date",
        })?;
        check_length("date", rows.n_rows, date.len())?;
        check_finite("date", date)?;
        return forward_fold(date, cut_date(date)?);
    }
    let k = if protocol == Protocol::RandomSplit { 2 } else { k };
    too_few("rows", rows.n_rows, k)?;
    let mut order: Vec<usize> = (0..rows.n_rows).collect();
    rng.shuffle(&mut order);
    let mut test_fold = vec![0; rows.n_rows];
    if protocol == Protocol::RandomSplit {
        let n_test = (rows.n_rows as f64 * TEST_SHARE).ceil() as usize;
        order[n_test..].iter().for_each(|&r| test_fold[r] = 1);
        return Ok(vec![fold_of(&test_fold, 0)]);
    }
    for (place, &row) in order.iter().enumerate() {
        test_fold[row] = place % k;
    }
    Ok((0..k).map(|f| fold_of(&test_fold, f)).collect())
}

/// One fold that trains on rows before `cut` and tests on rows from `cut` on.
///
/// # Errors
/// [`Error::TooFewGroups`] if no row lies before the cut, or none on or after it.
pub fn forward_fold(date: &[f64], cut: f64) -> Result<Vec<Fold>, Error> {
    let later: Vec<usize> = date.iter().map(|&d| usize::from(d < cut)).collect();
    let fold = fold_of(&later, 0);
    if fold.train.is_empty() || fold.test.is_empty() {
        return Err(Error::TooFewGroups {
            of: "dates",
            groups: 1,
            folds: 2,
        });
    }
    Ok(vec![fold])
}

/// Folds from a fold column: `0 … k−1` is the fold that tests the row, −1 means that the row is always in training.
///
/// # Errors
/// [`Error::BadFold`] if a value is below −1, or a fold between 0 and the largest value has no test or no training
/// rows.
pub fn folds_from_numbers(numbers: &[i64]) -> Result<Vec<Fold>, Error> {
    let last = numbers.iter().copied().max().unwrap_or(-1);
    if let Some(row) = numbers.iter().position(|&n| n < -1) {
        let problem = format!("row {row} has fold number {}", numbers[row]);
        return Err(Error::BadFold { fold: 0, problem });
    }
    if last < 0 || last as usize >= numbers.len() {
        let problem = format!("largest fold number is {last} over {} rows", numbers.len());
        return Err(Error::BadFold { fold: 0, problem });
    }
    let fold = |f: i64| {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..numbers.len()).partition(|&r| numbers[r] == f);
        if test.is_empty() || train.is_empty() {
            let problem = format!("{} test and {} training rows", test.len(), train.len());
            let fold = f as usize;
            return Err(Error::BadFold { fold, problem });
        }
        Ok(Fold { train, test })
    };
    (0..=last).map(fold).collect()
}

/// Distributes groups over folds, largest group first, each to the fold with the fewest rows so far.
fn group_folds(groups: &Groups, k: usize, rng: &mut Random) -> Result<Vec<Fold>, Error> {
    too_few("groups", groups.n_groups(), k)?;
    let members = groups.members();
    let drawn: Vec<u64> = members.iter().map(|_| rng.bits()).collect();
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|&g| (std::cmp::Reverse(members[g].len()), drawn[g]));
    let mut rows_in = vec![0_usize; k];
    let mut test_fold = vec![0; groups.n_rows()];
    for g in order {
        let lightest = (0..k).min_by_key(|&f| rows_in[f]).expect("k is at least 2");
        rows_in[lightest] += members[g].len();
        members[g].iter().for_each(|&r| test_fold[r] = lightest);
    }
    Ok((0..k).map(|f| fold_of(&test_fold, f)).collect())
}

/// First test date: the 80 % quantile of the dates, or the second distinct date if that is later. With many rows of one
/// date, more than a fifth of the rows may lie on or after it.
fn cut_date(date: &[f64]) -> Result<f64, Error> {
    too_few("rows", date.len(), 2)?;
    let mut sorted = date.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (date.len() as f64 * (1.0 - TEST_SHARE)).floor() as usize;
    let cut = sorted[place];
    let next = sorted.iter().copied().find(|&d| d > sorted[0]);
    let next = next.ok_or(Error::TooFewGroups {
        of: "dates",
        groups: 1,
        folds: 2,
    })?;
    Ok(cut.max(next))
}

fn group_of<'a>(protocol: Protocol, rows: &RowInformation<'a>) -> Result<Option<&'a Groups>, Error> {
    let (groups, needs) = match protocol {
        Protocol::StructureOut => (rows.shape, "shape"),
        Protocol::LineageOut => (rows.lineage, "lineage"),
        Protocol::FamilyOut => (rows.family, "family"),
        _ => return Ok(None),
    };
    let missing = Error::MissingRowInformation {
        protocol: protocol.name(),
        needs,
    };
    groups.map(Some).ok_or(missing)
}

fn fold_of(test_fold: &[usize], f: usize) -> Fold {
    let (test, train) = (0..test_fold.len()).partition(|&r| test_fold[r] == f);
    Fold { train, test }
}

fn too_few(of: &'static str, groups: usize, folds: usize) -> Result<(), Error> {
    if groups >= folds && folds >= 2 {
        return Ok(());
    }
    Err(Error::TooFewGroups { of, groups, folds })
}

#[cfg(test)]
#[path = "protocol/tests.rs"]
mod tests;
