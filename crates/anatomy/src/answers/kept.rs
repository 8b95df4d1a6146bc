//! Precomputed results of the fits, valid for one catalog and one seed: interval widths, accuracy and coverage on
//! unseen shapes, and the predictions for known structures. `anatomy catalog keep` writes them and answers read them at
//! the start; with another catalog or seed they are computed anew.

use std::collections::BTreeMap;

use catalog::Catalog;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use study::Design;
use study::conformal::{Conformal, Coverage};
use study::regression::Prediction;

/// Accuracy of predictions and coverage of their intervals on unseen shapes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Worth {
    /// R² pooled over all held-out rows.
    pub(crate) r2: Option<f64>,
    /// Coverage of the intervals; `None` where no fold had enough shapes to calibrate.
    pub(crate) coverage: Option<Coverage>,
}

/// The stored part of one benchmark's fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptFit {
    pub(super) width: Option<Conformal>,
    pub(super) worth: Worth,
    /// Predicted value and standard deviation by the hash of the features ([`name_of`]).
    pub(super) places: BTreeMap<String, (f64, f64)>,
}

/// The stored fits of a catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fits {
    /// SHA-256 of the catalog that they were computed from.
    catalog_sha256: String,
    /// Seed of the cross-validation folds.
    seed: u64,
    /// Fits by benchmark name.
    #[serde(rename = "fits")]
    pub(super) by_benchmark: BTreeMap<String, KeptFit>,
}

impl Fits {
    /// Labels these fits with the catalog's hash and the seed.
    pub(super) fn of(catalog: &Catalog, seed: u64, fits: BTreeMap<String, KeptFit>) -> Self {
        Self {
            catalog_sha256: catalog.manifest.catalog_sha256.clone(),
            seed,
            by_benchmark: fits,
        }
    }

    /// Whether they were computed from this catalog with this seed.
    pub(crate) fn are_of(&self, catalog: &Catalog, seed: u64) -> bool {
        self.catalog_sha256 == catalog.manifest.catalog_sha256 && self.seed == seed
    }

    /// Describes where `other` differs from these fits by more than rounding error, which depends on the processor.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.catalog_sha256 != other.catalog_sha256 || self.seed != other.seed {
            found.push(format!(
                "kept of catalog {} and seed {}, not of {} and {}",
                self.catalog_sha256, self.seed, other.catalog_sha256, other.seed
            ));
            return found;
        }
        let names: std::collections::BTreeSet<&String> = self
            .by_benchmark
            .keys()
            .chain(other.by_benchmark.keys())
            .collect();
        for name in names {
            let (Some(here), Some(there)) = (self.by_benchmark.get(name), other.by_benchmark.get(name))
            else {
                found.push(format!("{name}: kept on one side alone"));
                continue;
            };
            if !here.is_like(there) {
                found.push(format!("{name}: what is kept is not what is made"));
            }
        }
        found
    }

    /// Number of fits, and number of predictions stored with them.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let places = self.by_benchmark.values().map(|fit| fit.places.len()).sum();
        (self.by_benchmark.len(), places)
    }
}

impl KeptFit {
    /// The stored prediction for the first row of `design`; `None` where there is none.
    pub(super) fn place(&self, design: &Design) -> Option<Prediction> {
        let (value, deviation) = *self.places.get(&name_of(design))?;
        Some(Prediction { value, deviation })
    }

    pub(super) fn add(&mut self, design: &Design, found: Prediction) {
        self.places
            .insert(name_of(design), (found.value, found.deviation));
    }

    fn is_like(&self, other: &Self) -> bool {
        let width = |fit: &Self| fit.width.as_ref().map_or(f64::NAN, |width| width.factor);
        let r2 = |fit: &Self| fit.worth.r2.unwrap_or(f64::NAN);
        let covered = |fit: &Self| {
            let coverage = fit.worth.coverage.as_ref();
            coverage.map_or(f64::NAN, |coverage| coverage.by_group + coverage.mean_width)
        };
        let alike = |a: f64, b: f64| {
            (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
        };
        alike(width(self), width(other))
            && alike(r2(self), r2(other))
            && alike(covered(self), covered(other))
            && self.places.len() == other.places.len()
            && self.places.iter().all(|(name, a)| {
                let b = other.places.get(name);
                b.is_some_and(|b| alike(a.0, b.0) && alike(a.1, b.1))
            })
    }
}

/// Key of a row: the first 64 bits of a SHA-256 over its columns' names and values. The probability that any two of
/// some ten thousand rows collide is below 1 in 10¹¹.
fn name_of(design: &Design) -> String {
    let mut hash = Sha256::new();
    for (name, value) in design.names().iter().zip(design.row(0)) {
        hash.update(name.as_bytes());
        hash.update(value.to_bits().to_le_bytes());
    }
    catalog::hex(&hash.finalize()[..8])
}
