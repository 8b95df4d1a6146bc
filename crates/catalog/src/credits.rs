//! Credits for a catalog's tables: who published them and under which licence, one entry for each address and licence.

use std::collections::BTreeMap;

use crate::tables::Manifest;

/// Sources that share an address and a licence.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Credit {
    /// Kinds of the sources, as the manifest names them.
    pub kinds: Vec<String>,
    /// Whom to credit; `None` where nobody is named.
    pub attribution: Option<String>,
    /// The licence; `None` where there is none or none is known.
    pub license: Option<String>,
    /// Where it was published.
    pub address: String,
    /// Revisions of the copies that were read.
    pub revisions: Vec<String>,
    /// Number of files.
    pub files: usize,
    /// Number of rows that a table holds.
    pub kept: u64,
}

/// The credits of a catalog: those with a licence first, then sorted by address.
pub fn credits(manifest: &Manifest) -> Vec<Credit> {
    let mut found: BTreeMap<(bool, &str, Option<&str>), Credit> = BTreeMap::new();
    for source in &manifest.sources {
        let key = (
            source.license.is_none(),
            source.address.as_str(),
            source.license.as_deref(),
        );
        let credit = found.entry(key).or_insert_with(|| Credit {
            kinds: Vec::new(),
            attribution: source.attribution.clone(),
            license: source.license.clone(),
            address: source.address.clone(),
            revisions: Vec::new(),
            files: 0,
            kept: 0,
        });
        for (list, text) in [
            (&mut credit.kinds, &source.name),
            (&mut credit.revisions, &source.revision),
        ] {
            if !text.is_empty() && !list.contains(text) {
                list.push(text.clone());
            }
        }
        credit.files += 1;
        credit.kept += source.kept;
    }
    found.into_values().collect()
}

/// The credit for the answers to items that ship with the program, independent of the catalog.
pub fn of_answers() -> Credit {
    let (attribution, license, address, revision) = crate::items::BUILTIN_CREDIT;
    Credit {
        kinds: vec!["answers to items (`--items builtin`)".to_owned()],
        attribution: Some(attribution.to_owned()),
        license: Some(license.to_owned()),
        address: address.to_owned(),
        revisions: vec![revision.to_owned()],
        files: 1,
        kept: 347_101,
    }
}

/// The credits as lines for a page footer: whom to credit under each licence, then the kinds of source without a
/// licence.
pub fn foot(manifest: &Manifest) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let all = credits(manifest);
    let mut named: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for credit in &all {
        if let Some(license) = &credit.license {
            let who = credit.attribution.as_deref().unwrap_or(&credit.address);
            let list = named.entry(license).or_default();
            if !list.contains(&who) {
                list.push(who);
            }
        }
    }
    for (license, who) in named {
        lines.push(format!("{license}: {}", who.join("; ")));
    }
    let mut bare: Vec<&str> = all
        .iter()
        .filter(|credit| credit.license.is_none())
        .flat_map(|credit| &credit.kinds)
        .map(String::as_str)
        .collect();
    bare.sort_unstable();
    bare.dedup();
    if !bare.is_empty() {
        lines.push(format!("facts of tables without a licence: {}", bare.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Source;

    #[test]
    fn a_line_a_licence_and_one_for_what_has_none() {
        let source = |name: &str, license: Option<&str>, who: Option<&str>| Source {
            name: name.into(),
            address: format!("https://example.org/{name}"),
            license: license.map(str::to_owned),
            attribution: who.map(str::to_owned),
            kept: 2,
            ..Source::default()
        };
        let manifest = Manifest {
            sources: vec![
                source("b", None, None),
                source("a", Some("MIT"), Some("A")),
                source("a", Some("MIT"), Some("A")),
                source("c", Some("CC-BY-4.0"), Some("C team")),
            ],
            ..Manifest::default()
        };
        let all = credits(&manifest);
        assert_eq!((all.len(), all[0].files, all[0].kept), (3, 2, 4));
        assert_eq!(all[2].license, None);
        assert_eq!(
            foot(&manifest),
            [
                "CC-BY-4.0: C team",
                "MIT: A",
                "facts of tables without a licence: b"
            ]
        );
    }
}
