//! The feature matrix of a regression: named columns of `f64` without missing values.

use crate::error::Error;

/// Features of a regression, `(n_rows, n_features)`, column-major; every value is finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    n_rows: usize,
}

impl Design {
    /// Builds a design from columns and their names.
    ///
    /// # Errors
    /// - [`Error::NoColumns`], [`Error::NoRows`] if there are no columns or no rows.
    /// - [`Error::LengthMismatch`] if columns differ in length, or names and columns in number.
    /// - [`Error::DuplicateName`] if a name occurs twice.
    /// - [`Error::NotFinite`] if a value is NaN or infinite.
    pub fn new(names: Vec<String>, columns: Vec<Vec<f64>>) -> Result<Self, Error> {
        if names.len() != columns.len() {
            return Err(Error::LengthMismatch {
                what: "names".to_owned(),
                of: "columns",
                expected: columns.len(),
                found: names.len(),
            });
        }
        let n_rows = columns.first().ok_or(Error::NoColumns)?.len();
        if n_rows == 0 {
            return Err(Error::NoRows);
        }
        for (i, (name, column)) in names.iter().zip(&columns).enumerate() {
            if names[..i].contains(name) {
                return Err(Error::DuplicateName { name: name.clone() });
            }
            check_length(&format!("`{name}`"), n_rows, column.len())?;
            check_finite(name, column)?;
        }
        Ok(Self {
            names,
            columns,
            n_rows,
        })
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.columns.len()
    }

    /// Names of the columns, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Column `i`, `(n_rows,)`.
    pub fn column(&self, i: usize) -> &[f64] {
        &self.columns[i]
    }

    /// All columns, `(n_features, n_rows)`.
    pub fn columns(&self) -> &[Vec<f64>] {
        &self.columns
    }

    /// Index of the column of this name.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`] if there is none.
    pub fn position(&self, name: &str) -> Result<usize, Error> {
        let found = self.names.iter().position(|n| n == name);
        found.ok_or_else(|| Error::UnknownColumn {
            name: name.to_owned(),
            known: self.names.clone(),
        })
    }

    /// The given rows, in the given order; a row may occur more than once.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let pick = |column: &Vec<f64>| rows.iter().map(|&r| column[r]).collect();
        Self {
            names: self.names.clone(),
            columns: self.columns.iter().map(pick).collect(),
            n_rows: rows.len(),
        }
    }

    /// The columns of these names, in the given order.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`] for an unknown name; otherwise as [`Design::new`].
    pub fn select_columns(&self, names: &[&str]) -> Result<Self, Error> {
        let places = names.iter().map(|n| self.position(n));
        let places: Vec<usize> = places.collect::<Result<_, _>>()?;
        Self::new(
            places.iter().map(|&p| self.names[p].clone()).collect(),
            places.iter().map(|&p| self.columns[p].clone()).collect(),
        )
    }

    /// A copy with column `i` replaced.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`], [`Error::NotFinite`] as in [`Design::new`].
    pub fn with_column(&self, i: usize, column: Vec<f64>) -> Result<Self, Error> {
        check_length(&format!("`{}`", self.names[i]), self.n_rows, column.len())?;
        check_finite(&self.names[i], &column)?;
        let mut other = self.clone();
        other.columns[i] = column;
        Ok(other)
    }

    /// Row `r`, `(n_features,)`.
    pub fn row(&self, r: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[r]).collect()
    }
}

/// The values of `from` at `rows`.
pub(crate) fn pick<T: Copy>(from: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&r| from[r]).collect()
}

pub(crate) fn check_length(what: &str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        return Ok(());
    }
    Err(Error::LengthMismatch {
        what: what.to_owned(),
        of: "rows",
        expected,
        found,
    })
}

pub(crate) fn check_finite(what: &str, values: &[f64]) -> Result<(), Error> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(row) => Err(Error::NotFinite {
            what: what.to_owned(),
            row,
            value: values[row],
        }),
    }
}

/// Checks the input of every fit: at least one row, matching lengths, finite values, usable weights.
pub(crate) fn check_input(design: &Design, target: &[f64], weights: Option<&[f64]>) -> Result<(), Error> {
    if design.n_rows() == 0 {
        return Err(Error::NoRows);
    }
    check_length("target", design.n_rows(), target.len())?;
    check_finite("target", target)?;
    let Some(weights) = weights else {
        return Ok(());
    };
    check_length("weights", design.n_rows(), weights.len())?;
    check_finite("weights", weights)?;
    if let Some(row) = weights.iter().position(|&w| w < 0.0) {
        return Err(Error::NegativeWeight {
            row,
            value: weights[row],
        });
    }
    if weights.iter().all(|&w| w == 0.0) {
        return Err(Error::NoWeight {
            n_rows: weights.len(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_clashed() {
        let names = || vec!["layers".to_owned(), "heads".to_owned()];
        let short = Design::new(names(), vec![vec![1.0, 2.0], vec![3.0]]);
        assert_eq!(
            short.expect_err("one is shorter").to_string(),
            "`heads` has 1 values but there are 2 rows"
        );
        let nan = Design::new(names(), vec![vec![1.0, 2.0], vec![3.0, f64::NAN]]);
        assert_eq!(
            nan.expect_err("one is NaN").to_string(),
            "`heads` holds NaN in row 1"
        );
        let twice = Design::new(vec!["a".to_owned(), "a".to_owned()], vec![vec![1.0]; 2]);
        assert!(matches!(twice, Err(Error::DuplicateName { .. })));
        assert_eq!(Design::new(vec![], vec![]), Err(Error::NoColumns));
    }

    #[test]
    fn selects_rows_and_columns() {
        let names = vec!["a".to_owned(), "b".to_owned()];
        let design =
            Design::new(names, vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]]).expect("valid columns");
        assert_eq!(design.select(&[2, 0, 2]).column(1), &[6.0, 4.0, 6.0]);
        let swapped = design.select_columns(&["b", "a"]).expect("both are there");
        assert_eq!(swapped.row(1), vec![5.0, 2.0]);
        assert!(design.select_columns(&["c"]).is_err());
    }
}
