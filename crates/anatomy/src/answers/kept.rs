//! Fits that do not change while the catalog does not: how wide intervals are, what they are worth on shapes never seen, and
//! the predictions of every known structure. They are made by `anatomy catalog keep` and read where an answer begins; they
//! hold for one catalog and one seed, and whoever asks with another makes his own.

use std::collections::BTreeMap;

use catalog::Catalog;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use study::Design;
use study::conformal::{Conformal, Coverage};
use study::regression::Prediction;

/// What predictions are worth on shapes never seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Worth {
    /// R² over all held-out rows.
    pub(crate) r2: Option<f64>,
    /// Of the intervals; `None` where no fold had shapes enough to calibrate.
    pub(crate) coverage: Option<Coverage>,
}

/// What is kept of one benchmark's fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptFit {
    pub(super) width: Option<Conformal>,
    pub(super) worth: Worth,
    /// Value and deviation by what was asked, [`name_of`].
    pub(super) places: BTreeMap<String, (f64, f64)>,
}

/// The fits of a catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fits {
    /// The catalog they are of.
    catalog_sha256: String,
    /// The seed of the folds.
    seed: u64,
    /// By benchmark.
    #[serde(rename = "fits")]
    pub(super) by_benchmark: BTreeMap<String, KeptFit>,
}

impl Fits {
    /// These fits, by benchmark.
    pub(super) fn of(catalog: &Catalog, seed: u64, fits: BTreeMap<String, KeptFit>) -> Self {
        Self {
            catalog_sha256: catalog.manifest.catalog_sha256.clone(),
            seed,
            by_benchmark: fits,
        }
    }

    /// Whether they were made of this catalog with this seed.
    pub(crate) fn are_of(&self, catalog: &Catalog, seed: u64) -> bool {
        self.catalog_sha256 == catalog.manifest.catalog_sha256 && self.seed == seed
    }

    /// Where others differ from these by more than rounding, in words: the processor decides the last bits.
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

    /// How many fits, and how many predictions with them.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let places = self.by_benchmark.values().map(|fit| fit.places.len()).sum();
        (self.by_benchmark.len(), places)
    }
}

impl KeptFit {
    /// The prediction that is kept of the first row of `design`.
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

/// The name of a row: 64 bits of the hash of its columns' names and values. Two of some ten thousand share one with a chance
/// below 1 in 10¹¹.
fn name_of(design: &Design) -> String {
    let mut hash = Sha256::new();
    for (name, value) in design.names().iter().zip(design.row(0)) {
        hash.update(name.as_bytes());
        hash.update(value.to_bits().to_le_bytes());
    }
    catalog::hex(&hash.finalize()[..8])
}
