//! Claims as data: reads and judges the compiled-in files and the user's own.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use study::claims::judged::{Judged, Stated};
use study::claims::{Findings, ledger};
use study::finding::Finding;
use study::section::Section;

/// Names and texts of the files in `claims/`.
static COMPILED_IN: &[(&str, &str)] = &[
    (
        "depth-and-width.toml",
        include_str!("../../../claims/depth-and-width.toml"),
    ),
    ("factors.toml", include_str!("../../../claims/factors.toml")),
    ("gemstones.toml", include_str!("../../../claims/gemstones.toml")),
    ("knowledge.toml", include_str!("../../../claims/knowledge.toml")),
    ("laws.toml", include_str!("../../../claims/laws.toml")),
    (
        "math-verify.toml",
        include_str!("../../../claims/math-verify.toml"),
    ),
    ("minitron.toml", include_str!("../../../claims/minitron.toml")),
    ("progress.toml", include_str!("../../../claims/progress.toml")),
    ("pruning.toml", include_str!("../../../claims/pruning.toml")),
    (
        "shape-and-size.toml",
        include_str!("../../../claims/shape-and-size.toml"),
    ),
    ("shapes.toml", include_str!("../../../claims/shapes.toml")),
    ("vocabulary.toml", include_str!("../../../claims/vocabulary.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    claim: Vec<Stated>,
}

/// Parses the claims in a file's text; `name` is the file's name in error messages.
///
/// # Errors
/// The text is not TOML of the expected form, or a claim cannot be judged; the message says what to do.
pub(crate) fn read(text: &str, name: &str) -> Result<Vec<Stated>> {
    let file: File = basic_toml::from_str(text).map_err(|error| {
        anyhow!(
            "{name} is not a file of claims: {error}; wanted [[claim]] with id, statement, work, place and [[claim.reading]] with \
             reading, findings and rule, as the files of the folder claims have them"
        )
    })?;
    let mut problems: Vec<String> = file.claim.iter().flat_map(Stated::problems).collect();
    for (place, claim) in file.claim.iter().enumerate() {
        if file.claim[..place].iter().any(|other| other.id == claim.id) {
            problems.push(format!(
                "claim `{}`: another claim of the file has this id; wanted one each",
                claim.id
            ));
        }
    }
    if file.claim.is_empty() {
        problems.push("there is no [[claim]]".into());
    }
    if !problems.is_empty() {
        bail!("{name}: {}", problems.join("; "));
    }
    Ok(file.claim)
}

/// Reads the claims of a local file.
pub(crate) fn open(path: &Path) -> Result<Vec<Stated>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    read(&text, &path.display().to_string())
}

/// Every compiled-in claim.
pub(crate) fn compiled_in() -> Result<Vec<Stated>> {
    let mut all = Vec::new();
    for (name, text) in COMPILED_IN {
        all.extend(read(text, name)?);
    }
    Ok(all)
}

/// Judges the compiled-in claims on these findings.
pub(crate) fn judged(findings: &Findings<'_>, seed: u64) -> Result<Vec<Judged>> {
    Ok(compiled_in()?
        .iter()
        .map(|claim| claim.judge(findings, seed))
        .collect())
}

/// Judges all claims on these findings: those of the ledger, then the compiled-in ones.
pub(crate) fn all(findings: &[&Finding], seed: u64) -> Result<Vec<Judged>> {
    let findings = Findings::new(findings.iter().copied());
    let mut all = ledger(&findings);
    all.extend(judged(&findings, seed)?);
    Ok(all)
}

/// Adds the claims judged from data to the ledger's section, as a sentence and a table.
pub(crate) fn into_ledger(section: &mut Section, all: &[Judged]) {
    section.text.push(study::claims::shown::counted(all));
    section.tables.push(study::claims::shown::table(all));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_in_can_be_read_and_judged() {
        let all = compiled_in().expect("read");
        assert!(all.len() >= 60);
        for claim in &all {
            let known = ["arXiv", "ACL", "Hugging Face"]
                .iter()
                .any(|of| claim.work.contains(of));
            assert!(known, "{}: {}", claim.id, claim.work);
        }
        let judged = judged(&Findings::new(&[]), 1).expect("judged");
        assert_eq!(judged.len(), all.len());
    }

    #[test]
    fn every_file_of_the_folder_is_compiled_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../claims");
        for entry in std::fs::read_dir(folder).expect("the folder claims") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            let is_listed = COMPILED_IN.iter().any(|(listed, _)| *listed == name);
            assert!(
                is_listed
                    || std::path::Path::new(&name)
                        .extension()
                        .is_none_or(|kind| kind != "toml"),
                "claims/{name} is not in COMPILED_IN of crates/anatomy/src/stated.rs, so nobody judges it"
            );
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let said = |text: &str| read(text, "mine.toml").expect_err("refused").to_string();
        assert!(said("[[claim]]\nid = 3").contains("mine.toml is not a file of claims"));
        assert!(said("").contains("there is no [[claim]]"));
        let claim = "[[claim]]\nid = \"a\"\nstatement = \"b\"\nwork = \"c\"\nplace = \"d\"\n[[claim.reading]]\nreading = \"robust\"\n\
                     findings = [\"x.y\"]\nrule = { above = 0.0 }\n";
        assert_eq!(read(claim, "mine.toml").expect("a claim").len(), 1);
        assert!(said(&claim.repeat(2)).contains("another claim of the file has this id"));
        assert!(said(&claim.replace("above", "over")).contains("over"));
        assert!(said(&claim.replace("place", "where")).contains("where"));
    }
}
