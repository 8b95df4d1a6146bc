//! What is worked out once for a catalog and kept beside it: the fits behind predictions, and the study. Answers begin with it.
//!
//! `anatomy catalog keep` makes both. Those of the compiled-in catalog come along in `crates/anatomy/kept`; those of a folder
//! stand in its `kept`. Each names the catalog and the seed it is of; where that is another than what is asked, or where
//! nothing is kept, all is made anew. `anatomy catalog check` makes the fits again and compares, `anatomy report --verify` the
//! study.

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

/// Raised when the same catalog gives other fits or another study.
const FORM: u32 = 1;
/// Folder in a catalog's folder.
const FOLDER: &str = "kept";
/// Names of the files.
const FITS: &str = "fits.zst";
const STUDY: &str = "study.zst";
/// zstd level: kept seldom, read always.
const COMPRESSION: i32 = 19;
/// Those of the compiled-in catalog.
const FITS_HERE: &[u8] = include_bytes!("../kept/fits.zst");
const STUDY_HERE: &[u8] = include_bytes!("../kept/study.zst");

/// A file that is kept.
#[derive(Serialize, Deserialize)]
struct File<T> {
    form: u32,
    content: T,
}

/// The whole study of a catalog.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptStudy {
    pub(crate) catalog_sha256: String,
    pub(crate) seed: u64,
    pub(crate) resamples: usize,
    pub(crate) headlines: Vec<String>,
    pub(crate) sections: Vec<Section>,
}

impl KeptStudy {
    /// These sections, of this catalog.
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

    /// Whether it is what would be computed of this catalog.
    pub(crate) fn is_of(&self, catalog_sha256: &str, seed: u64, resamples: usize) -> bool {
        self.catalog_sha256 == catalog_sha256 && self.seed == seed && self.resamples == resamples
    }
}

/// The fits kept of the catalog in `dir`, of the compiled-in one where `None`; nothing where none are, or of another form.
pub(crate) fn fits(dir: Option<&Path>) -> Option<Fits> {
    read(dir, FITS, FITS_HERE)
}

/// The study kept of the catalog in `dir`, of the compiled-in one where `None`.
pub(crate) fn study(dir: Option<&Path>) -> Option<KeptStudy> {
    read(dir, STUDY, STUDY_HERE)
}

fn read<T: DeserializeOwned>(dir: Option<&Path>, name: &str, here: &[u8]) -> Option<T> {
    match dir {
        None => unpacked(here),
        Some(dir) => unpacked(&std::fs::read(dir.join(FOLDER).join(name)).ok()?),
    }
}

/// What is of another form, or no file of ours, is as good as not there.
fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let text = zstd::stream::decode_all(bytes).ok()?;
    let file: File<T> = rmp_serde::from_slice(&text).ok()?;
    (file.form == FORM).then_some(file.content)
}

/// Keeps fits, and the study where there is one, in `folder`.
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

/// The folder in which a catalog's are kept.
pub(crate) fn folder(catalog: &Path) -> std::path::PathBuf {
    catalog.join(FOLDER)
}

/// The identity of findings: SHA-256 over their JSON, one after the other.
///
/// # Errors
/// None where findings can be written as JSON.
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
