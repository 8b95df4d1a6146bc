//! Data flows one way inside each crate: no circle of `use` between its folders.
//!
//! A file's module is its path; it uses the modules that its code names by `crate::…` or `super::…`, comments and tests left
//! out. What a `mod.rs` hands on counts as the folder's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The path of a module, from the crate's root.
type Module = Vec<String>;

/// Circles inside a folder that are still there, by crate: how many, and files in the largest. Fewer is better; more fails.
const INSIDE: [(&str, usize, usize); 4] = [
    ("catalog", 0, 0),
    ("study", 0, 0),
    ("mechanism", 1, 2),
    ("anatomy", 0, 0),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "tests") {
                files(&path, found);
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The modules of a crate and the text of each, tests left out.
fn modules(source: &Path) -> BTreeMap<Module, String> {
    let mut found = Vec::new();
    files(source, &mut found);
    found
        .into_iter()
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !name.ends_with("tests.rs")
        })
        .map(|path| {
            let inside = path.strip_prefix(source).expect("below the folder");
            let mut module: Module = inside
                .with_extension("")
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            if module
                .last()
                .is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main"))
            {
                module.pop();
            }
            let text = fs::read_to_string(&path).expect("a source file");
            let code = text.split("\nmod tests {").next().unwrap_or(&text);
            let code: Vec<&str> = code
                .lines()
                .map(|line| line.split("//").next().unwrap_or(line))
                .collect();
            (module, code.join("\n"))
        })
        .collect()
}

/// The paths that a text names, from the crate's root.
fn paths(of: &Module, code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let mut rest = &code[at..];
            let mut base: Module = if start == "crate::" {
                Module::new()
            } else {
                of.clone()
            };
            if start == "crate::" {
                rest = &rest["crate::".len()..];
            }
            while let Some(after) = rest.strip_prefix("super::") {
                base.pop();
                rest = after;
            }
            tails(rest, &base, &mut found);
        }
    }
    found
}

/// The names after a path's beginning, those of a list one by one.
fn tails(rest: &str, base: &Module, found: &mut Vec<Module>) {
    if let Some(list) = rest.strip_prefix('{') {
        let (mut depth, mut start) = (0, 0);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    tails(list[start..at].trim(), base, found);
                    return;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    tails(list[start..at].trim(), base, found);
                    start = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    let mut path = base.clone();
    if end > 0 {
        path.push(rest[..end].to_owned());
    }
    match rest[end..].strip_prefix("::") {
        Some(after) => tails(after, &path, found),
        None => found.push(path),
    }
}

/// Which modules use which, as `key` names them.
fn uses(
    modules: &BTreeMap<Module, String>,
    key: impl Fn(&Module) -> String,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, code) in modules {
        for path in paths(module, code) {
            let used = (0..=path.len()).rev().map(|length| path[..length].to_vec());
            let Some(used) = used.into_iter().find(|path| modules.contains_key(path)) else {
                continue;
            };
            let (from, to) = (key(module), key(&used));
            if from != to && !from.is_empty() && !to.is_empty() {
                edges.entry(from).or_default().insert(to);
            }
        }
    }
    edges
}

/// All that can be reached from `start`.
fn reached<'a>(edges: &'a BTreeMap<String, BTreeSet<String>>, start: &'a str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(here) = open.pop() {
        for next in edges.get(here).into_iter().flatten() {
            if seen.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    seen
}

/// Sets of two or more that can all be reached from each other.
fn circles(edges: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<BTreeSet<String>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> = edges
        .keys()
        .map(|name| (name.as_str(), reached(edges, name)))
        .collect();
    let back = |a: &str, b: &str| reach.get(a).is_some_and(|seen| seen.contains(b));
    edges
        .keys()
        .map(|a| {
            let all = edges.keys().filter(|b| *b == a || back(a, b) && back(b, a));
            all.cloned().collect::<BTreeSet<String>>()
        })
        .filter(|circle| circle.len() > 1)
        .collect()
}

#[test]
fn data_flows_one_way() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (name, most, largest) in INSIDE {
        let modules = modules(&crates.join(name).join("src"));
        assert!(modules.len() > 20, "{name}: {} modules", modules.len());
        let folder = |module: &Module| module.first().cloned().unwrap_or_default();
        let found = circles(&uses(&modules, folder));
        assert!(found.is_empty(), "{name}: circles between folders: {found:#?}");
        let found = circles(&uses(&modules, |module| module.join("/")));
        let size = found.iter().map(BTreeSet::len).max().unwrap_or(0);
        assert!(
            found.len() <= most && size <= largest,
            "{name}: {} circles inside folders, the largest of {size} files: {found:#?}",
            found.len()
        );
    }
}

#[test]
fn a_circle_is_found() {
    let text = |code: &str| code.to_owned();
    let modules: BTreeMap<Module, String> = [
        (vec!["a".to_owned()], text("use crate::b::{x, c::Y};")),
        (vec!["b".to_owned()], text("fn f() {}")),
        (
            vec!["b".to_owned(), "c".to_owned()],
            text("use super::super::a::Z; // crate::nothing"),
        ),
    ]
    .into_iter()
    .collect();
    let between = circles(&uses(&modules, |module| {
        module.first().cloned().unwrap_or_default()
    }));
    assert_eq!(between.len(), 1, "{between:?}");
    let files = circles(&uses(&modules, |module| module.join("/")));
    assert_eq!(files.iter().map(BTreeSet::len).max(), Some(2), "{files:?}");
}
