//! Reads and writes the precomputed results of a catalog: the fits behind predictions, and the study.
//!
//! `anatomy catalog keep` makes both. Those of the compiled-in catalog are in `crates/anatomy/kept`; those of a catalog
//! folder are in its subfolder `kept`. Each names the catalog and the seed it belongs to; if these differ from what is
//! needed, or nothing is stored, everything is computed. `anatomy catalog check` recomputes and compares the fits,
//! `anatomy report --verify` the study.

use std::path::Path;

use anyhow::{Context, Result};
use catalog::Catalog;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use study::finding::Finding;
use study::section::Section;

use crate::answers::kept::Fits;
use crate::report::write_whole;

/// Version of the files; increased when the same catalog gives other fits or another study.
const FORM: u32 = 1;
/// Subfolder of a catalog's folder.
const FOLDER: &str = "kept";
/// Names of the files.
const FITS: &str = "fits.zst";
const STUDY: &str = "study.zst";
/// zstd level: high, since the files are written rarely and read often.
const COMPRESSION: i32 = 19;
/// Files of the compiled-in catalog.
static FITS_HERE: &[u8] = include_bytes!("../kept/fits.zst");
static STUDY_HERE: &[u8] = include_bytes!("../kept/study.zst");

/// Envelope of a stored file.
#[derive(Serialize, Deserialize)]
struct File<T> {
    form: u32,
    content: T,
}

/// The whole study of a catalog, with the settings it was made with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptStudy {
    pub(crate) catalog_sha256: String,
    pub(crate) seed: u64,
    pub(crate) resamples: usize,
    pub(crate) headlines: Vec<String>,
    pub(crate) sections: Vec<Section>,
}

impl KeptStudy {
    /// Labels sections and headlines with the catalog's hash, the seed and the number of resamples.
    pub(crate) fn of(
        catalog: &Catalog,
        (seed, resamples): (u64, usize),
        headlines: Vec<String>,
        sections: Vec<Section>,
    ) -> Self {
        Self {
            catalog_sha256: catalog.manifest.catalog_sha256.clone(),
            seed,
            resamples,
            headlines,
            sections,
        }
    }

    /// Whether computing the study with these settings would give this one.
    pub(crate) fn is_of(&self, catalog_sha256: &str, seed: u64, resamples: usize) -> bool {
        self.catalog_sha256 == catalog_sha256 && self.seed == seed && self.resamples == resamples
    }
}

/// The stored fits of the catalog in `dir` (`None`: the compiled-in one); `None` unless there are some of this version.
pub(crate) fn fits(dir: Option<&Path>) -> Option<Fits> {
    read(dir, FITS, FITS_HERE)
}

/// The stored study of the catalog in `dir` (`None`: the compiled-in one); `None` unless there is one of this version.
pub(crate) fn study(dir: Option<&Path>) -> Option<KeptStudy> {
    read(dir, STUDY, STUDY_HERE)
}

fn read<T: DeserializeOwned>(dir: Option<&Path>, name: &str, here: &[u8]) -> Option<T> {
    match dir {
        None => unpacked(here),
        Some(dir) => unpacked(&std::fs::read(dir.join(FOLDER).join(name)).ok()?),
    }
}

/// Decodes a file; `None` for another version, or a file of another kind.
fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let text = zstd::stream::decode_all(bytes).ok()?;
    let file: File<T> = rmp_serde::from_slice(&text).ok()?;
    (file.form == FORM).then_some(file.content)
}

/// Writes the fits, and the study where given, to `folder`.
///
/// # Errors
/// A folder that cannot be written to.
pub(crate) fn write(folder: &Path, fits: &Fits, study: Option<&KeptStudy>) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    write_whole(&folder.join(FITS), &packed(fits)?)?;
    if let Some(study) = study {
        write_whole(&folder.join(STUDY), &packed(study)?)?;
    }
    Ok(())
}

/// The folder with the stored results of a catalog folder.
pub(crate) fn folder(catalog: &Path) -> std::path::PathBuf {
    catalog.join(FOLDER)
}

/// Hash that identifies a list of findings: SHA-256 over their JSON, one per line.
///
/// # Errors
/// Only where a finding cannot be serialised as JSON.
pub(crate) fn hash<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Result<String> {
    let mut hash = Sha256::new();
    for finding in findings {
        hash.update(serde_json::to_vec(finding)?);
        hash.update(b"\n");
    }
    Ok(catalog::hex(&hash.finalize()))
}

fn packed<T: Serialize>(content: &T) -> Result<Vec<u8>> {
    let file = File { form: FORM, content };
    let text = rmp_serde::to_vec_named(&file)?;
    Ok(zstd::stream::encode_all(text.as_slice(), COMPRESSION)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use study::section::{Cell, Table};

    /// Where it fails after a change of the tables or of a fit: `anatomy catalog keep --out crates/anatomy/kept`.
    #[test]
    fn what_comes_along_is_of_the_compiled_in_catalog() {
        let catalog = Catalog::snapshot().expect("the compiled-in catalog");
        let fits = fits(None).expect("fits come along");
        assert!(fits.are_of(&catalog, 42), "fits of another catalog");
        let study = study(None).expect("a study comes along");
        assert!(
            study.is_of(&catalog.manifest.catalog_sha256, 42, 1000),
            "a study of another catalog"
        );
        assert!(study.sections.len() > 10 && !study.headlines.is_empty());
    }

    #[test]
    fn what_is_packed_comes_back_and_other_bytes_are_nothing() {
        let catalog = Catalog::snapshot().expect("the compiled-in catalog");
        let table = Table {
            id: "t".into(),
            columns: vec!["a".into(), "b".into(), "c".into()],
            rows: vec![vec!["x".into(), f64::MIN_POSITIVE.into(), Cell::Missing]],
            ..Table::default()
        };
        let section = Section {
            id: "s".into(),
            tables: vec![table],
            ..Section::default()
        };
        let kept = KeptStudy::of(&catalog, (7, 100), vec!["h".into()], vec![section]);
        let back: KeptStudy = unpacked(&packed(&kept).expect("bytes")).expect("the same");
        assert_eq!(back.sections[0].tables[0].rows, kept.sections[0].tables[0].rows);
        let hash = catalog.manifest.catalog_sha256.as_str();
        assert!(back.is_of(hash, 7, 100) && !back.is_of(hash, 8, 100) && !back.is_of(hash, 7, 101));
        assert!(!back.is_of("another", 7, 100));
        assert!(unpacked::<KeptStudy>(b"").is_none());
        assert!(unpacked::<KeptStudy>(b"no gzip").is_none());
    }
}
