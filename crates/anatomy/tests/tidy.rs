//! The rules of the house that a compiler does not keep.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::root;

/// Crate edges are exactly these; another crate or edge needs a reason in ARCHITECTURE.md.
#[test]
fn crates_depend_on_each_other_as_drawn() {
    let crates = ["anatomy", "catalog", "common", "mechanism", "python", "study"];
    let found: BTreeSet<String> = fs::read_dir(root().join("crates"))
        .expect("crates")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    assert_eq!(found, crates.iter().map(ToString::to_string).collect());
    for name in crates {
        let manifest =
            fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).expect("a manifest");
        let edges: Vec<&str> = crates
            .into_iter()
            .filter(|other| {
                manifest
                    .lines()
                    .any(|line| line.starts_with(&format!("{other} = {{ path")))
            })
            .collect();
        let wanted: &[&str] = match name {
            "anatomy" => &["catalog", "common", "mechanism", "study"],
            "common" => &[],
            "python" => &["anatomy", "catalog", "study"],
            _ => &["common"],
        };
        assert_eq!(edges, wanted, "{name}");
    }
}

#[test]
fn every_file_opens_with_what_it_is_for_and_has_one_idea() {
    for path in sources(&root().join("crates")) {
        let text = fs::read_to_string(&path).expect("UTF-8");
        assert!(
            text.starts_with("//!") || text.starts_with("#![doc = include_str!"),
            "{} does not begin with //!",
            path.display()
        );
        let lines = text.lines().count();
        assert!(
            lines <= 500,
            "{} has {lines} lines: one idea each",
            path.display()
        );
    }
}

/// What no `mod` names is never compiled, and its tests never run.
#[test]
fn no_file_is_left_out_of_its_crate() {
    for name in ["anatomy", "catalog", "common", "mechanism", "python", "study"] {
        let home = root().join("crates").join(name);
        let all = sources(&home).into_iter().filter(|path| {
            let inside = path.strip_prefix(&home).expect("below the crate");
            inside.starts_with("src") || inside.starts_with("tests")
        });
        for path in all {
            let stem = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let folder = path.parent().expect("a folder");
            let is_top = folder.ends_with("src") || folder.ends_with("tests") || stem == "main";
            if is_top && ["lib", "main", "tests"].contains(&stem.as_str()) {
                continue;
            }
            let (folder, module) = if stem == "mod" {
                let own = folder.file_name().unwrap_or_default().to_string_lossy();
                (folder.parent().expect("a folder"), own.into_owned())
            } else {
                (folder, stem)
            };
            let above = ["mod.rs", "lib.rs", "main.rs", "tests.rs"].map(|file| folder.join(file));
            let is_named = above.iter().chain([&folder.with_extension("rs")]).any(|file| {
                let text = fs::read_to_string(file).unwrap_or_default();
                text.contains(&format!("mod {module};")) || text.contains(&format!("mod r#{module};"))
            });
            let is_placed = sources(folder).iter().any(|file| {
                let text = fs::read_to_string(file).unwrap_or_default();
                text.contains(&format!("#[path = \"{module}.rs\"]"))
            });
            assert!(
                is_named || is_placed,
                "{}: no `mod {module};` above it, so it is not compiled; write that line or remove the file",
                path.display()
            );
        }
    }
}

/// Sections that a command prints and no report has: how the study begins their ids.
const OF_COMMANDS: [&str; 2] = ["items", "importance-"];

/// A section that `PARTS` does not name stands in no report, and nobody misses it.
#[test]
fn every_section_of_the_study_is_in_a_part_of_the_report() {
    let folder = root().join("crates/anatomy/src/report");
    let parts: String = ["parts/list.rs", "parts.rs"]
        .map(|file| fs::read_to_string(folder.join(file)).expect("the parts"))
        .concat();
    let mut found = 0;
    for path in sources(&root().join("crates/study/src")) {
        let text = fs::read_to_string(&path).expect("UTF-8");
        let code = text.split("\nmod tests {").next().unwrap_or(&text);
        if path.ends_with("section.rs") && code.contains("pub struct Section {") || path.ends_with("tests.rs")
        {
            continue;
        }
        for (at, start) in code.match_indices("Section {\n") {
            let id = code[at + start.len()..].trim_start();
            let Some(id) = id.strip_prefix("id: ") else {
                continue;
            };
            let literal = id
                .split('"')
                .nth(1)
                .filter(|_| !id.starts_with(char::is_uppercase));
            let Some(literal) = literal else {
                panic!(
                    "{}: the id of a section stands as text where the section is made",
                    path.display()
                );
            };
            let literal = literal.split('{').next().unwrap_or_default();
            found += 1;
            assert!(
                OF_COMMANDS.contains(&literal) || parts.contains(&format!("\"{literal}\"")),
                "{}: the section `{literal}` is in no part of PARTS in crates/anatomy/src/report/parts/list.rs, so no report has it",
                path.display()
            );
        }
    }
    assert!(found > 20, "{found} sections are found");
}

/// Types that stand twice on purpose: the same name with and without a feature, and each module's own `Error`.
const TWICE: [(&str, &str); 4] = [
    ("anatomy", "Error"),
    ("catalog", "AnswerRow"),
    ("catalog", "Engine"),
    ("catalog", "Remote"),
];

#[test]
fn a_type_that_others_see_has_a_name_of_its_own() {
    for name in ["anatomy", "catalog", "mechanism", "study"] {
        let mut homes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in sources(&root().join("crates").join(name).join("src")) {
            let text = fs::read_to_string(&path).expect("UTF-8");
            for line in text.lines().map(str::trim_start) {
                let Some(rest) = line.strip_prefix("pub") else {
                    continue;
                };
                let rest = rest
                    .trim_start_matches(|c: char| c != ' ' && c != ')')
                    .trim_start_matches(')')
                    .trim_start();
                let Some((kind, rest)) = rest.split_once(' ') else {
                    continue;
                };
                // A macro's is named where it is called.
                if ["struct", "enum", "trait", "type"].contains(&kind) && !rest.starts_with('$') {
                    let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
                    homes
                        .entry(rest[..end].to_owned())
                        .or_default()
                        .push(path.display().to_string());
                }
            }
        }
        assert!(homes.len() > 2, "{name}: no types are found any more");
        homes.retain(|kind, files| files.len() > 1 && !TWICE.contains(&(name, kind)));
        assert!(homes.is_empty(), "{name} has types of one name: {homes:#?}");
    }
}

#[test]
fn only_one_module_prints() {
    for path in sources(&root().join("crates")) {
        let name = path.to_string_lossy().into_owned();
        if name.contains("/tests/")
            || name.contains("/examples/")
            || name.contains("/benches/")
            || name.ends_with("/output.rs")
            || name.ends_with("tests.rs")
        {
            continue;
        }
        let text = fs::read_to_string(&path).expect("UTF-8");
        let before_tests = text.split("#[cfg(test)]").next().unwrap_or("");
        assert!(!before_tests.contains("println!("), "{name} prints");
    }
}

/// What made a checkpoint is one label, `Checkpoint::training`: whoever reads a leaderboard's type instead gives the word
/// another meaning.
#[test]
fn pretrained_has_one_meaning() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "../study/src"] {
        for path in sources(&manifest.join(folder)) {
            let text = fs::read_to_string(&path).expect("a source file");
            for wrong in [
                "ends_with(\"pretrained\")",
                "kind == \"pretrained\"",
                "Some(\"pretrained\")",
            ] {
                assert!(
                    !text.contains(wrong),
                    "{}: `{wrong}`: ask `Checkpoint::training`",
                    path.display()
                );
            }
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}
