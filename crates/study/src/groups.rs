//! Groups of rows: shapes, lineages, families. Group ids are consecutive integers in the sort order of the labels.

use std::collections::BTreeMap;

use crate::design::Design;
use crate::error::Error;

/// A group id per row; ids are `0..n_groups` in the sort order of the labels, so they do not depend on the row order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    ids: Vec<usize>,
    n_groups: usize,
}

impl Groups {
    /// Groups rows with equal labels.
    pub fn from_labels<T: Ord>(labels: &[T]) -> Self {
        let places: BTreeMap<&T, usize> = labels.iter().map(|l| (l, 0)).collect();
        let places: BTreeMap<&T, usize> = places.into_keys().zip(0..).collect();
        Self {
            ids: labels.iter().map(|l| places[l]).collect(),
            n_groups: places.len(),
        }
    }

    /// Groups rows that are equal in all these columns; with `layers, d_model, d_ffn, heads` these are the shapes.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`] if the design lacks one.
    pub fn from_columns(design: &Design, names: &[&str]) -> Result<Self, Error> {
        let places = names.iter().map(|n| design.position(n));
        let places: Vec<usize> = places.collect::<Result<_, _>>()?;
        let key = |r: usize| -> Vec<i64> {
            let of = |&p: &usize| sortable_bits(design.column(p)[r]);
            places.iter().map(of).collect()
        };
        let labels: Vec<Vec<i64>> = (0..design.n_rows()).map(key).collect();
        Ok(Self::from_labels(&labels))
    }

    /// Group of each row.
    pub fn ids(&self) -> &[usize] {
        &self.ids
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.ids.len()
    }

    /// Number of groups.
    pub fn n_groups(&self) -> usize {
        self.n_groups
    }

    /// Rows of each group, in row order.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.n_groups];
        for (row, &id) in self.ids.iter().enumerate() {
            members[id].push(row);
        }
        members
    }

    /// The groups of the given rows, with ids renumbered to be consecutive.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let ids: Vec<usize> = rows.iter().map(|&r| self.ids[r]).collect();
        Self::from_labels(&ids)
    }
}

/// Integer that sorts as the float does; −0 and +0 give the same integer.
pub(crate) fn sortable_bits(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_labels_not_rows() {
        let groups = Groups::from_labels(&["b", "a", "b", "c"]);
        assert_eq!(groups.ids(), &[1, 0, 1, 2]);
        assert_eq!(groups.members(), vec![vec![1], vec![0, 2], vec![3]]);
        assert_eq!(groups.select(&[3, 0]).ids(), &[1, 0]);
    }

    #[test]
    fn bits_sort_as_numbers_do() {
        let sorted = [f64::MIN, -2.5, -1.0, -1e-300, 0.0, 1e-300, 1.0, f64::MAX];
        let bits = sorted.map(sortable_bits);
        assert!(bits.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(sortable_bits(-0.0), sortable_bits(0.0));
    }
}
